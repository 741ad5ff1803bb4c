// What the backend relies on in GPU.js, in every mode: arrays go where they are sent, and positions are exact.
import { expect, test } from 'vitest';
import type { Handle, Host, HostKernel } from '../../src/backends/gpujs/host.ts';
import { openHost } from '../../src/backends/gpujs/host.ts';
import { gpujsBackend } from '../../src/backends/gpujs/index.ts';
import type { GpujsMode } from '../../src/backends/gpujs/modes.ts';
import { mostNumbers } from '../../src/backends/gpujs/modes.ts';
import type { Backend, Tensor } from '../../src/index.ts';
import {
  compile,
  concat,
  createBackend,
  evaluate,
  exp,
  full,
  matmul,
  max,
  mul,
  read,
  release,
  sizeOf,
  slice,
  sub,
  sum,
  tensor,
  transpose,
} from '../../src/index.ts';

const kernelOf = async (
  host: Host,
  body: string,
  lengths: readonly number[],
  length: number,
  functions: readonly string[] = [],
): Promise<HostKernel> => {
  const special = /infinity/.test(body);
  const parameters = lengths.map((_, i) => `a${i}`).concat(special ? ['infinity', 'nan'] : []);
  const text = `function (${parameters.join(', ')}) {\n${body}\n}`;
  const kernel = await host.compile({ text, functions, special }, lengths, length);
  if (typeof kernel === 'string') throw new Error(kernel);
  return kernel;
};

const filled = (host: Host, values: readonly number[]): Handle => {
  const handle = host.allocate(values.length);
  host.write(handle, Float32Array.from(values));
  return handle;
};

/** Declares the tests for one mode. */
export const hostContract = (mode: GpujsMode): void => {
  const name = (what: string): string => `gpujs ${mode}: ${what}`;

  test(name('an array holds what was written, and nothing stays behind'), async () => {
    const host = await openHost(mode);
    const values = [0, -0, 1.5, -1e30, 16777216, Number.POSITIVE_INFINITY, Number.NaN];
    const before = host.live();
    const handle = filled(host, values);
    expect(host.live()).toBe(before + 1);
    expect([...(await host.read(handle))]).toEqual([
      0,
      -0,
      1.5,
      Math.fround(-1e30),
      16777216,
      Number.POSITIVE_INFINITY,
      Number.NaN,
    ]);
    host.free(handle);
    expect(host.live()).toBe(before);
    await host.destroy();
  });

  test(name('a kernel writes the array that it is given, again and again'), async () => {
    const host = await openHost(mode);
    const before = host.live();
    const double = await kernelOf(host, 'let x = this.thread.x;\nlet v = a0[x];\nreturn v * 2;', [3], 3);
    expect(host.live()).toBe(before);
    const input = filled(host, [1, 2, 3]);
    const [first, second, third] = [host.allocate(3), host.allocate(3), host.allocate(3)];
    double.run([input], first);
    double.run([first], second);
    double.run([second], third);
    double.run([input], second);
    expect([...(await host.read(first))]).toEqual([2, 4, 6]);
    expect([...(await host.read(second))]).toEqual([2, 4, 6]);
    expect([...(await host.read(third))]).toEqual([8, 16, 24]);
    double.destroy();
    expect([...(await host.read(third))]).toEqual([8, 16, 24]);
    for (const handle of [input, first, second, third]) host.free(handle);
    expect(host.live()).toBe(before);
    await host.destroy();
  });

  test(name('infinity and NaN arrive, functions are called, long loops run to their end'), async () => {
    const host = await openHost(mode);
    const body = `let x = this.thread.x;
let total = 0;
for (let i = 0; i < 5000; i++) { total = total + 1; }
let most = infinity;
let none = nan;
let v = x > 1.5 ? twice(total) : most;
return x > 2.5 ? none : v;`;
    const kernel = await kernelOf(host, body, [], 4, ['function twice(x) { return x * 2; }']);
    const output = host.allocate(4);
    kernel.run([], output);
    expect([...(await host.read(output))]).toEqual([
      Number.POSITIVE_INFINITY,
      Number.POSITIVE_INFINITY,
      10000,
      Number.NaN,
    ]);
    await host.destroy();
  });

  test(name('a program gives back what it took; what its runs need is kept meanwhile'), async () => {
    const host = await openHost(mode);
    const backend = await gpujsBackend({}, async () => host);
    const idle = host.live();
    const step = compile((x: Tensor) => sub(exp(mul(matmul(x, x), 0.01)), x), { backend, donate: [0] });
    let x = await evaluate(full([3, 3], 0.5), { backend });
    x = await step(x);
    const held = host.live();
    for (let i = 0; i < 3; i++) x = await step(x);
    expect(host.live()).toBe(held);
    step.destroy();
    release(x);
    expect(host.live()).toBe(idle);
    await backend.destroy();
  });

  test(name('long folds, joins of many, and gathers agree with the reference'), async () => {
    const backend = await createBackend('gpujs', { mode });
    const long = (shape: readonly number[], dtype: 'f32' | 'i32'): Tensor =>
      tensor(
        Float64Array.from({ length: sizeOf(shape) }, (_, i) => ((i * 7919) % 1009) - 500),
        { shape, dtype },
      );
    const args = [long([6000], 'f32'), long([3, 50, 70], 'f32'), long([4099], 'f32'), long([2, 5000], 'i32')];
    const fn = (a: Tensor, b: Tensor, c: Tensor, d: Tensor): readonly Tensor[] => [
      sum(a),
      max(b, [1, 2]),
      sum(transpose(b, [1, 0, 2]), [0, 2]),
      sum(c),
      sum(mul(d, 987654), 1),
      max(d, 1),
      concat(
        Array.from({ length: 20 }, (_, i) => slice(a, [i], [i])),
        0,
      ),
    ];
    const on = async (place: Backend): Promise<number[][]> => {
      const results = await compile(fn, { backend: place, strict: place.name === 'gpujs' })(
        ...(args as [Tensor, Tensor, Tensor, Tensor]),
      );
      const values: number[][] = [];
      for (const result of results) values.push(Array.from(await read(result)));
      return values;
    };
    expect(await on(backend)).toEqual(await on(await createBackend('cpu')));
    await backend.destroy();
  });

  test(name('positions are exact up to the last of the largest array'), async () => {
    const host = await openHost(mode);
    const rest = await kernelOf(
      host,
      'let x = this.thread.x;\nlet q = Math.floor(x / 4096);\nreturn x - q * 4096;',
      [],
      mostNumbers,
    );
    const picks = [1, 2, 4095, 4096, 4097, 1_000_003, mostNumbers - 1, mostNumbers].map(
      (n) => mostNumbers - n,
    );
    const pick = await kernelOf(
      host,
      'let x = this.thread.x;\nlet at = a1[x];\nlet v = a0[at];\nreturn v;',
      [mostNumbers, picks.length],
      picks.length,
    );
    const large = host.allocate(mostNumbers);
    rest.run([], large);
    const output = host.allocate(picks.length);
    pick.run([large, filled(host, picks)], output);
    expect([...(await host.read(output))]).toEqual(picks.map((n) => n % 4096));
    await host.destroy();
  });
};
