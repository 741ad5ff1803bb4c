// What the verbs do with their backend: it is destroyed however they end.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type * as Engine from '@autoassign/tensor';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { blockImages, runTiny, testFolder, writeCocoFolder } from './tinyRuns.ts';

const counts = vi.hoisted(() => ({ created: 0, destroyed: 0 }));

vi.mock('@autoassign/tensor', async (importOriginal) => {
  const engine = await importOriginal<typeof Engine>();
  const createBackend: typeof Engine.createBackend = async (...options) => {
    const backend = await engine.createBackend(...options);
    counts.created += 1;
    const destroy = (): Promise<void> => {
      counts.destroyed += 1;
      return backend.destroy();
    };
    return { ...backend, destroy };
  };
  return { ...engine, createBackend };
});

let place: Awaited<ReturnType<typeof testFolder>>;
beforeAll(async () => {
  place = await testFolder();
});
afterAll(() => place.remove());

it.each(['predict', 'eval'])('%s destroys it also when the weights are damaged', async (verb) => {
  const data = join(place.folder, verb);
  await writeCocoFolder(data, { val: blockImages(1, 'a') });
  const weights = join(place.folder, 'junk.safetensors');
  await writeFile(weights, 'junk');
  const input = verb === 'predict' ? [join(data, 'images', 'a0.png')] : ['--data', data];
  const before = { ...counts };
  const { exitCode } = await runTiny([verb, ...input, '--weights', weights, '--out', place.folder]);
  expect(exitCode).toBe(1);
  expect({
    created: counts.created - before.created,
    destroyed: counts.destroyed - before.destroyed,
  }).toEqual({
    created: 1,
    destroyed: 1,
  });
});
