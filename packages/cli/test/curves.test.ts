// Confusion, precision and recall, and centre priors: counted and drawn as they are.
import type { CocoEvaluation, Dataset, ImageRecord } from '@autoassign/datasets';
import type { Detections } from '@autoassign/detector';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { confusionOf } from '../src/confusion.ts';
import { confusionChart } from '../src/confusionChart.ts';
import { precisionRecallChart } from '../src/precisionRecallChart.ts';
import { priorChart } from '../src/priorLog.ts';

type Box = readonly [number, number, number, number];

const annotation = (box: Box, label: number, isCrowd = false): ImageRecord['annotations'][number] => ({
  id: 1,
  box,
  size: [box[2] - box[0], box[3] - box[1]],
  label,
  area: 100,
  isCrowd,
  isIgnored: false,
  isDifficult: false,
  isTruncated: false,
});

const records: readonly (readonly ReturnType<typeof annotation>[])[] = [
  [annotation([0, 0, 10, 10], 0), annotation([50, 50, 60, 60], 1), annotation([80, 0, 99, 30], 0, true)],
  [annotation([0, 0, 20, 20], 1)],
];
const dataset = {
  classes: ['cat', 'dog'],
  length: 2,
  record: (i: number) => ({ id: i, file: `${i}.png`, width: 99, height: 99, annotations: records[i] ?? [] }),
} as unknown as Dataset;

const found = (...rows: readonly (readonly [box: Box, score: number, label: number])[]): Detections => ({
  boxes: Float32Array.from(rows.flatMap(([box]) => box)),
  scores: Float32Array.from(rows, ([, score]) => score),
  labels: Int32Array.from(rows, ([, , label]) => label),
});

const detections = [
  found(
    [[0, 0, 10, 9], 0.6, 1],
    [[1, 0, 10, 10], 0.9, 0],
    [[50, 50, 60, 60], 0.2, 1],
    [[70, 70, 80, 80], 0.5, 0],
  ),
  found([[0, 0, 20, 19], 0.4, 0]),
];

describe('the confusion of classes', () => {
  it('gives an object to the best detection, and counts what is left on either side', () => {
    const { names, counts } = confusionOf(dataset, detections);
    expect(names).toEqual(['cat', 'dog', 'background']);
    expect(counts).toEqual([
      [1, 0, 0],
      [1, 0, 1],
      [1, 1, 0],
    ]);
  });

  it('counts every object once in its row, and every detection above the score once in its column', () => {
    const { counts } = confusionOf(dataset, detections, { scoreThreshold: 0.1 });
    const objects = counts.slice(0, -1).flat();
    const columns = counts.flatMap((row) => row.slice(0, -1));
    expect(objects.reduce((sum, n) => sum + n, 0)).toBe(3);
    expect(columns.reduce((sum, n) => sum + n, 0)).toBe(5);
  });

  it('is drawn for two classes with numbers, and for eighty without', async () => {
    const chart = confusionChart(confusionOf(dataset, detections));
    expect(chart).toContain('dog as cat: 1');
    expect(chart).toMatch(/>background<\/text>/);
    const names = Array.from({ length: 81 }, (_, i) => `class <${i}>`);
    const counts = names.map(() => names.map((_, i) => i % 3));
    const many = confusionChart({ names, counts, scoreThreshold: 0.3, iouThreshold: 0.5 });
    expect(many).toContain('class &lt;0&gt; as class &lt;1&gt;: 1');
    for (const svg of [chart, many])
      expect((await sharp(Buffer.from(svg)).metadata()).width).toBeGreaterThan(500);
  });
});

it('precision and recall are those of IoU 0.5, of the classes with the most objects and of all', () => {
  const recalls = [0, 0.5, 1];
  const data = new Float64Array(2 * 3 * 2 * 2 * 2).fill(Number.NaN);
  const put = (recall: number, classIndex: number, value: number): void => {
    data[((0 * 3 + recall) * 2 + classIndex) * 4 + 1] = value; // area 'all' is the first, the largest limit the last
  };
  for (const [recall, values] of [
    [1, 0.5],
    [0.8, 0.25],
    [0.4, 0],
  ].entries())
    for (const [classIndex, value] of values.entries()) put(recall, classIndex, value);
  const axes = {
    iouThresholds: [0.5, 0.75],
    recalls,
    categoryIds: [1, 2],
    areas: ['all', 'small'],
    maxDetections: [1, 100],
  };
  const metrics = {} as CocoEvaluation['metrics'];
  const perClass = [
    { categoryId: 1, name: 'cat', objects: 3, metrics },
    { categoryId: 2, name: 'dog', objects: 9, metrics },
  ];
  const empty = { data: new Float64Array(), shape: [] };
  const svg = precisionRecallChart({
    metrics,
    perClass,
    precision: { data, shape: [2, 3, 2, 2, 2] },
    recall: empty,
    axes,
  });
  // the legend states the means
  expect(svg).toContain('>all classes AP 49.2<');
  expect(svg).toContain('>cat AP 73.3<');
  expect(svg.indexOf('>dog AP 25.0<')).toBeLessThan(svg.indexOf('>cat AP 73.3<'));
});

it('centre priors are ellipses in strides, one per class and evaluation, at one scale', () => {
  const record = (step: number, sigma: number): { step: number } & Record<string, unknown> => ({
    step,
    mean: [
      [0, 0.5],
      [0, 0],
    ],
    sigma: [
      [sigma, 1],
      [1, 1],
    ],
  });
  const svg = priorChart([record(1, 1), record(2, 2), { step: 3 }], ['cat', 'dog']);
  const radii = [...svg.matchAll(/rx="([\d.]+)" ry="([\d.]+)" fill="none"/g)].map(([, x, y]) => [
    Number(x),
    Number(y),
  ]);
  expect(radii).toHaveLength(4);
  const [[first = 0] = [], [second = 0, down = 0] = []] = radii;
  expect(second / first).toBeCloseTo(2, 3);
  expect(second / down).toBeCloseTo(2, 3);
  expect(svg).toContain('half a side is 2 strides');
});
