// The label assignment and loss against golden cases, on given backends: every quantity in double precision, losses and gradients in single.
import type { Backend } from '@autoassign/tensor';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Tolerance } from './cases.ts';
import {
  arrayOf,
  expectClose,
  goldenFolder,
  goldenNames,
  numbersOf,
  readGolden,
  relativeDistance,
} from './cases.ts';
import type { HeadCase, HeadDescription, HeadResults } from './headCase.ts';
import { runHeadCase } from './headCase.ts';

const names = goldenNames('head', () => true);

const exact: Tolerance = { relative: 1e-9, absolute: 1e-12 };
/** For results that are stored rounded to single precision. */
const rounded: Tolerance = { relative: 1e-6, absolute: 1e-12 };

const gradientPaths = ({ strides }: HeadDescription): readonly (readonly [group: string, path: string])[] => [
  ...['cls', 'box', 'obj'].flatMap((group) =>
    strides.map((_, l): [string, string] => [`${group}.${l}`, `grad.levels.${group}.${l}`]),
  ),
  ['mu', 'grad.prior.mean'],
  ['sigma', 'grad.prior.sigma'],
];

const lossPaths = [
  ['loss_pos', 'aux.loss.positive'],
  ['loss_neg', 'aux.loss.negative'],
  ['loss_center', 'aux.loss.center'],
  ['total', 'value'],
  ['pos_avg_factor', 'aux.sums.objectCount'],
  ['neg_avg_factor', 'aux.sums.priorMass'],
] as const;

const expectLosses = (
  golden: HeadCase,
  results: HeadResults,
  run: 'loss_f64' | 'loss_f32',
  tolerance: Tolerance,
): void => {
  for (const [key, path] of lossPaths)
    expectClose(key, results[path]!, [golden.description[run][key]], tolerance);
};

/** Quantities per location and object: stored name, path. */
const pairwiseQuantities = [
  ['inside', 'inside'],
  ['center_prior', 'prior'],
  ['reg_loss', 'localization'],
  ['p_pos', 'confidence'],
  ['pos_weight', 'positiveWeights'],
] as const;

/** The block of image n of an array [N,...] as [rows, columns], of which the first `kept` columns are wanted. */
const imageOf = (
  x: ArrayLike<number>,
  images: number,
  n: number,
  columns: number,
  kept = columns,
): number[] => {
  const size = x.length / images;
  return Array.from({ length: size }, (_, i) => i)
    .filter((i) => i % columns < kept)
    .map((i) => x[n * size + i]!);
};

const expectAssignment = (golden: HeadCase, results: HeadResults, n: number): void => {
  const { num_gt, num_images, num_classes, loss_config } = golden.description;
  const [objects, slots] = [num_gt[n]!, Math.max(...num_gt) + 1];
  const stored = (name: string) => golden.arrays[`f64.img${n}.${name}`];
  const [gts, rows] = [stored('neg_fg_gt'), stored('neg_fg_point')];
  const points = rows === undefined ? [] : numbersOf(rows);
  const entries = gts === undefined ? [] : [...numbersOf(gts)].map((g, i) => points[i]! * objects + g);
  const compare = (name: string, dense: readonly number[]): void => {
    const expected = stored(name);
    if (expected === undefined) return;
    const isCompact = expected.shape.length === 1 && expected.shape[0] !== dense.length;
    const actual = isCompact ? entries.map((i) => dense[i]!) : dense;
    const tolerance = expected.dtype === 'F32' ? rounded : exact;
    expectClose(`image ${n} ${name}`, actual, numbersOf(expected), tolerance);
  };
  const pairwise = (path: string): number[] =>
    imageOf(results[`aux.assigned.${path}`]!, num_images, n, slots, objects);
  for (const [name, path] of pairwiseQuantities) compare(name, pairwise(path));
  const inside = pairwise('inside');
  const best = imageOf(results['aux.assigned.bestOverlap']!, num_images, n, 1);
  compare(
    'ious',
    inside.map((isInside, i) => isInside * best[Math.floor(i / objects)]!),
  );
  compare(
    'confidence_weight',
    pairwise('confidence').map((p) => Math.exp(3 * p)),
  );
  compare('reweighted_p_pos', pairwise('objectConfidence'));
  const foreground = pairwise('foregroundness');
  compare(
    'neg_fg_weight',
    entries.map((i) => foreground[i]!),
  );
  expect(
    inside.reduce((a, b) => a + b, 0),
    'number of inside entries',
  ).toBe(entries.length);
  compare('neg_weight', imageOf(results['aux.assigned.negativeWeights']!, num_images, n, num_classes));
  compare('pos_loss', [results['aux.sums.positive']![n]! * loss_config.pos_loss_weight]);
  compare('neg_loss', [results['aux.sums.negative']![n]! * loss_config.neg_loss_weight]);
};

