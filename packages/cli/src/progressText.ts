// How progress looks as text: pure functions from a state to one line, for terminals and for logs.

/** How far some counted work has come. */
export interface ProgressState {
  readonly label: string;
  readonly count: number;
  readonly total: number;
  /** Counts per second, smoothed; absent until two counts were seen. */
  readonly countsPerSecond?: number;
  /** What the shown rate counts, for instance 4 `images` per step. */
  readonly unit: string;
  readonly unitsPerCount: number;
  /** Free text at the end of the line, such as `loss 0.72`. */
  readonly extra: string;
}

/** The shape of a progress line: columns it may take, whether it may use colours. */
export interface LineStyle {
  readonly width: number;
  readonly colours: boolean;
}

const narrowestBar = 8;
const widestBar = 40;
const cyan = '\u001b[36m';
const dim = '\u001b[2m';
const plain = '\u001b[0m';

/**
 * A duration as `0:42`, `12:05` or `1:02:03`.
 *
 * Units    seconds
 */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '?';
  const whole = Math.max(0, Math.round(seconds));
  const two = (value: number): string => String(value).padStart(2, '0');
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}:${two(whole % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
}

/** A rate with about three significant digits and its unit, such as `38.2 images/s`. */
function formatRate(perSecond: number, unit: string): string {
  const digits = perSecond >= 100 ? 0 : perSecond >= 10 ? 1 : 2;
  return `${perSecond.toFixed(digits)} ${unit}/s`;
}

/** Seconds until the count reaches the total at the present rate; absent while the rate is unknown. */
export function secondsLeft({ count, total, countsPerSecond }: ProgressState): number | undefined {
  if (countsPerSecond === undefined || countsPerSecond <= 0) return undefined;
  return Math.max(0, total - count) / countsPerSecond;
}

/**
 * The rate after one more observation: an exponential mean over about `memory` seconds.
 *
 * Units    counts per second; seconds
 */
export function smoothRate(
  previous: number | undefined,
  counts: number,
  seconds: number,
  memory = 8,
): number {
  const latest = counts / Math.max(seconds, 1e-6);
  if (previous === undefined) return latest;
  const share = 1 - Math.exp(-seconds / memory);
  return previous + share * (latest - previous);
}

function fractionDone({ count, total }: ProgressState): number {
  return total <= 0 ? 1 : Math.min(1, Math.max(0, count / total));
}

function bar(width: number, share: number, colours: boolean): string {
  const full = Math.round(width * share);
  const [done, left] = ['━'.repeat(full), '─'.repeat(width - full)];
  return colours ? `${cyan}${done}${plain}${dim}${left}${plain}` : done + left;
}

interface Fields {
  readonly count: string;
  readonly rate: string;
  readonly left: string;
}

function fieldsOf(state: ProgressState): Fields {
  const total = String(state.total);
  const perSecond = state.countsPerSecond;
  const seconds = secondsLeft(state);
  return {
    count: `${String(state.count).padStart(total.length)}/${total}`,
    rate: perSecond === undefined ? '' : formatRate(perSecond * state.unitsPerCount, state.unit),
    left: seconds === undefined || state.count >= state.total ? '' : `${formatDuration(seconds)} left`,
  };
}

/**
 * One terminal line: label, bar, count, rate, time left and extra text, never wider than `width` columns.
 * Where room is short the bar shrinks first, then the extra text, the rate and the bar are left out in this order.
 *
 * Example  train  ━━━━━━━━────────  1200/2400  38.2 images/s  2:05 left  loss 0.72
 */
export function formatBar(state: ProgressState, { width, colours }: LineStyle): string {
  const { count, rate, left } = fieldsOf(state);
  const choices = [
    [count, rate, left, state.extra],
    [count, rate, left],
    [count, left],
  ].map((fields) => fields.filter((field) => field !== '').join('  '));
  for (const text of choices) {
    const room = width - state.label.length - text.length - 4;
    if (room < narrowestBar) continue;
    return `${state.label}  ${bar(Math.min(room, widestBar), fractionDone(state), colours)}  ${text}`;
  }
  return `${state.label} ${count} ${left}`.trimEnd().slice(0, Math.max(0, width));
}

/**
 * One line for a log, without colours or cursor movement.
 *
 * Example  train 1200/2400 (50%), 38.2 images/s, 2:05 left, loss 0.72
 */
export function formatLogLine(state: ProgressState): string {
  const { rate, left } = fieldsOf(state);
  const head = `${state.label} ${state.count}/${state.total} (${Math.floor(100 * fractionDone(state))}%)`;
  return [head, rate, left, state.extra].filter((field) => field !== '').join(', ');
}
