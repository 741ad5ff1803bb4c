// A golden head case as inputs of the loss, and the loss with all gradients and intermediate quantities as plain arrays.
import { valueAndGrad } from '@autoassign/autograd';
import type { Backend, Tensor, Tree } from '@autoassign/tensor';
import {
  concat,
  evaluate,
  leavesWithPaths,
  read,
  release,
  reshape,
  tensor,
  transpose,
} from '@autoassign/tensor';
import { assignment } from '../../src/assign/assignment.ts';
import type { Predictions, Prior, Targets } from '../../src/assign/inputs.ts';
import type { AutoAssignOptions } from '../../src/assign/loss.ts';
import { autoAssignLoss, lossSums } from '../../src/assign/loss.ts';
import type { FeatureLevel } from '../../src/geometry/points.ts';
import { locations } from '../../src/geometry/points.ts';
import type { GoldenCase } from './cases.ts';
import { arrayOf, numbersOf } from './cases.ts';

interface LossValues {
  readonly loss_pos: number;
  readonly loss_neg: number;
  readonly loss_center: number;
  readonly total: number;
  readonly pos_avg_factor: number;
  readonly neg_avg_factor: number;
}

export interface HeadDescription {
  readonly num_images: number;
  readonly num_classes: number;
  readonly strides: readonly number[];
  readonly feature_hw: readonly (readonly [number, number])[];
  readonly num_gt: readonly number[];
  readonly force_topk: boolean;
  readonly topk: number;
  readonly loss_f64: LossValues;
  readonly loss_f32: LossValues;
  readonly loss_config: Readonly<Record<`${'reg' | 'pos' | 'neg' | 'center'}_loss_weight`, number>>;
}

export type HeadCase = GoldenCase<HeadDescription>;

const levelsOf = ({ feature_hw, strides }: HeadDescription): readonly FeatureLevel[] =>
  feature_hw.map(([height, width], l) => ({ height, width, stride: strides[l]! }));

/** A level's [N,C,H,W] as [N,H*W,C]. */
const byLocation = (x: Tensor): Tensor => {
  const [images, channels, height, width] = x.shape as [number, number, number, number];
  return transpose(reshape(x, [images, channels, height * width]), [0, 2, 1]);
};

/** The stored tensors of the head, one per level. */
type LevelPredictions = { readonly cls: Tensor[]; readonly box: Tensor[]; readonly obj: Tensor[] };

const storedTensor = (golden: HeadCase, name: string): Tensor => {
  const { shape } = arrayOf(golden, name);
  return tensor(numbersOf(arrayOf(golden, name)), { shape, dtype: 'f32' });
};

const levelPredictions = (golden: HeadCase): LevelPredictions => {
  const all = (kind: string): Tensor[] =>
    golden.description.strides.map((_, l) => storedTensor(golden, `in.${kind}.${l}`));
  return { cls: all('cls'), box: all('box'), obj: all('obj') };
};

const joined = ({ cls, box, obj }: LevelPredictions): Predictions => {
  const objectness = concat(obj.map(byLocation), 1);
  return {
    logits: concat(cls.map(byLocation), 1),
    objectness: reshape(objectness, objectness.shape.slice(0, 2)),
    distances: concat(box.map(byLocation), 1),
  };
};

/** The objects, padded by at least one slot whose box and label are nonsense. */
const targetsOf = (golden: HeadCase): Targets => {
  const { num_gt, num_images } = golden.description;
  const slots = Math.max(...num_gt) + 1;
  const boxes = new Float64Array(num_images * slots * 4).fill(-7e4);
  const labels = new Int32Array(num_images * slots).fill(-1);
  const valid = new Uint8Array(num_images * slots);
  num_gt.forEach((count, n) => {
    boxes.set(numbersOf(arrayOf(golden, `in.gt_boxes.${n}`)), n * slots * 4);
    labels.set(numbersOf(arrayOf(golden, `in.gt_labels.${n}`)), n * slots);
    valid.fill(1, n * slots, n * slots + count);
  });
  return {
    boxes: tensor(boxes, { shape: [num_images, slots, 4] }),
    labels: tensor(labels, { shape: [num_images, slots] }),
    valid: tensor(valid, { shape: [num_images, slots] }),
  };
};

const optionsOf = ({ force_topk, topk, loss_config }: HeadDescription): AutoAssignOptions => ({
  forceTopK: force_topk ? topk : 0,
  localizationWeight: loss_config.reg_loss_weight,
  positiveWeight: loss_config.pos_loss_weight,
  negativeWeight: loss_config.neg_loss_weight,
  centerWeight: loss_config.center_loss_weight,
});

/** Everything computed for a case, by path: `value`, `grad.levels.cls.0`, `aux.loss.positive`, `aux.assigned.inside`, ... */
export type HeadResults = Readonly<Record<string, ArrayLike<number>>>;

export const runHeadCase = async (golden: HeadCase, backend: Backend): Promise<HeadResults> => {
  const prior: Prior = { mean: storedTensor(golden, 'in.mu'), sigma: storedTensor(golden, 'in.sigma') };
  const [targets, points] = [targetsOf(golden), locations(levelsOf(golden.description))];
  const options = optionsOf(golden.description);
  const run = valueAndGrad(
    (params: { levels: LevelPredictions; prior: Prior }) => {
      const predictions = joined(params.levels);
      const loss = autoAssignLoss(predictions, targets, params.prior, points, options);
      const assigned = assignment(predictions, targets, params.prior, points, options);
      return { value: loss.total, aux: { loss, assigned, sums: lossSums(assigned, targets.valid) } };
    },
    { hasAux: true },
  );
  const graph: Tree = { ...run({ levels: levelPredictions(golden), prior }) };
  const evaluated = await evaluate(graph, { backend });
  const results: Record<string, ArrayLike<number>> = {};
  for (const [path, leaf] of leavesWithPaths(evaluated)) results[path] = await read(leaf);
  release(evaluated);
  return results;
};
