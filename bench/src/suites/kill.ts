// Whether a training run outlives `kill -9`: runs killed at random instants are resumed until they end, and must end as an undisturbed one.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeShapes } from '@autoassign/datasets';
import { readCheckpoint } from '@autoassign/detector';
import type { Row } from '../record.ts';
import { spreadOf } from '../spread.ts';

/** What the suite does. */
export interface KillOptions {
  readonly seed: number;
  /** Runs that are killed. */
  readonly runs: number;
}

/** What came of the runs; `ours` is the time of a run with all its resumptions. */
export interface KillRow extends Row {
  readonly runs: number;
  readonly kills: number;
  /** How many kills came when the run had no folder, no checkpoint, a checkpoint, or all its steps behind it. */
  readonly killedAt: Readonly<Record<Stage, number>>;
  /** Drafts of files that kills left, all removed by the process that went on. */
  readonly drafts: number;
}

type Stage = 'no folder' | 'no checkpoint' | 'a checkpoint' | 'all steps';

/** A tiny network by everything of the paper's recipe and more, saved at every step. */
const settings = [
  'detector.backbone.stem.widths=[8,8]',
  'detector.backbone.planes=[8,8,8,8]',
  'detector.neck.channels=8',
  'detector.head.convs=1',
  'detector.head.groups=1',
  'recipe.batchSize=2',
  'recipe.accumulate=2',
  'recipe.clipNorm=35',
  'recipe.ema={"decay":0.9,"rampSteps":4}',
  'recipe.recompute=blocks',
  'recipe.checkpointEvery=1',
  'recipe.evaluate={"times":3}',
];
const steps = 24;
const program = fileURLToPath(new URL('../../../packages/cli/src/main.ts', import.meta.url));

/** When a process is killed: so long after it has started, or after it has added to the run's log. */
interface Death {
  readonly after: 'the start' | 'the log grew';
  readonly milliseconds: number;
  readonly log: string;
}

const sizeOfFile = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

/** Calls back at the death's instant; returns what stops it. */
const atDeath = ({ after, milliseconds, log }: Death, act: () => void): (() => void) => {
  const before = sizeOfFile(log);
  let timer: NodeJS.Timeout;
  const wait = (): void => {
    const isUnderWay = after === 'the start' || sizeOfFile(log) > before;
    timer = isUnderWay ? setTimeout(act, milliseconds) : setTimeout(wait, 2);
  };
  wait();
  return () => clearTimeout(timer);
};

