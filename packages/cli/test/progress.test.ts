// Progress: what the lines say, how they fit, and which stream gets what.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Reporter } from '../src/progress.ts';
import { createReporter } from '../src/progress.ts';
import type { ProgressState } from '../src/progressText.ts';
import { formatBar, formatDuration, formatLogLine, secondsLeft, smoothRate } from '../src/progressText.ts';
import { recordedStream } from './surroundings.ts';

const escapeCode = '\u001b';
const state: ProgressState = {
  label: 'train',
  count: 1200,
  total: 2400,
  countsPerSecond: 9.6,
  unit: 'images',
  unitsPerCount: 4,
  extra: 'loss 0.72',
};

describe('the text of a line', () => {
  it('shows everything where there is room', () => {
    expect(formatBar(state, { width: 90, colours: false })).toBe(
      `train  ${'━'.repeat(18)}${'─'.repeat(17)}  1200/2400  38.4 images/s  2:05 left  loss 0.72`,
    );
  });

  it('gives up the extra text, the rate, then the bar as the width shrinks', () => {
    const at = (width: number): string => formatBar(state, { width, colours: false });
    expect(at(64)).toContain('loss');
    expect(at(60)).not.toContain('loss');
    expect(at(60)).toContain('images/s');
    expect(at(45)).not.toContain('images/s');
    expect(at(45)).toMatch(/━.*2:05 left$/);
    expect(at(26)).toBe('train 1200/2400 2:05 left');
    expect(at(9)).toBe('train 120');
  });

  it('is never wider than the terminal, and without colours has no escape', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 0, max: 3000 }),
        fc.integer({ min: 0, max: 3000 }),
        fc.string({ maxLength: 30 }),
        (width, count, total, label) => {
          const text = formatBar({ ...state, label, count, total }, { width, colours: false });
          expect(text.length).toBeLessThanOrEqual(width);
        },
      ),
      { seed: 1 },
    );
    expect(formatBar(state, { width: 90, colours: true })).toContain(escapeCode);
  });

  it('fills the bar in proportion', () => {
    const full = (count: number): number =>
      formatBar({ ...state, count, extra: '' }, { width: 200, colours: false }).split('━').length - 1;
    expect([0, 600, 1200, 2400, 9999].map(full)).toEqual([0, 10, 20, 40, 40]);
  });

  it('writes a log line', () => {
    expect(formatLogLine(state)).toBe('train 1200/2400 (50%), 38.4 images/s, 2:05 left, loss 0.72');
    expect(formatLogLine({ ...state, count: 2400, extra: '' })).toBe('train 2400/2400 (100%), 38.4 images/s');
  });

  it('writes durations', () => {
    const said = [0, 42.4, 59.6, 725, 3723, Number.POSITIVE_INFINITY].map(formatDuration);
    expect(said).toEqual(['0:00', '0:42', '1:00', '12:05', '1:02:03', '?']);
  });

  it('smooths the rate: a steady rate is itself, a change is followed within a few memories', () => {
    expect(smoothRate(undefined, 10, 2)).toBe(5);
    expect(smoothRate(5, 10, 2)).toBeCloseTo(5, 12);
    let rate = 5;
    for (let second = 0; second < 24; second += 1) rate = smoothRate(rate, 20, 1, 8);
    expect(rate).toBeCloseTo(20 - 15 * Math.exp(-3), 9);
    expect(secondsLeft({ ...state, countsPerSecond: 0 })).toBeUndefined();
  });
});

interface Scene {
  readonly reporter: Reporter;
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly wait: (milliseconds: number) => void;
}

function scene(
  options: {
    isTTY?: boolean;
    columns?: number;
    json?: true;
    quiet?: true;
    environment?: Record<string, string>;
  } = {},
): Scene {
  let clock = 0;
  const stdout = recordedStream();
  const stderr = recordedStream(options.isTTY ? { isTTY: true, columns: options.columns ?? 80 } : {});
  const { environment = {}, json, quiet } = options;
  const reporter = createReporter({ stdout, stderr, environment, json, quiet, now: () => clock });
  const wait = (milliseconds: number): void => {
    clock += milliseconds;
  };
  return { reporter, stdout: stdout.text, stderr: stderr.text, wait };
}

/** Counts to `total` with `milliseconds` between counts. */
function work({ reporter, wait }: Scene, total: number, milliseconds: number): void {
  const progress = reporter.progress({ label: 'train', total, unit: 'images', unitsPerCount: 4 });
  for (let count = 1; count <= total; count += 1) {
    wait(milliseconds);
    progress.update(count, `loss ${count}`);
  }
  progress.finish();
}

