// From the bytes of a file of weights to a detector that is ready to be used, in Node and in browsers.
import type { Detector, DetectorConfig, Params, StoredTensor } from '@autoassign/detector';
import {
  createDetector,
  loadWeights,
  readSafetensors,
  validateConfig,
  WeightsError,
} from '@autoassign/detector';
import type { Backend } from '@autoassign/tensor';
import { key } from '@autoassign/tensor';
import { atMost, smallImages } from './imagePlan.ts';
import type { ImagePlan, TestSize } from './runConfig.ts';

/** A detector with its parameters, and how pictures are shown to it. */
export interface UsableDetector {
  readonly detector: Detector;
  readonly params: Params;
  /** The size that it sees images at. */
  readonly test: TestSize;
}

/** What is known about a file of weights besides its bytes. */
export interface WeightsSetting {
  /** How messages name the file. */
  readonly label: string;
  readonly backend: Backend;
  /** The network, for files that do not carry its configuration. */
  readonly config?: DetectorConfig | undefined;
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

function testSizeIn(notes: string | undefined): TestSize {
  const images = jsonField((jsonField(notes) as { readonly images?: string } | undefined)?.images);
  const { test, longestSide } = { ...(images as Partial<ImagePlan> & { readonly longestSide?: number }) };
  if (test !== undefined) return test;
  // Files of earlier versions have one number.
  return typeof longestSide === 'number' && longestSide >= 1 ? atMost(longestSide) : smallImages.test;
}

const averagePrefix = 'training.ema.';

/** The arrays of a file with the moving average of the weights, if it has one, in the place of the weights. */
function withAverage(
  tensors: Readonly<Record<string, StoredTensor>>,
): Readonly<Record<string, StoredTensor>> {
  const averages = Object.entries(tensors).filter(([name]) => name.startsWith(averagePrefix));
  return {
    ...tensors,
    ...Object.fromEntries(averages.map(([name, stored]) => [name.slice(averagePrefix.length), stored])),
  };
}

/**
 * The detector in the bytes of a checkpoint or weights file.
 *
 * Throws   WeightsError naming the file, and the array where one is missing or of another shape; ConfigError
 */
export async function detectorIn(
  bytes: Uint8Array,
  { label, backend, config, test }: WeightsSetting,
): Promise<UsableDetector> {
  const { tensors, metadata } = readSafetensors(bytes, label);
  const known = config ?? jsonField(metadata.config);
  if (known === undefined) {
    throw new WeightsError(
      `loadDetector(${label}): needs the network's configuration in the file's metadata, got none. Give a file that training wrote.`,
    );
  }
  const detector = createDetector(validateConfig(known), { backend });
  const { params } = loadWeights(await detector.init(key(0)), withAverage(tensors), { label });
  return { detector, params, test: test ?? testSizeIn(metadata.notes) };
}
