// What the label assignment works on: predictions, objects, the centre prior's parameters, locations; and the check that they fit.
import type { Spec, Tensor } from '@autoassign/tensor';
import { describeInputs, reshape, ShapeError, select, sentence } from '@autoassign/tensor';
import type { Points } from '../geometry/points.ts';

/** What the head says of every location: class logits f32[N,R,K], objectness logit f32[N,R], distances f32[N,R,4] in pixels. */
export type Predictions = {
  readonly logits: Tensor;
  readonly objectness: Tensor;
  /** To the left, top, right and bottom of the box: scaled, at least 0. */
  readonly distances: Tensor;
};

/** The objects of every image, padded to M: boxes f32[N,M,4] in pixels, labels i32[N,M] from 0, valid bool[N,M]. */
export type Targets = {
  readonly boxes: Tensor;
  readonly labels: Tensor;
  /** False for padding, whose box and label are never looked at. */
  readonly valid: Tensor;
};

/** The centre prior's learned parameters per class, (x, y): mean f32[K,2] and sigma f32[K,2], in strides. */
export type Prior = { readonly mean: Tensor; readonly sigma: Tensor };

/** The targets with harmless boxes and labels in the padding, so that nothing there can overflow or be out of range. */
export const tidyTargets = ({ boxes, labels, valid }: Targets): Targets => ({
  boxes: select(reshape(valid, [...valid.shape, 1]), boxes, 0),
  labels: select(valid, labels, 0),
  valid,
});

/**
 * Nothing when the inputs fit together; the prior only where there is one.
 *
 * Throws   ShapeError that shows every input
 */
export const requireInputs = (
  where: string,
  predictions: Predictions,
  targets: Targets,
  prior: Prior | undefined,
  points: Points,
): void => {
  const [images, locations, classes] = predictions.logits.shape;
  const objects = targets.boxes.shape[1];
  const wanted: readonly (readonly [Spec, string, readonly (number | undefined)[]])[] = [
    [predictions.logits, 'f32', [images, locations, classes]],
    [predictions.objectness, 'f32', [images, locations]],
    [predictions.distances, 'f32', [images, locations, 4]],
    [targets.boxes, 'f32', [images, objects, 4]],
    [targets.labels, 'i32', [images, objects]],
    [targets.valid, 'bool', [images, objects]],
    [points.locations, 'f32', [locations, 2]],
    [points.strides, 'f32', [locations]],
    ...Object.values(prior ?? {}).map((part) => [part, 'f32', [classes, 2]] as const),
  ];
  const fits = wanted.every(
    ([spec, dtype, shape]) => spec.dtype === dtype && spec.shape.join() === shape.join(),
  );
  if (fits && images !== 0 && objects !== 0) return;
  throw new ShapeError(
    sentence({
      where,
      needs: `logits f32[N,R,K], objectness f32[N,R], distances f32[N,R,4], boxes f32[N,M,4], labels i32[N,M], valid bool[N,M], ${prior === undefined ? '' : 'mean and sigma f32[K,2], '}locations f32[R,2] and strides f32[R], N and M at least 1`,
      got: describeInputs({
        ...predictions,
        ...targets,
        ...prior,
        locations: points.locations,
        strides: points.strides,
      }),
      advice: 'Give at least one image, and pad the objects of a batch without any to one that is not valid.',
    }),
  );
};
