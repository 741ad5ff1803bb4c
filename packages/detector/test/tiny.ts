// A detector of a few thousand parameters and small batches for it.
import type { Transform } from '@autoassign/autograd';
import { adamw } from '@autoassign/autograd';
import type { Backend } from '@autoassign/tensor';
import { createBackend, key } from '@autoassign/tensor';
import type { TrainingBatch } from '../src/batch.ts';
import { type DetectorConfig, demoConfig } from '../src/config.ts';
import { createDetector } from '../src/model/detector.ts';
import { initialState, type TrainState } from '../src/train/state.ts';

/** Two classes, levels of strides 4 and 8. */
export const tinyConfig: DetectorConfig = {
  ...demoConfig(['square', 'disc']),
  backbone: {
    ...demoConfig(['square']).backbone,
    stem: { kind: 'plain', widths: [4] },
    planes: [8, 8],
    depths: [1, 1],
    strides: [2, 2],
    norm: { kind: 'group', channelsPerGroup: 4 },
  },
  neck: { channels: 8, stages: 2, extraLevels: 0 },
  head: { convs: 1, groups: 2, priorProbability: 0.02, distanceBias: 2 },
};

/** A bright square on dark ground in every image, with its box; place and brightness follow from `index`. */
export const squareBatch = (index: number, count = 1): TrainingBatch => {
  const side = 32;
  const images = new Float32Array(count * 3 * side * side).fill(-1);
  const boxes = new Float32Array(count * 2 * 4);
  const valid = new Uint8Array(count * 2);
  for (let n = 0; n < count; n++) {
    const [left, top, size] = [4 + ((5 * (index + n)) % 9), 6 + ((3 * (index + n)) % 7), 14];
    boxes.set([left, top, left + size, top + size], n * 8);
    valid[n * 2] = 1;
    for (let c = 0; c < 3; c++)
      for (let y = top; y < top + size; y++)
        images.fill(
          1 + 0.1 * c,
          ((n * 3 + c) * side + y) * side + left,
          ((n * 3 + c) * side + y) * side + left + size,
        );
  }
  return {
    images,
    imageShape: [count, 3, side, side],
    boxes,
    labels: new Int32Array(count * 2),
    valid,
    objects: 2,
    files: Array.from({ length: count }, (_, n) => `square-${index + n}.jpg`),
    epoch: Math.floor(index / 4),
    position: index % 4,
  };
};

/** The batches `from`, `from + 1`, … up to but without `to`. */
export async function* squareBatches(from: number, to: number): AsyncGenerator<TrainingBatch> {
  for (let index = from; index < to; index++) yield squareBatch(index);
}

export const optimizer: Transform = adamw({
  weightDecay: (path) => (path.endsWith('conv.weight') ? 0.02 : 0),
  rateScale: (path) => (path.includes('center_prior') ? 5 : 1),
});

export const freshState = async (seed = 0): Promise<TrainState> => {
  const params = await createDetector(tinyConfig).init(key(seed));
  return initialState(tinyConfig, params, optimizer);
};

export const wasm = (): Promise<Backend> => createBackend('wasm');