const expectExact = (golden: HeadCase, results: HeadResults): void => {
  expectLosses(golden, results, 'loss_f64', exact);
  golden.description.num_gt.forEach((_, n) => {
    expectAssignment(golden, results, n);
  });
  for (const [group, path] of gradientPaths(golden.description)) {
    const expected = arrayOf(golden, `f64.grad.${group}`);
    const tolerance = expected.dtype === 'F32' ? rounded : exact;
    expectClose(`gradient of ${group}`, results[path]!, numbersOf(expected), tolerance);
  }
};

/** Gradients by kind, levels joined. */
const groupsOf = (golden: HeadCase, results: HeadResults, run: string) => {
  const groups = new Map<string, { actual: number[]; expected: number[] }>();
  for (const [group, path] of gradientPaths(golden.description)) {
    const kind = group.split('.')[0]!;
    const { actual, expected } = groups.get(kind) ?? { actual: [], expected: [] };
    const stored = numbersOf(arrayOf(golden, `${run}.grad.${group}`));
    groups.set(kind, {
      actual: [...actual, ...Array.from(results[path]!)],
      expected: [...expected, ...stored],
    });
  }
  return groups;
};

const expectSingle = (golden: HeadCase, results: HeadResults): void => {
  // Saturated logits: sigma(x) is exactly 1 in single precision, so only a single precision run can be the authority.
  const isExtreme = golden.name.startsWith('e_extreme');
  const run = isExtreme ? 'f32' : 'f64';
  expectLosses(golden, results, `loss_${run}`, { relative: isExtreme ? 1e-4 : 2e-5, absolute: 1e-30 });
  for (const [kind, { actual, expected }] of groupsOf(golden, results, run)) {
    const largest = expected.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    const distance = relativeDistance(actual, expected);
    expect(distance, `gradient of ${kind}: relative distance`).toBeLessThanOrEqual(1e-5);
    expectClose(`gradient of ${kind}`, actual, expected, { relative: 0, absolute: 1e-5 * largest + 1e-30 });
  }
};

/** A backend under test; the precision says which results and tolerances apply. */
export interface GoldenBackend {
  readonly name: string;
  readonly precision: 'f32' | 'f64';
  readonly create: () => Promise<Backend>;
}

/** Declares one test per backend and golden case. */
export const goldenHeadCases = (backends: readonly GoldenBackend[]): void => {
  describe.skipIf(goldenFolder('head') === undefined)('golden head cases', () => {
    for (const { name, precision, create } of backends)
      describe(`${name} ${precision}`, () => {
        let backend: Backend;
        beforeAll(async () => {
          backend = await create();
        });
        afterAll(() => backend.destroy());
        test.for(names)('%s', { timeout: 300_000 }, async (golden) => {
          const given = readGolden<HeadDescription>('head', golden);
          const results = await runHeadCase(given, backend);
          if (precision === 'f64') expectExact(given, results);
          else expectSingle(given, results);
        });
      });
  });
};
