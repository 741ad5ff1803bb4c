// Line charts as SVG text: losses over steps, AP over steps. They open in any browser and in rendered Markdown.
import { chartSheet, faintInk, gridColour, ink, paper, text } from './chartSheet.ts';
import { lineColours } from './colours.ts';
import type { Point, SvgElement, SvgNode } from './svg.ts';
import { element, formatNumber, linePath } from './svg.ts';
import { formatTick, linearTicks, logTicks } from './ticks.ts';

/** One line of a chart. */
interface Series {
  readonly name: string;
  readonly points: readonly Point[];
  /** Draws the points thin and their running mean over this many points thick. */
  readonly smoothing?: number;
  /** Marks every point with a dot, for lines of few points. */
  readonly dots?: boolean;
  /** What the legend states behind the name; the value at the end unless given. */
  readonly value?: string;
}

/** A chart: its words, its lines and how high values are spread. */
export interface LineChart {
  readonly title: string;
  /** What runs along each axis, with its unit. */
  readonly xLabel: string;
  readonly yLabel: string;
  readonly series: readonly Series[];
  /** `log` leaves out values that are not above 0. */
  readonly yScale?: 'linear' | 'log';
  readonly width?: number;
  readonly height?: number;
}

/** Where values land on the paper, and the ticks of both axes. */
interface Frame {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
  readonly xTicks: readonly number[];
  readonly yTicks: readonly number[];
}

/** More points than this on one line cannot be told apart. */
const mostPoints = 1000;

/** The running mean of each point's neighbours, half the window to either side, less at the ends. */
export function smooth(points: readonly Point[], window: number): readonly Point[] {
  const finite = points.filter(([, y]) => Number.isFinite(y));
  const half = Math.floor(window / 2);
  const sums = [0];
  for (const [, y] of finite) sums.push((sums.at(-1) ?? 0) + y);
  return finite.map(([x], index) => {
    const [from, to] = [Math.max(0, index - half), Math.min(finite.length, index + half + 1)];
    return [x, ((sums[to] ?? 0) - (sums[from] ?? 0)) / (to - from)];
  });
}

/** At most about `limit` points that keep every stretch's lowest and highest value. */
export function thin(points: readonly Point[], limit: number): readonly Point[] {
  if (points.length <= limit) return points;
  const stretch = Math.ceil((2 * points.length) / limit);
  const kept: Point[] = [];
  for (let start = 0; start < points.length; start += stretch) {
    const part = points.slice(start, start + stretch);
    const [low, high] = extent(part.map(([, y]) => y).filter(Number.isFinite)) ?? [];
    const lowest = part.findIndex(([, y]) => y === low);
    const highest = part.findIndex(([, y]) => y === high);
    const chosen = low === undefined ? [0] : [...new Set([lowest, highest])].sort((a, b) => a - b);
    kept.push(...chosen.flatMap((index) => (part[index] ? [part[index]] : [])));
  }
  return kept;
}

function extent(values: readonly number[]): readonly [least: number, most: number] | undefined {
  if (values.length === 0) return undefined;
  return values.reduce<[number, number]>(
    ([least, most], value) => [Math.min(least, value), Math.max(most, value)],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  );
}

function isShown([x, y]: Point, isLog: boolean): boolean {
  return Number.isFinite(x) && Number.isFinite(y) && (!isLog || y > 0);
}

function frameOf({ series, yScale, width = 800, height = 420 }: LineChart): Frame {
  const isLog = yScale === 'log';
  const shown = series.flatMap(({ points }) => points.filter((point) => isShown(point, isLog)));
  const [xLeast, xMost] = extent(shown.map(([x]) => x)) ?? [0, 1];
  const [yLeast, yMost] = extent(shown.map(([, y]) => y)) ?? (isLog ? [0.1, 1] : [0, 1]);
  const xTicks = linearTicks(Math.min(0, xLeast), xMost, 7);
  // Heights start at 0, so that they can be compared.
  const yTicks = isLog ? logTicks(yLeast, yMost) : linearTicks(Math.min(0, yLeast), yMost, 6);
  const frame = { left: 64, right: width - 24, top: 76, bottom: height - 52 };
  const place = (ticks: readonly number[], from: number, to: number, map: (value: number) => number) => {
    const [low, high] = [map(ticks[0] ?? 0), map(ticks.at(-1) ?? 1)];
    return (value: number): number => from + ((map(value) - low) / (high - low)) * (to - from);
  };
  return {
    ...frame,
    xTicks,
    yTicks,
    x: place(xTicks, frame.left, frame.right, (value) => value),
    y: place(yTicks, frame.bottom, frame.top, isLog ? Math.log10 : (value) => value),
  };
}

