// What the program says while it works: a progress bar on a terminal, plain lines elsewhere, JSON events
// on standard output when asked for, nothing when told to be quiet.
import type { ProgressState } from './progressText.ts';
import { formatBar, formatLogLine, smoothRate } from './progressText.ts';

/** A stream that text is written to; `process.stdout` and `process.stderr` are two. */
export interface OutputStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** An event for machines: its name and any further fields that JSON can hold. */
interface ReportedEvent {
  readonly event: string;
  readonly [field: string]: unknown;
}

/** Counted work that is shown while it goes on. */
export interface Progress {
  /** Shows that `count` of the total is done, with free text such as the loss. */
  readonly update: (count: number, extra?: string) => void;
  /** Ends the display, leaving its last state as a line. */
  readonly finish: () => void;
}

/** What is counted: the label, how many in all, and what the rate shows. */
interface ProgressOptions {
  readonly label: string;
  readonly total: number;
  /** Where counting starts, when part was done in an earlier run. */
  readonly start?: number;
  readonly unit?: string;
  readonly unitsPerCount?: number;
}

/** The one way that verbs speak to the user. */
export interface Reporter {
  /** One line for people, on standard error; not when quiet. */
  readonly message: (text: string) => void;
  /** A result for people, on standard output; not when quiet and not when that stream carries JSON. */
  readonly result: (text: string) => void;
  /** One JSON line on standard output, only under --json. */
  readonly event: (event: ReportedEvent) => void;
  readonly progress: (options: ProgressOptions) => Progress;
  /** Leaves the terminal as it was found; safe to call more than once. */
  readonly close: () => void;
}

/** Where a reporter writes and what it was told on the command line. */
export interface ReporterOptions {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly json?: true | undefined;
  readonly quiet?: true | undefined;
  /** Milliseconds on any steady clock. */
  readonly now?: () => number;
}

const redrawMilliseconds = 100;
const logShare = 0.05;
const shortestLogMilliseconds = 2_000;
const longestLogMilliseconds = 30_000;
const clearLine = '\r\u001b[2K';

/** How one kind of stream shows progress: each new state, and the last one. */
interface Display {
  readonly show: (state: ProgressState) => void;
  readonly end: (state: ProgressState) => void;
}

/**
 * A display that rewrites the last terminal line; `open` holds what the reporter must erase before other text.
 * The cursor is never hidden, so a process that dies at once leaves nothing to repair.
 */
function terminalDisplay(stream: OutputStream, colours: boolean, now: () => number, open: OpenLine): Display {
  let drawnAt = Number.NEGATIVE_INFINITY;
  const line = (state: ProgressState): string =>
    // a terminal that does not know its width says 0
    formatBar(state, { width: Math.max(1, (stream.columns || 80) - 1), colours });
  return {
    show: (state) => {
      if (now() - drawnAt < redrawMilliseconds) return;
      drawnAt = now();
      open.text = line(state);
      stream.write(clearLine + open.text);
    },
    end: (state) => {
      stream.write(`${clearLine}${line(state)}\n`);
      open.text = undefined;
    },
  };
}

/** A display of plain lines: one per 5 % but not within 2 s of the last, one per 30 s at least, and the end. */
function logDisplay(stream: OutputStream, now: () => number): Display {
  let last: { readonly at: number; readonly count: number } | undefined;
  let written = '';
  const write = (state: ProgressState): void => {
    const line = formatLogLine(state);
    if (line !== written) stream.write(`${line}\n`);
    written = line;
  };
  return {
    show: (state) => {
      const waited = last === undefined ? 0 : now() - last.at;
      const advanced = state.count - (last?.count ?? state.count);
      const isStep = advanced >= logShare * state.total && waited >= shortestLogMilliseconds;
      if (last !== undefined && !isStep && waited < longestLogMilliseconds) return;
      if (last !== undefined) write(state);
      last = { at: now(), count: state.count };
    },
    end: write,
  };
}

const noDisplay: Display = { show: () => undefined, end: () => undefined };

/** The unfinished terminal line, if one is on the screen. */
interface OpenLine {
  text: string | undefined;
}

function startProgress(options: ProgressOptions, display: Display, now: () => number): Progress {
  let state: ProgressState = {
    label: options.label,
    count: options.start ?? 0,
    total: options.total,
    unit: options.unit ?? 'items',
    unitsPerCount: options.unitsPerCount ?? 1,
    extra: '',
  };
  let countedAt = now();
  let isOver = false;
  display.show(state);
  return {
    update: (count, extra = state.extra) => {
      if (isOver) return;
      const seconds = (now() - countedAt) / 1000;
      const isNews = count > state.count && seconds > 0;
      const rate = isNews ? smoothRate(state.countsPerSecond, count - state.count, seconds) : undefined;
      if (isNews) countedAt = now();
      state = { ...state, count, extra, ...(rate === undefined ? {} : { countsPerSecond: rate }) };
      display.show(state);
    },
    finish: () => {
      if (!isOver) display.end(state);
      isOver = true;
    },
  };
}

/**
 * A reporter for the given streams: a bar when standard error is a terminal that can move its cursor, plain lines when not.
 *
 * Example  const training = reporter.progress({ label: 'train', total: 2400, unit: 'images', unitsPerCount: 4 })
 */
export function createReporter(options: ReporterOptions): Reporter {
  const { stdout, stderr, environment } = options;
  const now = options.now ?? performance.now.bind(performance);
  const isTerminal = stderr.isTTY === true && environment.TERM !== 'dumb';
  const colours = isTerminal && !environment.NO_COLOR;
  const open: OpenLine = { text: undefined };
  const running = new Set<Progress>();
  /** Writes below the bar's line: the bar is erased, the text takes its place, the bar comes back under it. */
  const writeAround = (stream: OutputStream, text: string): void => {
    if (open.text !== undefined) stderr.write(clearLine);
    stream.write(text);
    if (open.text !== undefined) stderr.write(open.text);
  };
  return {
    message: (text) => {
      if (!options.quiet) writeAround(stderr, `${text}\n`);
    },
    result: (text) => {
      if (!options.quiet && !options.json) writeAround(stdout, `${text}\n`);
    },
    event: (event) => {
      if (options.json) writeAround(stdout, `${JSON.stringify(event)}\n`);
    },
    progress: (progressOptions) => {
      const shown = isTerminal ? terminalDisplay(stderr, colours, now, open) : logDisplay(stderr, now);
      const progress = startProgress(progressOptions, options.quiet ? noDisplay : shown, now);
      const finish = (): void => {
        running.delete(progress);
        progress.finish();
      };
      running.add(progress);
      return { update: progress.update, finish };
    },
    close: () => {
      for (const progress of running) progress.finish();
      running.clear();
    },
  };
}
