// Work whose speed can be measured: a preset's network predicts, or learns, on images of noise.
import type { DetectorConfig, TrainingBatch } from '@autoassign/detector';
import { batchTensors, createDetector, initialState, trainStep } from '@autoassign/detector';
import type { Backend } from '@autoassign/tensor';
import { key, read, release, scalar } from '@autoassign/tensor';
import type { ImageSides } from './options.ts';
import { optimizerOf } from './recipe.ts';
import type { Settings } from './settings/runSchema.ts';

/** Work to be measured, and how to free what it keeps. */
export interface Work {
  readonly run: () => Promise<void>;
  readonly end: () => void;
}

const objectsPerImage = 8;

/** Images of noise with objects on a grid, the same ones every time. */
export function noiseBatch(count: number, { height, width }: ImageSides, classes: number): TrainingBatch {
  let state = 1;
  const next = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  const places = count * objectsPerImage;
  const boxes = Float32Array.from({ length: 4 * places }, (_, at) => {
    const [place, corner] = [Math.floor(at / 4) % objectsPerImage, at % 4];
    const [column, row] = [place % 4, Math.floor(place / 4)];
    const side = corner % 2 === 0 ? width : height;
    const position = corner % 2 === 0 ? column / 4 : row / 2;
    return side * (position + (corner < 2 ? 0.02 : 0.2));
  });
  return {
    images: Float32Array.from({ length: count * 3 * height * width }, () => 2 * next() - 1),
    imageShape: [count, 3, height, width],
    boxes,
    labels: Int32Array.from({ length: places }, (_, at) => at % classes),
    valid: new Uint8Array(places).fill(1),
    objects: objectsPerImage,
  };
}

/** The forward pass and the decoding of a batch. */
export async function prediction(
  config: DetectorConfig,
  batch: TrainingBatch,
  backend: Backend,
): Promise<Work> {
  const detector = createDetector(config, { backend });
  const params = await detector.init(key(0));
  const [count, , height, width] = batch.imageShape;
  const sizes = Array.from({ length: count }, () => ({ height, width }));
  const scales = sizes.map(() => [1, 1] as const);
  const { images, imageShape } = batch;
  return {
    run: async () => {
      await detector.predictBatch(params, { images, imageShape, sizes, scales });
    },
    end: () => release(params),
  };
}

/** A training step on a batch. */
export async function training(
  { detector: config, recipe }: Settings,
  batch: TrainingBatch,
  backend: Backend,
): Promise<Work> {
  const optimizer = optimizerOf(recipe, config);
  const params = await createDetector(config, { backend }).init(key(0));
  const step = trainStep({ config, optimizer, backend, recompute: recipe.recompute });
  let state = await initialState(config, params, optimizer);
  return {
    run: async () => {
      const result = await step(state, batchTensors(batch), scalar(0));
      state = result.state;
      await read(result.losses.total);
      release(result.losses);
    },
    end: () => {
      release(state);
      step.destroy();
    },
  };
}
