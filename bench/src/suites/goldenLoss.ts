// The golden case `f_full_80c` as inputs of the loss, from the folder that AUTOASSIGN_GOLDEN names.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Safetensors } from '@autoassign/detector';
import { readSafetensors } from '@autoassign/detector';
import type { Tensor } from '@autoassign/tensor';
import { concat, reshape, tensor, transpose } from '@autoassign/tensor';
import type { LossCase } from './lossCase.ts';

const levels = [0, 1, 2, 3, 4];

const stored = ({ tensors }: Safetensors, name: string): Tensor => {
  const { data, shape } = tensors[name]!;
  return tensor(Float32Array.from(data as Float32Array), { shape });
};

/** The levels' [N,C,H,W], one after the other, as [N,R,C]. */
const byLocation = (file: Safetensors, kind: 'cls' | 'box' | 'obj'): Tensor =>
  concat(
    levels.map((l) => {
      const x = stored(file, `in.${kind}.${l}`);
      return transpose(reshape(x, [x.shape[0]!, x.shape[1]!, -1]), [0, 2, 1]);
    }),
    1,
  );

/** The case, or undefined when the folder is not named or does not have it. */
export const goldenLossCase = (): LossCase | undefined => {
  const folder = process.env.AUTOASSIGN_GOLDEN;
  const path = folder === undefined ? '' : join(folder, 'head', 'f_full_80c');
  if (!existsSync(`${path}.safetensors`)) return undefined;
  const description = JSON.parse(readFileSync(`${path}.json`, 'utf8')) as {
    readonly num_gt: readonly number[];
    readonly loss_f64: { readonly total: number };
  };
  const file = readSafetensors(readFileSync(`${path}.safetensors`));
  const objectness = byLocation(file, 'obj');
  const padded = Math.max(...description.num_gt);
  const [boxes, labels, valid] = [
    new Float32Array(2 * padded * 4),
    new Int32Array(2 * padded),
    new Uint8Array(2 * padded),
  ];
  description.num_gt.forEach((count, n) => {
    boxes.set(file.tensors[`in.gt_boxes.${n}`]!.data as Float32Array, n * padded * 4);
    labels.set(Array.from(file.tensors[`in.gt_labels.${n}`]!.data as ArrayLike<bigint>, Number), n * padded);
    valid.fill(1, n * padded, n * padded + count);
  });
  return {
    name: 'golden case f_full_80c',
    inputs: {
      predictions: {
        logits: byLocation(file, 'cls'),
        objectness: reshape(objectness, objectness.shape.slice(0, 2)),
        distances: byLocation(file, 'box'),
      },
      prior: { mean: stored(file, 'in.mu'), sigma: stored(file, 'in.sigma') },
    },
    targets: {
      boxes: tensor(boxes, { shape: [2, padded, 4] }),
      labels: tensor(labels, { shape: [2, padded] }),
      valid: tensor(valid, { shape: [2, padded] }),
    },
    total: description.loss_f64.total,
  };
};