function drawAxes(chart: LineChart, frame: Frame): readonly SvgNode[] {
  const { left, right, top, bottom } = frame;
  const line = (x1: number, y1: number, x2: number, y2: number, stroke: string): SvgElement =>
    element('line', { x1, y1, x2, y2, stroke });
  const middle = (top + bottom) / 2;
  return [
    ...frame.yTicks.flatMap((tick) => [
      line(left, frame.y(tick), right, frame.y(tick), gridColour),
      text(formatTick(tick), left - 8, frame.y(tick) + 4.5, { 'text-anchor': 'end' }),
    ]),
    ...frame.xTicks.flatMap((tick) => [
      line(frame.x(tick), bottom, frame.x(tick), bottom + 5, faintInk),
      text(formatTick(tick), frame.x(tick), bottom + 20, { 'text-anchor': 'middle' }),
    ]),
    line(left, bottom, right, bottom, faintInk),
    text(chart.xLabel, (left + right) / 2, bottom + 42, { 'text-anchor': 'middle' }),
    text(chart.yLabel, 18, middle, {
      'text-anchor': 'middle',
      transform: `rotate(-90 18 ${formatNumber(middle)})`,
    }),
  ];
}

function drawSeries(series: Series, colour: string, frame: Frame, isLog: boolean): readonly SvgNode[] {
  const path = (points: readonly Point[], width: number, opacity: number): SvgElement => {
    const placed = points.map(
      (point): Point =>
        isShown(point, isLog) ? [frame.x(point[0]), frame.y(point[1])] : [Number.NaN, Number.NaN],
    );
    const line = { fill: 'none', stroke: colour, 'stroke-width': width, opacity, 'stroke-linejoin': 'round' };
    return element('path', { d: linePath(placed), ...line });
  };
  const lines =
    series.smoothing === undefined
      ? [path(thin(series.points, mostPoints), 2.2, 1)]
      : [
          path(thin(series.points, mostPoints), 1, 0.3),
          path(thin(smooth(series.points, series.smoothing), mostPoints), 2.4, 1),
        ];
  const dots = series.points
    .filter((point) => series.dots === true && isShown(point, isLog))
    .map(([x, y]) =>
      element('circle', {
        cx: frame.x(x),
        cy: frame.y(y),
        r: 4,
        fill: colour,
        stroke: paper,
        'stroke-width': 1.5,
      }),
    );
  return [...lines, ...dots];
}

/** The value that the drawn line ends with, as the legend states it. */
function lastValue({ points, smoothing }: Series): string {
  const drawn = smoothing === undefined ? points : smooth(points, smoothing);
  const last = drawn.findLast(([, y]) => Number.isFinite(y));
  return last === undefined ? '' : ` ${Number(last[1].toPrecision(3))}`;
}

function drawLegend(series: readonly Series[], frame: Frame): readonly SvgNode[] {
  let x = frame.left;
  return series.flatMap((one, index) => {
    const words = `${one.name}${one.value === undefined ? lastValue(one) : ` ${one.value}`}`;
    const at = x;
    x += 34 + 7.6 * words.length; // wide enough for any of the fonts
    const stroke = lineColours[index % lineColours.length] ?? ink;
    return [
      element('line', {
        x1: at,
        y1: 55,
        x2: at + 18,
        y2: 55,
        stroke,
        'stroke-width': 3,
        'stroke-linecap': 'round',
      }),
      text(words, at + 24, 59.5, { fill: ink }),
    ];
  });
}

/**
 * The SVG text of a line chart on a light card that reads well on light and dark pages.
 *
 * Example  lineChart({ title: 'AP', xLabel: 'step', yLabel: 'AP', series: [{ name: 'AP', points, dots: true }] })
 */
export function lineChart(chart: LineChart): string {
  const { title, series, width = 800, height = 420 } = chart;
  const frame = frameOf(chart);
  const isLog = chart.yScale === 'log';
  const lines = series.flatMap((one, index) =>
    drawSeries(one, lineColours[index % lineColours.length] ?? ink, frame, isLog),
  );
  return chartSheet({ title, width, height, left: frame.left }, [
    ...drawAxes(chart, frame),
    ...lines,
    ...drawLegend(series, frame),
  ]);
}
