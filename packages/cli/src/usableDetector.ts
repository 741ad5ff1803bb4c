// From the bytes of a file of weights to a detector that is ready to be used, in Node and in browsers.
import type {
  ByteSource,
  CheckpointReport,
  Detector,
  DetectorConfig,
  Params,
  WeightsFile,
} from '@autoassign/detector';
import {
  createDetector,
  loadCheckpoint,
  openWeights,
  validateConfig,
  WeightsError,
} from '@autoassign/detector';
import type { Backend } from '@autoassign/tensor';
import { atMost, smallImages } from './imagePlan.ts';
import { presetNamed } from './presets.ts';
import type { ImagePlan, TestSize } from './runConfig.ts';

/** A detector with its parameters, and how pictures are shown to it. */
export interface UsableDetector {
  readonly detector: Detector;
  readonly params: Params;
  /** The size that it sees images at. */
  readonly test: TestSize;
  /** What the file had. */
  readonly report: CheckpointReport;
}

/** What is known about a file of weights besides its bytes. */
export interface WeightsSetting {
  /** How messages name the file. */
  readonly label: string;
  readonly backend: Backend;
  /** The network, for files that do not carry its configuration. */
  readonly config?: DetectorConfig | undefined;
  /** The preset that has the network and the size of pictures, for files that carry neither. */
  readonly preset?: string | undefined;
  /** With a preset: the class names by label; those that the file names unless given, else `class 1`, `class 2`, … */
  readonly classes?: readonly string[] | undefined;
  /** The size that pictures are seen at, instead of the one that the file carries. */
  readonly test?: TestSize | undefined;
}

function jsonField(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}

/** The size that a file's notes say pictures are seen at. */
export function testSizeIn(notes: string | undefined): TestSize {
  const images = jsonField((jsonField(notes) as { readonly images?: string } | undefined)?.images);
  const { test, longestSide } = { ...(images as Partial<ImagePlan> & { readonly longestSide?: number }) };
  if (test !== undefined) return test;
  // Files of earlier versions have one number.
  return typeof longestSide === 'number' && longestSide >= 1 ? atMost(longestSide) : smallImages.test;
}

const averagePrefix = 'training.ema.';

/** A file with the moving average of the weights, if it has one, in the place of the weights, and without the rest of training's state. */
export function withAverage(file: WeightsFile): WeightsFile {
  const from = new Map<string, string>();
  for (const name of file.arrays.keys()) if (!name.startsWith('training.')) from.set(name, name);
  for (const name of file.arrays.keys())
    if (name.startsWith(averagePrefix)) from.set(name.slice(averagePrefix.length), name);
  return {
    ...file,
    arrays: new Map([...from].map(([name, stored]) => [name, file.arrays.get(stored)!])),
    read: (name) => file.read(from.get(name)!),
  };
}

/** The names of the classes of a file, made up where it has none. */
function classesIn({ report, arrays }: WeightsFile): readonly string[] {
  const count = arrays.get('bbox_head.conv_cls.bias')?.shape[0] ?? 0;
  return report.classes ?? Array.from({ length: count }, (_, label) => `class ${label + 1}`);
}

/**
 * The network of a file: as given, by its preset, or as the file says.
 *
 * Throws   WeightsError when none of them tells it, ConfigError for one that is not valid
 */
export function configOf(
  file: WeightsFile,
  { label, config, preset, classes }: Omit<WeightsSetting, 'backend'>,
): DetectorConfig {
  const known =
    config ??
    (preset === undefined
      ? jsonField(file.metadata.config)
      : presetNamed(preset).detector(classes ?? classesIn(file)));
  if (known !== undefined) return validateConfig(known);
  throw new WeightsError(
    `loadDetector(${label}): needs the network's configuration in the file's metadata, got none. Give a file that training or 'autoassign convert --preset' wrote, or the preset that it was trained by.`,
  );
}

/**
 * The detector in a checkpoint or weights file, of ours or of a published implementation.
 *
 * Throws   WeightsError naming the file, and the array where one is missing or of another shape; ConfigError
 */
export async function detectorIn(
  input: Uint8Array | ByteSource,
  setting: WeightsSetting,
): Promise<UsableDetector> {
  const { label, backend, preset, classes } = setting;
  const file = withAverage(await openWeights(input, { label }));
  const config = configOf(file, setting);
  const given = preset === undefined || classes === undefined ? {} : { classes };
  const { params, report } = await loadCheckpoint(file, config, { label, strict: true, ...given });
  const test = preset === undefined ? testSizeIn(file.metadata.notes) : presetNamed(preset).images.test;
  return { detector: createDetector(config, { backend }), params, report, test: setting.test ?? test };
}
