// The detector trains in a browser, with the very bits it has in Node.
import { expect, test } from 'vitest';
import { recordedRun, shortRun } from '../sameBits.ts';

test('a training run in a browser gives the bits recorded in Node', async () => {
  expect(await shortRun()).toEqual(recordedRun);
});
