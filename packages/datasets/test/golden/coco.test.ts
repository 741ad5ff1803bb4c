// The COCO evaluation against numbers of the COCO toolkit: every coco_*.json of the golden folder, one test per file.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type CocoEvaluationOptions,
  type CocoMetrics,
  type CocoObject,
  evaluateCoco,
} from '@autoassign/datasets';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { goldenRoot } from './root.ts';

const folder = join(goldenRoot(), 'eval');
const isThere = existsSync(folder);
const files = (isThere ? readdirSync(folder).sort() : []).filter((name) => /^coco_.*\.json$/.test(name));

interface GoldenCase {
  readonly images: readonly number[];
  readonly categories: readonly number[];
  readonly annotations: readonly CocoObject[];
  readonly detections: Parameters<typeof evaluateCoco>[1];
  /** Those of cases with the usual options. */
  readonly stat_names?: readonly (keyof CocoMetrics)[];
  readonly options?: CocoEvaluationOptions;
  readonly expected: {
    readonly stats?: readonly (number | null)[];
    readonly per_class?: readonly (Partial<CocoMetrics> & { readonly category_id: number })[];
    readonly shape?: readonly number[];
    readonly recall: readonly (number | null)[];
    /** For all areas and detection limits where the case has options, else for area "all" and 100 detections. */
    readonly precision_sum_over_recall_thresholds: readonly (number | null)[];
  };
}

// A golden folder without this kind of case is complete as it is; one with the kind but no file in it is a mistake.
describe.runIf(isThere)('evaluateCoco equals the COCO toolkit', () => {
  test('there are cases', () => expect(files).not.toEqual([]));

  test.each(files)('%s', (file) => {
    const golden: GoldenCase = JSON.parse(readFileSync(join(folder, file), 'utf8'));
    const result = evaluateCoco(
      {
        images: golden.images.map((id) => ({ id })),
        categories: golden.categories.map((id) => ({ id })),
        annotations: golden.annotations,
      },
      golden.detections,
      golden.options,
    );
    const { expected, stat_names = [] } = golden;
    for (const [i, name] of stat_names.entries())
      expectClose(result.metrics[name], expected.stats?.[i], name);
    for (const row of expected.per_class ?? []) {
      const found = result.perClass.find((entry) => entry.categoryId === row.category_id);
      for (const name of stat_names)
        if (name in row) expectClose(found?.metrics[name], row[name], `${name} of ${row.category_id}`);
    }
    if (expected.shape !== undefined) expect(result.precision.shape).toEqual(expected.shape);
    expect(result.recall.data.length).toBe(expected.recall.length);
    for (const [i, value] of expected.recall.entries())
      expectClose(nullForNaN(result.recall.data[i]), value, `recall ${i}`);
    const sums = precisionSums(result.precision.data, result.precision.shape, golden.options !== undefined);
    expect(sums.length).toBe(expected.precision_sum_over_recall_thresholds.length);
    for (const [i, value] of expected.precision_sum_over_recall_thresholds.entries())
      expectClose(nullForNaN(sums[i]), value, `precision sum ${i}`);
  });
});

describe('the golden folder', () => {
  afterEach(() => vi.unstubAllEnvs());

  test.each(['/no/such/folder', '', join(import.meta.dirname, 'root.ts')])('is not "%s"', (path) => {
    vi.stubEnv('AUTOASSIGN_GOLDEN', path);
    expect(goldenRoot).toThrow(`AUTOASSIGN_GOLDEN: needs a folder, got "${path}"`);
  });
});

/** Sums over the recall values as [threshold, class], or as [threshold, class, area, limit] where all are asked for. */
function precisionSums(data: Float64Array, shape: readonly number[], isOfAll: boolean): number[] {
  const [thresholds = 0, recalls = 0, classes = 0, areas = 0, limits = 0] = shape;
  const sums = new Float64Array(thresholds * classes * areas * limits);
  for (const [i, value] of data.entries()) {
    const t = Math.floor(i / (recalls * classes * areas * limits));
    const rest = i % (classes * areas * limits);
    sums[t * classes * areas * limits + rest]! += value;
  }
  return [...sums].filter((_, i) => isOfAll || i % (areas * limits) === limits - 1);
}

function nullForNaN(value: number | undefined): number | null | undefined {
  return Number.isNaN(value) ? null : value;
}

function expectClose(
  found: number | null | undefined,
  expected: number | null | undefined,
  what: string,
): void {
  if (typeof found !== 'number' || typeof expected !== 'number') expect(found, what).toBe(expected);
  else expect(Math.abs(found - expected), `${what}: ${found}, not ${expected}`).toBeLessThan(1e-9);
}
