// What compiling costs: the training steps of both detectors, cold in a process of their own and once more on the same backend.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Part, Row } from '../record.ts';
import { spreadOf } from '../spread.ts';
import type { FirstCall } from './process.ts';

const programs: readonly string[] = [
  'demo training step, 4 images of 128x128',
  'R-50-FPN AutoAssign training step 320x320',
];

/** The two first calls of a program, in a fresh process. */
const inProcess = (name: string, seed: number): Promise<readonly [cold: FirstCall, again: FirstCall]> =>
  new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(new URL('./process.ts', import.meta.url)), [name, String(seed)]);
    child.once('message', (message) => resolve(message as [FirstCall, FirstCall]));
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`Compiling ${name} ended with code ${code}.`)));
  });

/** A row of several measurements; its parts are those of the median one. */
const rowOf = (name: string, calls: readonly FirstCall[]): Row & { readonly parts: readonly Part[] } => {
  const sorted = [...calls].sort((a, b) => a.compile - b.compile);
  return {
    name,
    threads: 1,
    unit: 'ms',
    ours: spreadOf(calls.map(({ compile }) => compile)),
    peers: {},
    parts: sorted[Math.floor(sorted.length / 2)]!.parts,
  };
};

/** Three rows per program: the cold compile, the run after it, and a second compile of the same shapes. */
export const compileSuite = async (seed: number, rounds: number): Promise<Row[]> => {
  const rows: Row[] = [];
  for (const name of programs) {
    const pairs = [];
    for (let round = 0; round < rounds; round++) pairs.push(await inProcess(name, seed));
    const [cold, again] = [pairs.map((pair) => pair[0]), pairs.map((pair) => pair[1])];
    const firstRun = spreadOf(cold.map(({ run }) => run));
    rows.push(
      rowOf(`${name}: cold compile`, cold),
      { name: `${name}: first run`, threads: 1, unit: 'ms', ours: firstRun, peers: {} },
      rowOf(`${name}: second compile`, again),
    );
  }
  return rows;
};

/** The rows as text, with the stages of each compile. */
export const compileText = (rows: readonly Row[]): string =>
  rows
    .flatMap(({ name, ours, parts = [] }) => [
      `${name}: ${ours.median.toFixed(0)} ms (${ours.min.toFixed(0)} – ${ours.max.toFixed(0)})`,
      ...parts.map((part) => `  ${part.milliseconds.toFixed(1).padStart(8)} ms  ${part.name}`),
    ])
    .join('\n');
