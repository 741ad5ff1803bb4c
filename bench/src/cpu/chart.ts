// The comparison as a picture: one group of horizontal bars per task, theirs / ours on a logarithmic axis.
import type { BenchRun, Row } from '../record.ts';
import { formatRatio } from './report.ts';

const colours: readonly string[] = [
  '#3b6fb6',
  '#8fb3dd',
  '#c9722c',
  '#e6ad7a',
  '#3f8f5f',
  '#7a5aa6',
  '#b04a6a',
  '#666666',
];
const [labelWidth, plotWidth, valueWidth, barHeight, groupGap, top] = [250, 520, 70, 13, 9, 84];
const width = labelWidth + plotWidth + valueWidth;

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

const number = (value: number): string => String(Math.round(value * 100) / 100);

const rect = (x: number, y: number, w: number, h: number, fill: string): string =>
  `<rect x="${number(x)}" y="${number(y)}" width="${number(w)}" height="${number(h)}" fill="${fill}"/>`;

const text = (x: number, y: number, content: string, extra = ''): string =>
  `<text x="${number(x)}" y="${number(y)}"${extra}>${escaped(content)}</text>`;

const line = (x: number, from: number, to: number, stroke: string): string =>
  `<line x1="${number(x)}" y1="${number(from)}" x2="${number(x)}" y2="${number(to)}" stroke="${stroke}"/>`;

interface Axis {
  readonly toX: (ratio: number) => number;
  readonly ticks: readonly number[];
}

/** Whole powers of ten around all ratios and 1. */
const axisOf = (ratios: readonly number[]): Axis => {
  const low = Math.floor(Math.min(...ratios.map(Math.log10), -0.01));
  const high = Math.ceil(Math.max(...ratios.map(Math.log10), 0.01));
  return {
    toX: (ratio) => labelWidth + (plotWidth * (Math.log10(ratio) - low)) / (high - low),
    ticks: Array.from({ length: high - low + 1 }, (_, i) => 10 ** (low + i)),
  };
};

const legend = (names: readonly string[]): string[] =>
  names.flatMap((name, i) => {
    const x = labelWidth + 110 * (i % 5);
    const y = 40 + 16 * Math.floor(i / 5);
    return [rect(x, y - 9, 10, 10, colours[i % colours.length]!), text(x + 15, y, name)];
  });

/** The bars of one task, and the height they take. */
const group = (
  row: Row,
  y: number,
  names: readonly string[],
  { toX }: Axis,
): { marks: string[]; height: number } => {
  const peers = Object.entries(row.peers);
  const height = peers.length * barHeight;
  const threads = row.threads === 1 ? '' : `, ${row.threads} threads`;
  const title = text(
    labelWidth - 8,
    y + height / 2 + 4,
    `${row.name}${threads}`,
    ' text-anchor="end" class="task"',
  );
  const bars = peers.flatMap(([name, { ratio }], i) => {
    const [one, end] = [toX(1), toX(ratio)];
    const barY = y + i * barHeight;
    const bar = rect(
      Math.min(one, end),
      barY + 1,
      Math.max(1, Math.abs(end - one)),
      barHeight - 2,
      colours[names.indexOf(name) % colours.length]!,
    );
    return [
      bar,
      text(Math.max(one, end) + 4, barY + barHeight - 3, `${formatRatio(ratio)}×`, ' class="value"'),
    ];
  });
  return { marks: [title, ...bars], height };
};

/** The picture of a run as SVG text; undefined when no other library took part. */
export const ratioChart = (run: BenchRun): string | undefined => {
  const rows = run.rows.filter(({ peers }) => Object.keys(peers).length > 0);
  if (rows.length === 0) return undefined;
  const names = [...new Set(rows.flatMap(({ peers }) => Object.keys(peers)))];
  const axis = axisOf(rows.flatMap(({ peers }) => Object.values(peers).map(({ ratio }) => ratio)));
  const marks: string[] = [];
  let y = top;
  for (const row of rows) {
    const drawn = group(row, y, names, axis);
    marks.push(...drawn.marks);
    y += drawn.height + groupGap;
  }
  const grid = axis.ticks.flatMap((ratio) => [
    line(axis.toX(ratio), top - 6, y, ratio === 1 ? '#222' : '#ddd'),
    text(axis.toX(ratio), top - 10, `${ratio}×`, ' text-anchor="middle" class="value"'),
  ]);
  const where = `${run.machine.cpu}, ${run.machine.cores} cores, Node ${run.runtime.node}, ${run.date}, commit ${run.commit}`;
  const style =
    'text{font:11px system-ui,sans-serif;fill:#222}.title{font-size:14px;font-weight:600}.value{font-size:10px;fill:#444}';
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${number(y + 18)}" viewBox="0 0 ${width} ${number(y + 18)}">`,
    `<style>${style}</style>`,
    rect(0, 0, width, y + 18, '#fff'),
    text(12, 20, 'Time of other libraries / time of ours: right of 1, ours is faster', ' class="title"'),
    text(12, y + 12, where, ' class="value"'),
    ...legend(names),
    ...grid,
    ...marks,
    '</svg>\n',
  ].join('\n');
};
