// The errors of the detector.

/** A configuration with an unknown, missing or impossible field. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** A checkpoint or weights file that cannot be read, or does not fit the model. */
export class WeightsError extends Error {
  override readonly name = 'WeightsError';
}

/** Training that cannot go on; the last good state is kept. */
export class TrainingError extends Error {
  override readonly name = 'TrainingError';
  /** The step that failed, counted from 0. */
  readonly step: number;

  constructor(message: string, step: number) {
    super(message);
    this.step = step;
  }
}
