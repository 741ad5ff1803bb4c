// The COCO evaluation at its real size, each time in a process of its own, against the COCO toolkit where AUTOASSIGN_PYCOCOTOOLS names a python3 with it.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inProcess } from '../cpu/processes.ts';
import { formatRatio } from '../cpu/report.ts';
import type { EvaluationRun } from '../evaluation/process.ts';
import { type SceneSize, sceneOf } from '../evaluation/scene.ts';
import type { Row } from '../record.ts';
import { spreadOf } from '../spread.ts';

/** COCO's validation set with 100 detections per image. */
const size: SceneSize = { images: 5000, objects: 36_000, detections: 500_000, classes: 80 };

/** What must hold: equal numbers, and less processor time and memory than this. */
const limits = { milliseconds: 6000, bytes: 600 * 2 ** 20, ratio: 5, difference: 1e-9 } as const;

const peerName = 'pycocotools';

/** A row with what the processes took of the machine. */
export interface EvaluationRow extends Row {
  /** Median time of processors in the evaluation itself, ours and by peer: on a shared machine waiting makes up much of the rest. */
  readonly cpuMillisecondsBy: Readonly<Record<string, number>>;
  /** Largest resident memory, ours and by peer. */
  readonly peakBytes: Readonly<Record<string, number>>;
}

/**
 * Two rows: the evaluation of detections in memory, and that of files.
 *
 * Throws  Error when time, memory or numbers are not what they must be
 */
export const evaluationSuite = async (seed: number, rounds: number): Promise<EvaluationRow[]> => {
  const folder = mkdtempSync(join(tmpdir(), 'evaluation-'));
  try {
    const { truth, detections } = sceneOf(size, seed);
    writeFileSync(join(folder, 'truth.json'), JSON.stringify(truth));
    writeFileSync(join(folder, 'results.json'), JSON.stringify(detections));
    const python = process.env.AUTOASSIGN_PYCOCOTOOLS;
    const [ours, theirs]: [EvaluationRun[], EvaluationRun[]] = [[], []];
    for (let round = 0; round < rounds; round++) {
      ours.push(
        await inProcess<EvaluationRun>(new URL('../evaluation/process.ts', import.meta.url), { folder }),
      );
      if (python !== undefined) theirs.push(runPeer(python, folder));
    }
    requireEqual(ours[0]!, theirs[0]);
    const rows = rowsOf(ours, theirs);
    requireLimits(rows);
    return rows;
  } finally {
    rmSync(folder, { recursive: true });
  }
};

const runPeer = (python: string, folder: string): EvaluationRun => {
  const program = fileURLToPath(new URL('../../peers/pycocotools_peer.py', import.meta.url));
  return JSON.parse(execFileSync(python, [program, folder], { encoding: 'utf8' })) as EvaluationRun;
};

const requireEqual = (ours: EvaluationRun, theirs: EvaluationRun | undefined): void => {
  for (const [i, value] of theirs?.metrics.entries() ?? []) {
    const found = ours.metrics[i]!;
    const isSame =
      value === null || found === null ? value === found : Math.abs(value - found) < limits.difference;
    if (!isSame) throw new Error(`Number ${i} of ${peerName} is ${value}, ours is ${found}.`);
  }
};

const largest = (runs: readonly EvaluationRun[]): number => Math.max(...runs.map((run) => run.peakBytes));

const cpuOf = (runs: readonly EvaluationRun[]): number => spreadOf(runs.map((run) => run.evaluateCpu)).median;

const rowsOf = (ours: readonly EvaluationRun[], theirs: readonly EvaluationRun[]): EvaluationRow[] => {
  const row = (name: string, timeOf: (run: EvaluationRun) => number): EvaluationRow => {
    const spread = spreadOf(ours.map(timeOf));
    const common = { name, threads: 1, unit: 'ms', ours: spread } as const;
    const first = theirs[0];
    if (first === undefined) {
      const absent = { [peerName]: 'AUTOASSIGN_PYCOCOTOOLS names no python3 with it' };
      return {
        ...common,
        peers: {},
        absent,
        cpuMillisecondsBy: { ours: cpuOf(ours) },
        peakBytes: { ours: largest(ours) },
      };
    }
    const peer = spreadOf(theirs.map(timeOf));
    return {
      ...common,
      peers: { [peerName]: { ...peer, version: first.version, ratio: peer.median / spread.median } },
      cpuMillisecondsBy: { ours: cpuOf(ours), [peerName]: cpuOf(theirs) },
      peakBytes: { ours: largest(ours), [peerName]: largest(theirs) },
    };
  };
  return [
    row('COCO evaluation, 500,000 detections in memory', ({ evaluate }) => evaluate),
    row('COCO evaluation, 500,000 detections in files', ({ read, evaluate }) => read + evaluate),
  ];
};

const requireLimits = ([inMemory]: readonly EvaluationRow[]): void => {
  const { peers, cpuMillisecondsBy, peakBytes } = inMemory!;
  if (cpuMillisecondsBy.ours! > limits.milliseconds)
    throw new Error(`The evaluation took ${cpuMillisecondsBy.ours} ms, more than ${limits.milliseconds}.`);
  if (peakBytes.ours! > limits.bytes)
    throw new Error(`The evaluation took ${peakBytes.ours} bytes, more than ${limits.bytes}.`);
  const ratio = peers[peerName]?.ratio ?? limits.ratio;
  if (ratio < limits.ratio) throw new Error(`${peerName} takes ${ratio} times as long, not ${limits.ratio}.`);
};

/** The rows as text, with the memory of the processes and how the peer compares. */
export const evaluationText = (rows: readonly EvaluationRow[]): string =>
  rows
    .flatMap(({ name, ours, peers, absent = {}, cpuMillisecondsBy, peakBytes }) => {
      const usage = (library: string): string =>
        `${cpuMillisecondsBy[library]?.toFixed(0)} ms of processors evaluating, ${((peakBytes[library] ?? 0) / 2 ** 20).toFixed(0)} MiB`;
      const times = (spread: typeof ours): string =>
        `${spread.median.toFixed(0)} ms (${spread.min.toFixed(0)} – ${spread.max.toFixed(0)})`;
      return [
        `${name}: ${times(ours)}, ${usage('ours')}`,
        ...Object.entries(peers).map(
          ([peer, spread]) =>
            `  ${peer} ${spread.version}: ${times(spread)}, ${usage(peer)}; ${formatRatio(spread.ratio)} times ours, the twelve numbers are equal`,
        ),
        ...Object.entries(absent).map(([peer, reason]) => `  without ${peer}: ${reason}`),
      ];
    })
    .join('\n');
