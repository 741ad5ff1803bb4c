// Profiles of compiled functions: every step with its calls and time, on every backend, and nothing unless asked for.
import { performance } from 'node:perf_hooks';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Backend, Tensor } from '../src/index.ts';
import { add, compile, matmul, ones, read, relu, sum, topK, transpose } from '../src/index.ts';
import { backends } from './backends.ts';

const size = 96;
const layer = (x: Tensor, w: Tensor): Tensor => sum(relu(add(matmul(x, w), 1)), 1);

describe.each(backends)('profiles on $name', ({ make }) => {
  let backend: Backend;
  beforeEach(async () => {
    backend = await make();
  });
  afterEach(() => backend.destroy());

  it('count the calls of every step, and their time within that of the whole', async () => {
    const compiled = compile(layer, { backend, profile: true });
    expect(compiled.profile()).toEqual([]);
    const start = performance.now();
    for (let i = 0; i < 3; i++) await read(await compiled(ones([size, size]), ones([size, size])));
    const whole = performance.now() - start;
    const steps = compiled.profile();
    expect(steps.map(({ calls }) => calls)).toEqual(steps.map(() => 3));
    const time = steps.reduce((total, { milliseconds }) => total + milliseconds, 0);
    expect(time).toBeGreaterThan(0);
    expect(time).toBeLessThanOrEqual(whole);
    const product = steps.find(({ op }) => op === 'matmul')!;
    expect(product.output).toEqual([size, size]);
    expect(product.inputs).toEqual([
      [size, size],
      [size, size],
    ]);
    expect(product.milliseconds).toBeGreaterThan(0);
  });

  it('are empty unless asked for', async () => {
    const compiled = compile(layer, { backend });
    await compiled(ones([size, size]), ones([size, size]));
    expect(compiled.profile()).toEqual([]);
  });

  it('change no result', async () => {
    const [plain, profiled] = [false, true].map((profile) => compile(layer, { backend, profile }));
    const given = [ones([size, size]), ones([size, size])] as const;
    expect(await read(await profiled!(...given))).toEqual(await read(await plain!(...given)));
  });

  it('tell the programs of several shapes, and none that are gone', async () => {
    const compiled = compile(layer, { backend, profile: true });
    await compiled(ones([2, size]), ones([size, size]));
    const one = compiled.profile().length;
    await compiled(ones([3, size]), ones([size, size]));
    expect(compiled.profile().length).toBe(2 * one);
    compiled.destroy();
    expect(compiled.profile()).toEqual([]);
  });
});

describe('profiles on wasm', () => {
  it('name what loops do and which steps run in TypeScript', async () => {
    const [{ make }] = backends.filter(({ name }) => name === 'wasm') as [(typeof backends)[number]];
    const backend = await make();
    const several = compile(
      (x: Tensor): Tensor[] => [relu(x), sum(x, 0), transpose(x, [1, 0]), topK(x, 2).indices],
      { backend, profile: true },
    );
    await several(ones([4, 5]));
    const kinds = several.profile().map(({ op, tier }) => `${op}: ${tier}`);
    expect(kinds.sort()).toEqual([
      'loop (elementwise): tuned',
      'loop (movement): tuned',
      'loop (reduction): tuned',
      'topKIndices: reference',
    ]);
    await backend.destroy();
  });
});
