// The errors of the detector.

/** A configuration with an unknown, missing or impossible field. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** A checkpoint or weights file that cannot be read, or does not fit the model. */
export class WeightsError extends Error {
  override readonly name = 'WeightsError';
}
