// How the centre priors move while a detector is trained: a line per evaluation in `priors.jsonl`, drawn as ellipses.
import type { DetectorConfig, Params } from '@autoassign/detector';
import { read } from '@autoassign/tensor';
import { chartSheet, gridColour, text } from './chartSheet.ts';
import { viridis } from './colours.ts';
import type { MetricsRecord } from './metrics.ts';
import type { Point, SvgElement, SvgNode } from './svg.ts';
import { element } from './svg.ts';

/** The centre priors of all classes after a step, in strides of whichever level they are used on. */
export interface PriorRecord extends MetricsRecord {
  readonly mean: readonly Point[];
  readonly sigma: readonly Point[];
}

/** Whether the loss of a configuration has centre priors that are learned. */
export function learnsPriors({ loss }: DetectorConfig): boolean {
  return loss.kind === undefined || loss.kind === 'autoassign';
}

/** The rows of an array f32[K,2]. */
function pairsOf(values: ArrayLike<number>): readonly Point[] {
  return Array.from(
    { length: values.length / 2 },
    (_, row): Point => [values[2 * row] ?? 0, values[2 * row + 1] ?? 0],
  );
}

/** The line of the priors of a detector after a step. */
export async function priorRecord(step: number, { bbox_head }: Params): Promise<PriorRecord> {
  const { mean, sigma } = bbox_head.center_prior;
  return { step, mean: pairsOf(await read(mean)), sigma: pairsOf(await read(sigma)) };
}

const mostClasses = 12;
const columns = 4;
const [panel, gap, top] = [190, 12, 84];

function isPriorRecord(record: MetricsRecord): record is PriorRecord {
  return Array.isArray(record.mean) && Array.isArray(record.sigma);
}

/** How far from the origin any ellipse reaches, in strides. */
function reachOf(records: readonly PriorRecord[]): number {
  let reach = 1;
  for (const { mean, sigma } of records)
    for (const [i, [x, y]] of mean.entries()) {
      const [across = 1, down = 1] = sigma[i] ?? [];
      reach = Math.max(reach, Math.abs(x) + across, Math.abs(y) + down);
    }
  return reach;
}

/** One class's ellipses, later ones lighter, around the centre of its objects. */
function drawPanel(
  records: readonly PriorRecord[],
  label: number,
  reach: number,
  [left, above]: Point,
): SvgNode[] {
  const [middleX, middleY] = [left + panel / 2, above + panel / 2];
  const scale = (panel / 2 - 8) / reach;
  const ellipses = records.flatMap(({ mean, sigma, step }, i): SvgElement[] => {
    const [[x, y] = [0, 0], [rx, ry] = [1, 1]] = [mean[label], sigma[label]];
    const stroke = viridis(records.length === 1 ? 0 : (0.9 * i) / (records.length - 1));
    const place = { cx: middleX + x * scale, cy: middleY + y * scale };
    const line = { fill: 'none', stroke, 'stroke-width': i === records.length - 1 ? 2.4 : 1.2 };
    const radii = { rx: Math.abs(rx) * scale, ry: Math.abs(ry) * scale };
    return [
      element('ellipse', { ...place, ...radii, ...line }, [element('title', {}, [`step ${step}`])]),
      element('circle', { ...place, r: 1.6, fill: stroke }),
    ];
  });
  const axis = (x1: number, y1: number, x2: number, y2: number): SvgElement =>
    element('line', { x1, y1, x2, y2, stroke: gridColour });
  return [
    element('rect', { x: left, y: above, width: panel, height: panel, fill: 'none', stroke: gridColour }),
    axis(left, middleY, left + panel, middleY),
    axis(middleX, above, middleX, above + panel),
    ...ellipses,
  ];
}

/**
 * The SVG text of the centre priors over training: for up to twelve classes their mean and one sigma around the centre of the objects,
 * from dark (early) to light (late), all at one scale.
 */
export function priorChart(lines: readonly MetricsRecord[], classes: readonly string[]): string {
  const records = lines.filter(isPriorRecord);
  const shown = classes.slice(0, mostClasses);
  const reach = reachOf(records);
  const panels = shown.flatMap((name, label) => {
    const left = 24 + (label % columns) * (panel + gap);
    const above = top + Math.floor(label / columns) * (panel + gap + 20);
    return [text(name, left, above - 6), ...drawPanel(records, label, reach, [left, above])];
  });
  const width = 24 + Math.min(columns, Math.max(2, shown.length)) * (panel + gap) + 12;
  const height = top + Math.ceil(shown.length / columns) * (panel + gap + 20) + 8;
  const more =
    classes.length > shown.length ? `; the first ${shown.length} of ${classes.length} classes` : '';
  const words = `mean and one sigma around the centre of the object, dark to light with time; half a side is ${Number(reach.toPrecision(3))} strides${more}`;
  return chartSheet({ title: 'Centre priors over training', width, height, left: 24 }, [
    text(words, 24, 54, { 'font-size': 11 }),
    ...panels,
  ]);
}
