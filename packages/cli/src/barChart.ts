// Bar charts as SVG text: how much of each, side by side. They open in any browser and in rendered Markdown.
import { chartSheet, faintInk, gridColour, ink, text } from './chartSheet.ts';
import { lineColours } from './colours.ts';
import type { SvgElement, SvgNode } from './svg.ts';
import { element, formatNumber } from './svg.ts';
import { formatTick, linearTicks } from './ticks.ts';

/** One bar: its name on the axis, and its height. */
export interface Bar {
  readonly name: string;
  readonly value: number;
}

/** A chart: its words and its bars from left to right. */
export interface BarChart {
  readonly title: string;
  /** What the bars are, and what their heights count, with its unit. */
  readonly xLabel: string;
  readonly yLabel: string;
  readonly bars: readonly Bar[];
  /** Bars touch one another, as those of a histogram. */
  readonly isHistogram?: boolean;
  readonly width?: number;
  readonly height?: number;
}

/** About the width of a letter of the names, in any of the fonts. */
const letterWidth = 7.2;
const longestName = 22;
/** A line of slanted names needs this much of the axis. */
const slantedNameWidth = 16;
/** Where there are few bars, wider ones would look like walls. */
const widestBar = 150;
/** Up to this many bars carry their values. */
const mostValues = 16;

/** Where bars land on the paper. */
interface Frame {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  /** The width that each bar may take, gap included. */
  readonly slot: number;
  readonly y: (value: number) => number;
  readonly yTicks: readonly number[];
  /** Whether names stand at a slant because they would not fit side by side. */
  readonly isSlanted: boolean;
}

function shortened(name: string): string {
  const letters = [...name];
  return letters.length <= longestName ? name : `${letters.slice(0, longestName - 1).join('')}…`;
}

function frameOf({ bars, width = 800, height = 420 }: BarChart): Frame {
  const finite = bars.map(({ value }) => value).filter(Number.isFinite);
  const most = finite.reduce((a, b) => Math.max(a, b), 0);
  const least = finite.reduce((a, b) => Math.min(a, b), 0);
  const yTicks = linearTicks(least, most === least ? least + 1 : most, 6);
  const left = 24 + Math.max(40, ...yTicks.map((tick) => 8 + letterWidth * formatTick(tick).length));
  const right = width - 24;
  const slot = (right - left) / Math.max(1, bars.length);
  const lettersOf = ({ name }: Bar): number => [...shortened(name)].length;
  const longest = bars.reduce((length, bar) => Math.max(length, lettersOf(bar)), 0);
  const isSlanted = longest * letterWidth + 6 > slot;
  const frame = {
    left,
    right,
    top: 64,
    bottom: height - 52 - (isSlanted ? 0.65 * letterWidth * longest : 0),
  };
  const [low, high] = [yTicks[0] ?? 0, yTicks.at(-1) ?? 1];
  const y = (value: number): number =>
    frame.bottom - ((value - low) / (high - low)) * (frame.bottom - frame.top);
  return { ...frame, slot, y, yTicks, isSlanted };
}

function line(x1: number, y1: number, x2: number, y2: number, stroke: string): SvgElement {
  return element('line', { x1, y1, x2, y2, stroke });
}

function drawAxes({ xLabel, yLabel, height = 420 }: BarChart, frame: Frame): readonly SvgNode[] {
  const { left, right, top, bottom } = frame;
  const middle = (top + bottom) / 2;
  return [
    ...frame.yTicks.flatMap((tick) => [
      line(left, frame.y(tick), right, frame.y(tick), gridColour),
      text(formatTick(tick), left - 8, frame.y(tick) + 4.5, { 'text-anchor': 'end' }),
    ]),
    text(xLabel, (left + right) / 2, height - 10, { 'text-anchor': 'middle' }),
    text(yLabel, 18, middle, {
      'text-anchor': 'middle',
      transform: `rotate(-90 18 ${formatNumber(middle)})`,
    }),
  ];
}

/** The names of the bars, as many of them as there is room for. */
function drawNames(bars: readonly Bar[], frame: Frame): readonly SvgNode[] {
  const every = frame.isSlanted ? Math.max(1, Math.ceil(slantedNameWidth / frame.slot)) : 1;
  return bars.flatMap(({ name }, index) => {
    if (index % every !== 0) return [];
    const [x, y] = [frame.left + (index + 0.5) * frame.slot, frame.bottom + 18];
    if (!frame.isSlanted) return [text(shortened(name), x, y, { 'text-anchor': 'middle' })];
    const turned = `rotate(-40 ${formatNumber(x)} ${formatNumber(y - 4)})`;
    return [text(shortened(name), x, y - 4, { 'text-anchor': 'end', transform: turned })];
  });
}

function drawBars({ bars, isHistogram = false }: BarChart, frame: Frame): readonly SvgNode[] {
  const room = isHistogram ? Math.min(1, 0.1 * frame.slot) : 0.28 * frame.slot;
  const gap = Math.max(room, frame.slot - widestBar);
  const zero = frame.y(0);
  return bars.flatMap(({ name, value }, index) => {
    if (!Number.isFinite(value)) return [];
    const x = frame.left + index * frame.slot + gap / 2;
    const top = Math.min(zero, frame.y(value));
    const size = { width: frame.slot - gap, height: Math.abs(frame.y(value) - zero) };
    const bar = element('rect', { x, y: top, ...size, fill: lineColours[0] ?? ink }, [
      element('title', {}, [`${name}: ${formatTick(value)}`]),
    ]);
    if (bars.length > mostValues) return [bar];
    const above = text(formatTick(value), x + size.width / 2, top - 5, {
      'text-anchor': 'middle',
      'font-size': 12,
      fill: ink,
    });
    return [bar, above];
  });
}

/**
 * The SVG text of a bar chart on a light card that reads well on light and dark pages; values that are not finite get no bar.
 *
 * Example  barChart({ title: 'Objects', xLabel: 'class', yLabel: 'objects', bars: [{ name: 'RBC', value: 4155 }] })
 */
export function barChart(chart: BarChart): string {
  const { title, width = 800, height = 420 } = chart;
  const frame = frameOf(chart);
  return chartSheet({ title, width, height, left: frame.left }, [
    ...drawAxes(chart, frame),
    ...drawBars(chart, frame),
    line(frame.left, frame.y(0), frame.right, frame.y(0), faintInk),
    ...drawNames(chart.bars, frame),
  ]);
}
