// A training run repeats to the bit: in the same process, and as recorded.
import { expect, test } from 'vitest';
import { dividedWasm } from '../../../tensor/test/backends.ts';
import { recordedRun, shortRun } from '../sameBits.ts';

test('two runs of one seed give the same bits', async () => {
  expect(await shortRun()).toEqual(await shortRun());
});

test('a run gives the recorded bits', async () => {
  expect(await shortRun()).toEqual(recordedRun);
});

test.each([1, 2, 3])(
  'a run whose every step is divided between %d threads gives them too',
  async (threads) => {
    expect(await shortRun(dividedWasm(threads))).toEqual(recordedRun);
  },
);

test('with fused multiply-add a run gives the same bits on any number of threads', async () => {
  const fused = await shortRun(dividedWasm(1, { fma: true }));
  for (const threads of [2, 3]) expect(await shortRun(dividedWasm(threads, { fma: true }))).toEqual(fused);
  // other bits than without, but no other losses
  fused.losses.forEach((loss, i) => {
    expect(loss).toBeCloseTo(recordedRun.losses[i]!, 4);
  });
});
