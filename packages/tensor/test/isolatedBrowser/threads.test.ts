// A page with cross-origin isolation: threads in a worker of it and on its main thread, which may not sleep, give the same bits.
import { afterEach, expect, test, vi } from 'vitest';
import type { Outcome, Shares } from './dividedWork.ts';
import { compute, sharesOfThreads, turnsPerRun } from './dividedWork.ts';
import type { Told } from './engineWorker.ts';

afterEach(() => vi.unstubAllGlobals());

const expectThreads = ({ heads }: Outcome, threads: string): void => {
  for (const head of heads) expect(head).toMatch(new RegExp(`, ${threads}$`));
};

/** Both threads did some of the work, and between them all of it. */
const expectShared = ({ turns, runs }: Shares): void => {
  expect(turns.reduce((sum, of) => sum + of)).toBe(runs * turnsPerRun);
  for (const turnsOfThread of turns) expect(turnsOfThread).toBeGreaterThan(0);
};

test('the engine in a worker has two threads, with the bits of one', async () => {
  const worker = new Worker(new URL('engineWorker.ts', import.meta.url), { type: 'module' });
  const told = await new Promise<Told>((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data as Told);
    worker.onerror = ({ message }) => reject(new Error(message));
  });
  worker.terminate();
  if ('failure' in told) throw new Error(told.failure);
  const { isIsolated, one, two, shares } = told;
  expect(isIsolated).toBe(true);
  expectThreads(one, '1 thread');
  expectThreads(two, '2 threads');
  expect(two.bits).toEqual(one.bits);
  expect(one.bits).toEqual((await compute(1)).bits);
  expectShared(shares);
});

test('the main thread, which may not sleep, has two threads too', async () => {
  expect(globalThis.crossOriginIsolated).toBe(true);
  const words = new Int32Array(new SharedArrayBuffer(4));
  expect(() => Atomics.wait(words, 0, 0, 0)).toThrow(TypeError);
  const [one, two] = [await compute(1), await compute(2)];
  expectThreads(one, '1 thread');
  expectThreads(two, '2 threads');
  expect(two.bits).toEqual(one.bits);
  expectShared(await sharesOfThreads());
});

/** A worker as Chromium gives it where the page's policy allows none: it has an error without a message. */
function forbiddenWorker(): object {
  const worker = {
    onerror: (_event: Event): void => undefined,
    postMessage: (): void => queueMicrotask(() => worker.onerror(new Event('error'))),
    terminate: (): void => undefined,
  };
  return worker;
}

test('a page that forbids workers computes on one thread, and says why', async () => {
  vi.stubGlobal('Worker', forbiddenWorker);
  const { heads, bits } = await compute(2);
  for (const head of heads) expect(head).toContain('1 thread (no worker could start: this place forbids it)');
  vi.unstubAllGlobals();
  expect(bits).toEqual((await compute(1)).bits);
});
