// One training step compiled twice in a fresh process: the program's name and seed as arguments, the costs as a message to the parent.
import { Session } from 'node:inspector/promises';
import { performance } from 'node:perf_hooks';
import type { Backend } from '@autoassign/tensor';
import { createBackend } from '@autoassign/tensor';
import type { DetectorWork } from '../cpu/detectorWork.ts';
import { prepareWork } from '../cpu/libraries/ours.ts';
import { detectorWork } from '../cpu/trainingWork.ts';
import type { Part } from '../record.ts';
import { timeByStage } from './stages.ts';

/** What the first call of a compiled function costs. */
export interface FirstCall {
  /** Milliseconds from the call to a program that can run. */
  readonly compile: number;
  readonly parts: readonly Part[];
  /** Milliseconds of the run that follows. */
  readonly run: number;
}

/** The engine's functions that compile, with the time that was spent waiting for them. */
const watchEngine = (): { readonly spent: () => number } => {
  let spent = 0;
  const watched = <Args extends readonly unknown[], Result>(
    fn: (...args: Args) => Promise<Result>,
  ): ((...args: Args) => Promise<Result>) =>
    // stages.ts knows this name
    async function compileInEngine(...args) {
      const start = performance.now();
      try {
        return await fn(...args);
      } finally {
        spent += performance.now() - start;
      }
    };
  const { compile, instantiate } = WebAssembly;
  Object.assign(WebAssembly, { compile: watched(compile), instantiate: watched(instantiate) });
  return { spent: () => spent };
};

const engine = watchEngine();

/** The first call of the work's step on a backend, from a function that was never called. */
const firstCall = async (backend: Backend, work: DetectorWork): Promise<FirstCall> => {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: 200 });
  const prepared = await prepareWork({ backend }, work);
  const { compile } = backend;
  let compiled = 0;
  let engineTime = 0;
  let stages = new Map<string, number>();
  const watchedCompile: Backend['compile'] = async (...args) => {
    const before = engine.spent();
    const program = await compile(...args);
    compiled = performance.now();
    engineTime = engine.spent() - before;
    stages = timeByStage((await session.post('Profiler.stop')).profile);
    resumed = performance.now();
    return program;
  };
  let resumed = 0;
  Object.assign(backend, { compile: watchedCompile });
  await session.post('Profiler.start');
  const start = performance.now();
  await prepared.run();
  const end = performance.now();
  Object.assign(backend, { compile });
  session.disconnect();
  prepared.free();
  const whole = compiled - start;
  const known = [...stages, ['engine', engineTime] as const].map(([name, milliseconds]) => ({
    name,
    milliseconds,
  }));
  const rest = whole - known.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  return { compile: whole, parts: [...known, { name: 'rest', milliseconds: rest }], run: end - resumed };
};

const [name, seed] = process.argv.slice(2);
const work = await detectorWork(Number(seed))
  .find((each) => each.name === name)!
  .make();
const backend = await createBackend('wasm');
const calls = [await firstCall(backend, work), await firstCall(backend, work)];
process.send!(calls, () => process.exit(0));
