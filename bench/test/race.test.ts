// The race: who is held to which result, and what is told of a device.
import { expect, test } from 'vitest';
import type { Library } from '../src/cpu/library.ts';
import { race } from '../src/cpu/race.ts';
import type { NamedWork } from '../src/cpu/work.ts';
import { matmulWork } from '../src/cpu/work.ts';

/** A library that always answers the same, with so many launches per run and one more in the first. */
const answering = (name: string, answer: number, launchesPerRun?: number): Library => ({
  name,
  version: '1',
  isThreaded: false,
  compilesFirst: true,
  prepare: async () => {
    let launches = 1;
    return {
      run: async () => {
        launches += launchesPerRun ?? 0;
      },
      outputs: async () => [[answer]],
      ...(launchesPerRun === undefined ? {} : { usage: () => ({ launches, peakBytes: 8 }) }),
      free: () => undefined,
    };
  },
});

const entries: readonly NamedWork[] = [matmulWork(1, 1)];
const options = { time: 0, rounds: 1, threads: 1, tell: () => undefined };

test('a peer whose result is not that of the reference is wrong', async () => {
  const peers = [answering('right', 2), answering('other', 3)];
  const reference = answering('reference', 2);
  const [row] = await race(entries, answering('ours', 2), peers, { ...options, reference });
  expect(Object.keys(row!.peers)).toEqual(['right']);
  expect(row!.absent?.other).toMatch(/^wrong: off by 0\.5/);
});

test('a result of ours that is not that of the reference is an error', async () => {
  const raced = race(entries, answering('ours', 3), [], { ...options, reference: answering('reference', 2) });
  await expect(raced).rejects.toThrow('matmul 1: needs a right result of ours, got one that is off by 0.5');
});

test('launches are those of one run that is not the first', async () => {
  const [row] = await race(entries, answering('ours', 2, 3), [answering('peer', 2, 5)], options);
  expect(row!.device).toMatchObject({ launches: 3, peakBytes: 8 });
  expect(row!.peers.peer?.device?.launches).toBe(5);
});

test('work that exceeds the reference is held to our result', async () => {
  const large = entries.map((entry) => ({ ...entry, exceedsReference: true }) as const);
  const reference = answering('reference', 3);
  const [row] = await race(large, answering('ours', 2), [answering('same', 2)], { ...options, reference });
  expect(Object.keys(row!.peers)).toEqual(['same']);
});
