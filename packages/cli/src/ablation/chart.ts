// The chart of an ablation as SVG text: a line per variant with a dot for every run, and the mean with its 95 % interval.
import { chartSheet, faintInk, gridColour, ink, text } from '../chartSheet.ts';
import { lineColours } from '../colours.ts';
import type { SvgNode } from '../svg.ts';
import { element } from '../svg.ts';
import { formatTick, linearTicks } from '../ticks.ts';
import type { Spread } from './statistics.ts';
import { tQuantile } from './statistics.ts';
import type { RunScores, VariantRow } from './table.ts';

const width = 800;
const rowHeight = 30;
const top = 60;
const left = 170;
const right = width - 28;

/** Where a mean lies with 95 %, in points; undefined for a single run. */
function intervalOf({ mean, deviation, count }: Spread): readonly [number, number] | undefined {
  if (deviation === undefined) return undefined;
  const reach = (tQuantile(count - 1) * deviation) / Math.sqrt(count);
  return [100 * (mean - reach), 100 * (mean + reach)];
}

interface Scale {
  readonly ticks: readonly number[];
  readonly x: (points: number) => number;
}

function scaleOf(runs: readonly RunScores[]): Scale {
  const values = runs.map(({ ap }) => 100 * ap);
  const [least, most] = values.length === 0 ? [0, 1] : [Math.min(...values), Math.max(...values)];
  // Room for intervals; those of few runs may be wider than all that is known, and are cut at the edges.
  const room = Math.max(1, 0.3 * (most - least));
  const ticks = linearTicks(Math.max(0, least - room), Math.min(100, most + room), 8);
  const [low, high] = [ticks[0] ?? 0, ticks.at(-1) ?? 1];
  const within = (value: number): number => Math.min(high, Math.max(low, value));
  return { ticks, x: (value) => left + ((within(value) - low) / (high - low)) * (right - left) };
}

function drawRow(row: VariantRow, y: number, own: readonly RunScores[], { x }: Scale): readonly SvgNode[] {
  const colour = lineColours[0] ?? ink;
  const name = text(row.variant, left - 12, y + 4.5, { 'text-anchor': 'end', fill: ink });
  if (own.length === 0) return [name];
  const interval = intervalOf(row.ap);
  const range =
    interval === undefined
      ? []
      : [
          element('line', {
            x1: x(interval[0]),
            y1: y,
            x2: x(interval[1]),
            y2: y,
            stroke: colour,
            'stroke-width': 2,
            opacity: 0.5,
          }),
        ];
  const dots = own.map(({ ap, seed }) =>
    element('circle', { cx: x(100 * ap), cy: y, r: 3.5, fill: faintInk, opacity: 0.7 }, [
      element('title', {}, [`${row.variant}, seed ${seed}: ${formatTick(100 * ap)}`]),
    ]),
  );
  const at = x(100 * row.ap.mean);
  const mean = element('line', { x1: at, y1: y - 8, x2: at, y2: y + 8, stroke: colour, 'stroke-width': 3 });
  return [name, ...range, mean, ...dots];
}

/** The SVG text of the chart of all runs of an ablation. */
export function ablationChart(rows: readonly VariantRow[], runs: readonly RunScores[]): string {
  const scale = scaleOf(runs);
  const bottom = top + rowHeight * rows.length;
  const height = bottom + 56;
  const grid = scale.ticks.flatMap((tick) => [
    element('line', { x1: scale.x(tick), y1: top, x2: scale.x(tick), y2: bottom, stroke: gridColour }),
    text(formatTick(tick), scale.x(tick), bottom + 18, { 'text-anchor': 'middle' }),
  ]);
  const lines = rows.flatMap((row, index) =>
    drawRow(
      row,
      top + rowHeight * (index + 0.5),
      runs.filter(({ variant }) => variant === row.variant),
      scale,
    ),
  );
  const caption = text(
    'AP in points: runs, their mean and its 95 % interval, cut at the edges',
    (left + right) / 2,
    bottom + 42,
    {
      'text-anchor': 'middle',
    },
  );
  return chartSheet({ title: 'AP of the variants', width, height, left: 24 }, [...grid, ...lines, caption]);
}
