// Decoding and suppression as ONNX operators: what `decodeDetections` does, for a whole batch, with results of a fixed size.
import type { OnnxOpset, OnnxWriter } from '@autoassign/tensor';
import type { CandidateNames, DecodeSetting, RawNames } from './candidates.ts';
import { candidateCount, candidateNodes, pick, pickRows } from './candidates.ts';

/** What the operators depend on besides the network's output. */
export interface SuppressionSetting extends DecodeSetting {
  readonly opset: OnnxOpset;
}

/** Names of the results, each of `detectionLimit` places per image: empty ones have score 0, label -1 and a box of zeros. */
export interface DetectionNames {
  /** f32[N,D,4] */
  readonly boxes: string;
  /** f32[N,D], descending. */
  readonly scores: string;
  /** i64[N,D] */
  readonly labels: string;
}

/** How many places for detections an image has: the limit, or fewer where there can be no more. */
export const detectionLimit = (setting: DecodeSetting): number =>
  Math.min(setting.test.limit, candidateCount(setting));

/** The largest number of single precision that is not above: `x > value` then means the same for every x of single precision. */
const singleBelow = (value: number): number => {
  const single = Float32Array.of(value);
  if (single[0]! > value) new Int32Array(single.buffer)[0]! += value > 0 ? -1 : 1;
  return single[0]!;
};

/** The smallest or largest along axes, which are an attribute before version 18 of the operators and an input since. */
const extremum = (
  { add, integers }: OnnxWriter,
  op: 'ReduceMin' | 'ReduceMax',
  x: string,
  {
    axes,
    keepdims,
    opset,
  }: { readonly axes: readonly number[]; readonly keepdims: 0 | 1; readonly opset: OnnxOpset },
): string =>
  opset < 18
    ? add(op, [x], { attributes: { axes, keepdims } })
    : add(op, [x, integers(axes)], { attributes: { keepdims } });

/** Boxes cut to the image, and whether they then have a size. */
const cutBoxes = (
  writer: OnnxWriter,
  boxes: string,
  { imageSize, opset }: SuppressionSetting,
): { readonly boxes: string; readonly isLarge: string } => {
  const { add, integers, floats } = writer;
  const { height, width } = imageSize;
  const cut = add('Min', [add('Max', [boxes, floats(0)]), floats([width, height, width, height])]);
  const part = (from: number, to: number): string =>
    add('Slice', [cut, integers([from]), integers([to]), integers([2])]);
  const shorter = extremum(writer, 'ReduceMin', add('Sub', [part(2, 4), part(0, 2)]), {
    axes: [2],
    keepdims: 0,
    opset,
  });
  return { boxes: cut, isLarge: add('Greater', [shorter, floats(0)]) };
};

/** Scores [N,C] of the candidates that are kept, 0 for all others. */
const keptScores = (
  { add, integers, floats }: OnnxWriter,
  { scores, rivals, boxes }: { readonly scores: string; readonly rivals: string; readonly boxes: string },
  { test }: SuppressionSetting,
): string => {
  const selected = add('NonMaxSuppression', [
    boxes,
    rivals,
    integers([test.limit]),
    floats([singleBelow(test.iouThreshold)]),
    floats([0]),
  ]);
  const places = add('Gather', [selected, integers([0, 2])], { attributes: { axis: 1 } });
  const none = add('ConstantOfShape', [add('Shape', [scores])]);
  return add('ScatterND', [none, places, add('GatherND', [scores, places])]);
};

/** The best of [N,C] scores, and where they stand. */
const best = (
  { addAll, integers }: OnnxWriter,
  scores: string,
  setting: SuppressionSetting,
): { readonly scores: string; readonly order: string } => {
  const [values, order] = addAll('TopK', [scores, integers([detectionLimit(setting)])], { outputs: 2 });
  return { scores: values!, order: order! };
};

/** Scores and places of the detections, and the candidates' boxes. */
interface Found {
  readonly scores: string;
  readonly order: string;
  readonly boxes: string;
}

/** Boxes are cut first; classes are kept apart by moving their boxes, as `nms` does, so that rounding decides the same way. */
const suppressMoved = (
  writer: OnnxWriter,
  candidates: CandidateNames,
  setting: SuppressionSetting,
): Found => {
  const { add, integers, floats } = writer;
  const { boxes, isLarge } = cutBoxes(writer, candidates.boxes, setting);
  const isLikely = add('Greater', [candidates.ranks, floats(singleBelow(setting.test.scoreThreshold))]);
  const counts = add('And', [isLikely, isLarge]);
  const counted = add('Where', [add('Unsqueeze', [counts, integers([2])]), boxes, floats(0)]);
  const most = extremum(writer, 'ReduceMax', counted, { axes: [1, 2], keepdims: 1, opset: setting.opset });
  const label = add('Unsqueeze', [
    add('Cast', [candidates.labels], { attributes: { to: 1 } }),
    integers([2]),
  ]);
  const moved = add('Add', [boxes, add('Mul', [label, add('Add', [most, floats(1)])])]);
  const scores = add('Where', [counts, candidates.scores, floats(-1)]);
  const rivals = add('Unsqueeze', [scores, integers([1])]);
  return { ...best(writer, keptScores(writer, { scores, rivals, boxes: moved }, setting), setting), boxes };
};

/** Classes are kept apart by scores of their own; boxes are cut, and those without a size left out, at the very end. */
const suppressApart = (
  writer: OnnxWriter,
  candidates: CandidateNames,
  setting: SuppressionSetting,
): Found => {
  const { add, integers, floats } = writer;
  const isLikely = add('Greater', [candidates.ranks, floats(singleBelow(setting.test.scoreThreshold))]);
  const scores = add('Where', [isLikely, candidates.scores, floats(-1)]);
  const numbers = add('Reshape', [
    integers(Array.from({ length: setting.classes }, (_, label) => label)),
    integers([1, setting.classes, 1]),
  ]);
  const isOwn = add('Equal', [add('Unsqueeze', [candidates.labels, integers([1])]), numbers]);
  const rivals = add('Where', [isOwn, add('Unsqueeze', [scores, integers([1])]), floats(-1)]);
  const kept = best(
    writer,
    keptScores(writer, { scores, rivals, boxes: candidates.boxes }, setting),
    setting,
  );
  const { boxes, isLarge } = cutBoxes(writer, candidates.boxes, setting);
  const isThere = pick(writer, add('Cast', [isLarge], { attributes: { to: 1 } }), kept.order);
  const left = best(writer, add('Mul', [kept.scores, isThere]), setting);
  return { scores: left.scores, order: pick(writer, kept.order, left.order), boxes };
};

/**
 * Adds decoding and class-wise suppression to a graph; gives the names of the results.
 *
 * Units    boxes in pixels of the network's input, cut to it
 */
export const suppressionNodes = (
  writer: OnnxWriter,
  raw: RawNames,
  setting: SuppressionSetting,
): DetectionNames => {
  const { add, integers, floats } = writer;
  const candidates = candidateNodes(writer, raw, setting);
  const suppress = setting.test.variant === 'megvii' ? suppressApart : suppressMoved;
  const { scores, order, boxes } = suppress(writer, candidates, setting);
  const isThere = add('Greater', [scores, floats(0)]);
  const found = pickRows(writer, boxes, order);
  const labels = pick(writer, candidates.labels, order);
  return {
    boxes: add('Where', [add('Unsqueeze', [isThere, integers([2])]), found, floats(0)], { label: 'boxes' }),
    scores: add('Identity', [scores], { label: 'scores' }),
    labels: add('Where', [isThere, labels, integers([-1])], { label: 'labels' }),
  };
};