describe('createReporter', () => {
  it('takes a terminal that does not know its width for one of 80 columns', () => {
    const terminals = [80, 0].map((columns) => scene({ isTTY: true, columns }));
    for (const terminal of terminals) work(terminal, 10, 200);
    expect(terminals[1]?.stderr()).toBe(terminals[0]?.stderr());
  });

  it('redraws one terminal line, not too often, and ends it', () => {
    const terminal = scene({ isTTY: true });
    work(terminal, 100, 10);
    const draws = terminal.stderr().split('\r').length - 1;
    expect(draws).toBeGreaterThan(5);
    expect(draws).toBeLessThan(15);
    expect(terminal.stderr().match(/\n/g)).toHaveLength(1);
    expect(terminal.stderr()).toMatch(/100\/100 {2}400 images\/s {2}loss 100\n$/);
    expect(terminal.stderr().includes(`${escapeCode}[36m`)).toBe(true);
    expect(terminal.stdout()).toBe('');
  });

  it('uses no colours under NO_COLOR and plain lines on a dumb terminal', () => {
    const grey = scene({ isTTY: true, environment: { NO_COLOR: '1' } });
    work(grey, 3, 500);
    expect(grey.stderr()).not.toMatch(/\[\d*m/);
    const dumb = scene({ isTTY: true, environment: { TERM: 'dumb' } });
    work(dumb, 3, 500);
    expect(dumb.stderr()).not.toContain(escapeCode);
  });

  it('writes plain lines at sensible intervals elsewhere', () => {
    const fast = scene();
    work(fast, 1000, 1);
    expect(fast.stderr()).toBe('train 1000/1000 (100%), 4000 images/s, loss 1000\n');
    const usual = scene();
    work(usual, 2400, 90); // 216 s: one line per 5 %, the last one at the end
    const lines = usual.stderr().trimEnd().split('\n');
    expect(lines).toHaveLength(20);
    expect(lines[0]).toBe('train 120/2400 (5%), 44.4 images/s, 3:25 left, loss 120');
    const slow = scene();
    work(slow, 10_000 / 100, 10_000); // 1000 s in steps of 1 %: 30 s between lines wins
    expect(slow.stderr().trimEnd().split('\n').length).toBe(34);
  });

  it('puts messages around the open line', () => {
    const terminal = scene({ isTTY: true });
    const progress = terminal.reporter.progress({ label: 'train', total: 10 });
    terminal.reporter.message('saved');
    const [before, after] = terminal.stderr().split('saved\n');
    expect(before?.endsWith(`\r${escapeCode}[2K`)).toBe(true);
    expect(after).toMatch(/^train .* 0\/10$/);
    progress.finish();
    expect(terminal.stderr().endsWith('\n')).toBe(true);
  });

  it('ends an open line when closed, once', () => {
    const terminal = scene({ isTTY: true });
    const progress = terminal.reporter.progress({ label: 'train', total: 10 });
    terminal.reporter.close();
    const closed = terminal.stderr();
    expect(closed.endsWith('\n')).toBe(true);
    terminal.reporter.close();
    progress.update(5);
    progress.finish();
    expect(terminal.stderr()).toBe(closed);
  });

  it('says nothing at all when quiet', () => {
    const quiet = scene({ isTTY: true, quiet: true });
    quiet.reporter.message('m');
    quiet.reporter.result('r');
    quiet.reporter.event({ event: 'e' });
    work(quiet, 20, 500);
    expect(quiet.stdout() + quiet.stderr()).toBe('');
  });

  it('puts nothing but JSON lines on standard output under --json', () => {
    const machine = scene({ json: true });
    machine.reporter.result('AP 0.5');
    machine.reporter.event({ event: 'step', step: 1, loss: 0.5 });
    work(machine, 3, 500);
    machine.reporter.event({ event: 'done', text: 'two\nlines' });
    const lines = machine.stdout().trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      { event: 'step', step: 1, loss: 0.5 },
      { event: 'done', text: 'two\nlines' },
    ]);
  });

  it('starts the rate at what an earlier run had done', () => {
    const log = scene();
    const progress = log.reporter.progress({ label: 'train', total: 100, start: 90, unit: 'steps' });
    log.wait(1000);
    progress.update(95);
    progress.finish();
    expect(log.stderr()).toBe('train 95/100 (95%), 5.00 steps/s, 0:01 left\n');
  });
});