/** The program as a process, killed unless it has ended by then. */
const runProgram = async (words: readonly string[], death?: Death): Promise<'ended' | 'killed'> => {
  const child = spawn(
    process.execPath,
    ['--conditions=@autoassign/source', '--import', 'tsx', program, ...words, '--threads', '1', '--quiet'],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const calm = death === undefined ? undefined : atDeath(death, () => child.kill('SIGKILL'));
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  calm?.();
  if (signal === 'SIGKILL') return 'killed';
  if (code === 0) return 'ended';
  throw new Error(`kill: needs a run that goes on, got status ${code} of '${words.join(' ')}': ${said}`);
};

/** What must be the same of every run: which files it leaves, weights and state, and the log without its times. */
const outcomeOf = (folder: string): readonly string[] => [
  readdirSync(folder).sort().join(' '),
  ...['last.safetensors', 'best.safetensors'].map((name) => readFileSync(join(folder, name), 'latin1')),
  ...readFileSync(logOf(folder), 'utf8')
    .split('\n')
    .filter((line) => !line.includes('"event":"checkpoint"')),
];

/** How far the run in a folder was when it was killed; its checkpoint, if it has one, must be whole. */
const stageOf = (folder: string): Stage => {
  if (!existsSync(join(folder, 'config.json'))) return 'no folder';
  const path = join(folder, 'last.safetensors');
  if (!existsSync(path)) return 'no checkpoint';
  return readCheckpoint(new Uint8Array(readFileSync(path)), path).step < steps ? 'a checkpoint' : 'all steps';
};

/**
 * One row: every run is killed at random instants, mostly while it trains, until it has ended, at the latest after ten kills.
 *
 * Throws   Error when a run cannot be resumed, when its checkpoint is damaged, or when it ends otherwise than the undisturbed one
 */
export const killSuite = async ({ seed, runs }: KillOptions): Promise<KillRow[]> => {
  const out = mkdtempSync(join(tmpdir(), 'autoassign-kill-'));
  const data = join(out, 'data');
  const begin = (name: string): string[] => [
    'train',
    '--data',
    data,
    '--out',
    out,
    '--name',
    name,
    '--steps',
    String(steps),
    ...settings,
  ];
  let state = seed;
  const random = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const killedAt: Record<Stage, number> = {
    'no folder': 0,
    'no checkpoint': 0,
    'a checkpoint': 0,
    'all steps': 0,
  };
  const times: number[] = [];
  let drafts = 0;
  try {
    await writeShapes(data, { train: 16, validation: 4, seed });
    await runProgram(begin('whole'));
    const started = performance.now();
    let begun = started;
    const log = logOf(join(out, 'again'));
    const calm = atDeath({ after: 'the log grew', milliseconds: 0, log }, () => {
      begun = performance.now();
    });
    await runProgram(begin('again'));
    calm();
    const ended = performance.now();
    const expected = outcomeOf(join(out, 'whole'));
    for (let run = 0; run < runs; run++) {
      const folder = join(out, `run-${run}`);
      const since = performance.now();
      for (let kills = 0; ; kills++) {
        const isBegun = existsSync(join(folder, 'config.json'));
        if (!isBegun) rmSync(folder, { recursive: true, force: true });
        const words = isBegun ? ['train', '--resume', folder] : begin(`run-${run}`);
        // four of five while it trains, the others at any instant from the beginning
        const after = random() < 0.8 ? 'the log grew' : 'the start';
        const milliseconds = random() * (ended - (after === 'the start' ? started : begun));
        const death = { after, milliseconds, log: logOf(folder) } as const;
        if ((await runProgram(words, kills < 10 ? death : undefined)) === 'ended') break;
        killedAt[stageOf(folder)] += 1;
        if (existsSync(folder)) drafts += draftsIn(folder);
      }
      times.push(performance.now() - since);
      requireSame(run, outcomeOf(folder), expected);
      rmSync(folder, { recursive: true });
    }
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
  const kills = Object.values(killedAt).reduce((sum, count) => sum + count, 0);
  return [
    {
      name: 'killed runs',
      threads: 1,
      unit: 'ms',
      ours: spreadOf(times),
      peers: {},
      runs,
      kills,
      killedAt,
      drafts,
    },
  ];
};

const requireSame = (run: number, outcome: readonly string[], expected: readonly string[]): void => {
  const parts = [`list of files: ${outcome[0]}`, 'last.safetensors', 'best.safetensors'];
  const at = Array.from({ length: Math.max(outcome.length, expected.length) }).findIndex(
    (_, i) => outcome[i] !== expected[i],
  );
  if (at < 0) return;
  const what = parts[at] ?? `line of the log: '${outcome[at]}', not '${expected[at]}'`;
  throw new Error(`kill: needs run ${run} to end as the undisturbed one, got another ${what}.`);
};

const logOf = (folder: string): string => join(folder, 'metrics.jsonl');

const draftsIn = (folder: string): number =>
  readdirSync(folder).filter((name) => name.endsWith('.part')).length;

/** The row as text. */
export const killText = (rows: readonly KillRow[]): string =>
  rows
    .map(({ runs, kills, killedAt, drafts, ours }) => {
      const stages = Object.entries(killedAt).map(([stage, count]) => `${count} with ${stage}`);
      return `${runs} runs, ${kills} kills (${stages.join(', ')}), ${drafts} drafts left and removed; all ended as the undisturbed run, in ${(ours.median / 1000).toFixed(1)} s each`;
    })
    .join('\n');
