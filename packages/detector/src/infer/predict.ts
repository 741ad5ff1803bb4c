// From images to detections: the compiled forward pass and the decoding, for one image or a batch.
import type { Backend, Compiled, Data, StepProfile, Tensor } from '@autoassign/tensor';
import { compile, read, release, tensor } from '@autoassign/tensor';
import type { Predictions } from '../assign/inputs.ts';
import { type DetectorConfig, featureLevels } from '../config.ts';
import { usesObjectness } from '../lossConfig.ts';
import { forward, type Params } from '../model/network.ts';
import { type DecodeOptions, type Detections, decodeDetections } from './decode.ts';

/** Images of one size ready for the network, and how to get back to the originals. A training batch has all of this. */
export interface PredictionBatch {
  /** Normalised pixels f32[N,3,H,W]; padding is 0. */
  readonly images: Float32Array;
  readonly imageShape: readonly [count: number, channels: number, height: number, width: number];
  /** Size of each image within its padding. */
  readonly sizes: readonly { readonly width: number; readonly height: number }[];
  /** Factors from original to padded-image pixels, per image. */
  readonly scales: readonly (readonly [x: number, y: number])[];
}

/** A forward pass compiled for one backend, and its decoding. */
export interface Predictor {
  /**
   * The detections of every image, by descending score.
   *
   * Units    boxes in pixels of the original images
   */
  predictBatch(params: Params, batch: PredictionBatch, options?: DecodeOptions): Promise<Detections[]>;
  /** The compiled forward pass as text. */
  describe(): string;
  /** What every step of the forward pass has cost so far; empty without the option `profile`. */
  profile(): readonly StepProfile[];
  /** Frees the compiled programs. */
  destroy(): void;
}

/** Options of `createPredictor`. */
export interface PredictorOptions {
  readonly backend: Backend;
  /** How many image shapes may be compiled before a further one is an error; 32 by default. */
  readonly maxTraces?: number;
  /** Measures the time of every step of the forward pass. Off by default. */
  readonly profile?: boolean;
}

type ForwardPass = Compiled<[params: Params, images: Tensor], Predictions>;

/**
 * A predictor for one backend. Parameters that live on that backend are used where they are; others are copied at every call.
 *
 * Example  const predictor = createPredictor(config, { backend });  await predictor.predictBatch(params, batch)
 */
export const createPredictor = (
  config: DetectorConfig,
  { backend, maxTraces = 32, profile = false }: PredictorOptions,
): Predictor => {
  const predictions = (params: Params, images: Tensor): Predictions => {
    const { logits, objectness, distances } = forward(config, params, images);
    return { logits, objectness, distances };
  };
  // The images are given away, so that only the parameters stay from call to call: a backend then folds norms into filters and keeps those.
  const run: ForwardPass = compile(predictions, { backend, donate: [1], maxTraces, profile });
  return {
    predictBatch: async (params, batch, options = {}) => {
      const result = await run(params, tensor(batch.images, { shape: batch.imageShape }));
      const { logits, objectness, distances } = result;
      const data = await Promise.all([logits, objectness, distances].map(read));
      release(result);
      return batch.sizes.map((_, i) => detectionsOf(config, { batch, data, index: i, options }));
    },
    describe: () => run.describe(),
    profile: () => run.profile(),
    destroy: () => run.destroy(),
  };
};

/** The detections of image `index` from the outputs (logits, objectness, distances) of its batch. */
const detectionsOf = (
  config: DetectorConfig,
  {
    batch,
    data,
    index,
    options,
  }: { batch: PredictionBatch; data: readonly Data[]; index: number; options: DecodeOptions },
): Detections => {
  const [count, , height, width] = batch.imageShape;
  const [logits, objectness, distances] = data.map((part) => {
    const size = part.length / count;
    return part.subarray(index * size, (index + 1) * size);
  }) as [Data, Data, Data];
  const [x, y] = batch.scales[index]!;
  const geometry = { ...batch.sizes[index]!, scale: { x, y } };
  const levels = featureLevels(config, height, width);
  return decodeDetections({ logits, objectness, distances }, levels, geometry, {
    ...config.test,
    usesObjectness: usesObjectness(config.loss),
    ...options,
  });
};
