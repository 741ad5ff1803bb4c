// Decoding and suppression against golden cases: candidates, detections in both coordinate systems, kept indices.
import { describe, expect, test } from 'vitest';
import { nms } from '../../src/geometry/nms.ts';
import type { FeatureLevel } from '../../src/geometry/points.ts';
import type { DecodeOptions, Detections, HeadOutput, ImageGeometry } from '../../src/infer/decode.ts';
import { decodeCandidates, decodeDetections } from '../../src/infer/decode.ts';
import type { GoldenCase } from './cases.ts';
import { arrayOf, goldenFolder, goldenNames, numbersOf, readGolden } from './cases.ts';

interface DecodeDescription {
  readonly num_classes: number;
  readonly strides: readonly number[];
  readonly feature_hw: readonly (readonly [number, number])[];
  readonly img_metas: readonly {
    readonly img_shape: readonly [number, number];
    readonly scale_factor: readonly [number, number];
  }[];
  readonly test_cfg: {
    readonly nms_pre: number;
    readonly min_bbox_size: number;
    readonly score_thr: number;
    readonly nms: { readonly iou_threshold: number };
    readonly max_per_img: number;
  };
  readonly min_score_gap?: Readonly<Record<string, number>>;
}

interface NmsDescription {
  readonly iou_threshold: number;
}

const isNms = (name: string): boolean => name.startsWith('nms_');
const decodeNames = goldenNames('test', (name) => !isNms(name));
const nmsNames = goldenNames('test', isNms);

const levelsOf = ({ feature_hw, strides }: DecodeDescription): readonly FeatureLevel[] =>
  feature_hw.map(([height, width], l) => ({ height, width, stride: strides[l]! }));

/** One image of the stored [N,C,H,W] levels as [R*C]. */
const byLocation = (golden: GoldenCase<DecodeDescription>, kind: string, n: number): number[] =>
  levelsOf(golden.description).flatMap(({ height, width }, l) => {
    const stored = arrayOf(golden, `in.${kind}.${l}`);
    const [channels, cells] = [stored.shape[1]!, height * width];
    const all = numbersOf(stored);
    return Array.from({ length: cells * channels }, (_, i) => {
      const [cell, channel] = [Math.floor(i / channels), i % channels];
      return all[(n * channels + channel) * cells + cell]!;
    });
  });

const outputOf = (golden: GoldenCase<DecodeDescription>, n: number): HeadOutput => ({
  logits: byLocation(golden, 'cls', n),
  objectness: byLocation(golden, 'obj', n),
  distances: byLocation(golden, 'box', n),
});

const optionsOf = ({ test_cfg }: DecodeDescription): DecodeOptions => ({
  scoreThreshold: test_cfg.score_thr,
  candidatesPerLevel: test_cfg.nms_pre,
  smallestSide: test_cfg.min_bbox_size,
  iouThreshold: test_cfg.nms.iou_threshold,
  limit: test_cfg.max_per_img,
});

interface Row {
  readonly box: readonly number[];
  readonly score: number;
  readonly label: number;
}

const rowsOf = (boxes: ArrayLike<number>, scores: ArrayLike<number>, labels: ArrayLike<number>): Row[] =>
  Array.from(scores, (score, i) => ({
    box: [0, 1, 2, 3].map((side) => boxes[4 * i + side]!),
    score,
    label: labels[i]!,
  }));

const isSame = (a: Row, b: Row): boolean =>
  a.label === b.label &&
  Math.abs(a.score - b.score) <= 1e-6 &&
  a.box.every((x, side) => Math.abs(x - b.box[side]!) <= 1e-3);

/** Expects the same rows in the same order; where scores lie closer than single precision tells, rows may trade places. */
const expectDetections = (golden: GoldenCase<DecodeDescription>, name: string, found: Detections): void => {
  const stored = (part: string) => numbersOf(arrayOf(golden, `${name}.${part}`));
  const actual = rowsOf(found.boxes, found.scores, found.labels);
  const expected = rowsOf(stored('boxes'), stored('scores'), stored('labels'));
  expect(actual.length, `${name}: number of detections`).toBe(expected.length);
  const reach = (golden.description.min_score_gap?.[name] ?? 1) < 1e-6 ? 3 : 0;
  expected.forEach((row, i) => {
    const near = actual.slice(Math.max(i - reach, 0), i + reach + 1);
    expect(
      near.some((other) => isSame(other, row)),
      `${name}: row ${i} ${JSON.stringify(row)}`,
    ).toBe(true);
  });
};

/** Indices by descending score; equal scores in ascending order, since the reference's sort leaves their order open. */
const settleTies = (indices: ArrayLike<number>, scores: Float64Array): number[] =>
  Array.from(indices).sort((a, b) => scores[b]! - scores[a]! || a - b);

describe.skipIf(goldenFolder('test') === undefined)('golden decoding and suppression cases', () => {
  test.for(decodeNames)('%s', (name) => {
    const golden = readGolden<DecodeDescription>('test', name);
    const [levels, options] = [levelsOf(golden.description), optionsOf(golden.description)];
    golden.description.img_metas.forEach(({ img_shape: [height, width], scale_factor: [x, y] }, n) => {
      const output = outputOf(golden, n);
      const network: ImageGeometry = { height, width };
      const original: ImageGeometry = { height, width, scale: { x, y } };
      expectDetections(golden, `pre_nms.img${n}`, decodeCandidates(output, levels, network, options));
      expectDetections(golden, `nms.img${n}`, decodeDetections(output, levels, network, options));
      expectDetections(golden, `nms_rescale.img${n}`, decodeDetections(output, levels, original, options));
    });
  });

  test.for(nmsNames)('%s', (name) => {
    const golden = readGolden<NmsDescription>('test', name);
    const iouThreshold = golden.description.iou_threshold;
    const stored = (part: string): Float64Array => numbersOf(arrayOf(golden, part));
    const [boxes, scores, labels] = [stored('boxes'), stored('scores'), stored('labels')];
    const kept = nms(boxes, scores, { iouThreshold, labels });
    expect(Array.from(kept)).toEqual(settleTies(stored('keep'), scores));
    const keptOfAll = nms(boxes, scores, { iouThreshold });
    expect(Array.from(keptOfAll)).toEqual(settleTies(stored('keep_agnostic'), scores));
  });
});
