// The precision of a run: what every verb opens its backend with, written down, and kept when the run goes on.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type * as Engine from '@autoassign/tensor';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { namesIn, runTiny, testFolder } from './tinyRuns.ts';

const opened = vi.hoisted(() => [] as unknown[]);

// no GPU is needed to see what is asked for: wasm computes here whatever is opened
vi.mock('@autoassign/tensor', async (importOriginal) => {
  const engine = await importOriginal<typeof Engine>();
  const createBackend: typeof Engine.createBackend = (name, options) => {
    if (name === 'webgpu') opened.push(options);
    return engine.createBackend('wasm');
  };
  return { ...engine, createBackend };
});

let place: Awaited<ReturnType<typeof testFolder>>;
let out: string;
beforeAll(async () => {
  place = await testFolder();
  out = join(place.folder, 'runs');
});
afterAll(() => place.remove());

const configOf = async (run: string): Promise<unknown> =>
  JSON.parse(await readFile(join(out, run, 'config.json'), 'utf8'));

it('is what the backend is opened with by every verb, and by a run that goes on', async () => {
  const mixed = ['--backend', 'webgpu', '--precision', 'mixed', '--out', out];
  const stopped = await runTiny(['demo', '--steps', '2', ...mixed, '--json'], {
    interruptAt: ({ event }) => event === 'step',
  });
  expect(stopped.exitCode).toBe(130);
  expect(stopped.stderr).toContain('by webgpu in mixed precision');
  expect(await configOf('demo')).toMatchObject({ backend: 'webgpu', precision: 'mixed' });
  const resumed = await runTiny(['demo', '--resume', join(out, 'demo')]);
  expect(resumed.exitCode).toBe(0);
  expect(resumed.stderr).toContain('by webgpu in mixed precision');
  const data = join(out, 'data/shapes-16-4');
  expect((await runTiny(['eval', '--data', data, ...mixed])).exitCode).toBe(0);
  const [image] = await namesIn(join(data, 'images'));
  expect((await runTiny(['predict', join(data, 'images', image!), ...mixed])).exitCode).toBe(0);
  for (const run of ['eval', 'predict'])
    expect(await configOf(run)).toMatchObject({ backend: 'webgpu', precision: 'mixed' });
  expect(opened).toHaveLength(4);
  for (const options of opened) expect(options).toMatchObject({ precision: 'mixed' });
});

it.each(['wasm', 'cpu', 'gpujs'])(
  'is a usage error of one line on %s, before anything is made',
  async (backend) => {
    const words = ['demo', '--backend', backend, '--precision', 'mixed', '--out', join(out, 'none')];
    const { exitCode, stderr } = await runTiny(words);
    expect({ exitCode, stderr }).toEqual({
      exitCode: 2,
      stderr: `autoassign demo: --precision mixed needs --backend webgpu, got '${backend}'. Leave out --precision.\n`,
    });
    expect(opened).toHaveLength(4);
  },
);
