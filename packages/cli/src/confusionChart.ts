// The confusion of classes as a chart: rows are what objects are, columns what they were taken for.
import { chartSheet, faintInk, gridColour, ink, text } from './chartSheet.ts';
import { textColourOn, viridis } from './colours.ts';
import type { Confusion } from './confusion.ts';
import type { SvgElement, SvgNode } from './svg.ts';
import { element, formatNumber } from './svg.ts';

/** Up to so many classes have names and numbers; more are cells alone. */
const mostNamed = 24;
const longestName = 14;

const shortened = (name: string): string =>
  name.length <= longestName ? name : `${name.slice(0, longestName - 1)}…`;

/** The share of a row's objects, or of all detections of nothing, in 0..1. */
function sharesOf(row: readonly number[]): readonly number[] {
  const sum = row.reduce((total, value) => total + value, 0);
  return row.map((value) => (sum === 0 ? 0 : value / sum));
}

/**
 * The SVG text of a confusion: a row's colours are the shares of its objects, the numbers how many they are.
 *
 * Example  await writeFileAtomic('confusion.svg', confusionChart(confusionOf(dataset, detections)))
 */
export function confusionChart({ names, counts, scoreThreshold, iouThreshold }: Confusion): string {
  const isNamed = names.length <= mostNamed + 1;
  const side = isNamed ? 30 : Math.max(3, Math.floor(640 / names.length));
  const [left, top] = [isNamed ? 132 : 40, 96];
  const extent = names.length * side;
  const cells = counts.flatMap((row, i) => {
    const shares = sharesOf(row);
    return row.flatMap((value, j): SvgElement[] => {
      const fill = value === 0 ? '#ffffff' : viridis(shares[j] ?? 0);
      const place = { x: left + j * side, y: top + i * side };
      const words = `${names[i]} as ${names[j]}: ${value}`;
      const cell = element('rect', { ...place, width: side, height: side, fill, stroke: gridColour }, [
        element('title', {}, [words]),
      ]);
      if (!isNamed || value === 0) return [cell];
      const middle = { 'text-anchor': 'middle', 'font-size': 10, fill: textColourOn(fill) };
      return [cell, text(String(value), place.x + side / 2, place.y + side / 2 + 3.5, middle)];
    });
  });
  const labels = isNamed
    ? names.flatMap((name, i): SvgNode[] => {
        const x = left + i * side + side / 2 + 4;
        const turned = {
          transform: `rotate(-90 ${formatNumber(x)} ${top + extent + 8})`,
          'text-anchor': 'end',
        };
        return [
          text(shortened(name), left - 8, top + i * side + side / 2 + 4.5, { 'text-anchor': 'end' }),
          text(shortened(name), x, top + extent + 8, turned),
        ];
      })
    : [];
  const width = Math.max(left + extent + 24, 560);
  const height = top + extent + (isNamed ? 132 : 44);
  const explanation = `score > ${scoreThreshold}, IoU ≥ ${iouThreshold}; rows: what objects are, columns: what they were taken for`;
  return chartSheet({ title: 'Confusion of classes', width, height, left: 24 }, [
    text(explanation, 24, 56, { fill: ink, 'font-size': 12 }),
    text('last row: detections of nothing; last column: objects not found', 24, 74, {
      'font-size': 12,
      fill: faintInk,
    }),
    ...cells,
    ...labels,
  ]);
}
