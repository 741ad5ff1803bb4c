// The library of compiled kernels: what is emitted and compiled again, what is kept, and that programs that share kernels compute right.

import { Worker } from 'node:worker_threads';
import { afterEach, expect, test, vi } from 'vitest';
import { wasmBackend } from '../../src/backends/wasm/index.ts';
import type { Library } from '../../src/backends/wasm/library.ts';
import { openLibrary } from '../../src/backends/wasm/library.ts';
import { openMemory } from '../../src/backends/wasm/memory.ts';
import { emitStep } from '../../src/backends/wasm/program.ts';
import type { WholeStep } from '../../src/backends/wasm/split.ts';
import { stepKey } from '../../src/backends/wasm/stepKey.ts';
import type { Pool } from '../../src/backends/wasm/threads/pool.ts';
import { binary, input, literal } from '../../src/expression.ts';
import type { Loop } from '../../src/graph/loop.ts';
import { loopOp } from '../../src/graph/loop.ts';
import type { Backend, Tensor } from '../../src/index.ts';
import { add, compile, evaluate, matmul, mul, read, relu, sum, tensor } from '../../src/index.ts';

/** The number of functions that each module compiled from now on exports. */
const countExports = (): number[] => {
  const counts: number[] = [];
  const instantiate = WebAssembly.instantiate as (code: BufferSource, imports?: object) => Promise<unknown>;
  vi.spyOn(WebAssembly, 'instantiate').mockImplementation(((code: BufferSource, imports?: object) => {
    counts.push(WebAssembly.Module.exports(new WebAssembly.Module(code)).length);
    return instantiate(code, imports);
  }) as never);
  return counts;
};

afterEach(() => {
  vi.restoreAllMocks();
});

/** Every step is worth dividing. */
const least = { products: 1, elements: 1 };

const a = tensor([
  [1, 2],
  [3, 4],
]);
const b = tensor([
  [1, -1],
  [0.5, 2],
]);
const layer = (x: Tensor, w: Tensor): Tensor => relu(matmul(x, w));
const product = Float32Array.of(2, 3, 5, 5);

/** What a program computes on a backend, which is compiled anew and destroyed again. */
const once = async (fn: (x: Tensor, w: Tensor) => Tensor, backend: Backend): Promise<unknown> => {
  const compiled = compile(fn, { backend });
  const values = await read(await compiled(a, b));
  compiled.destroy();
  return values;
};

test('a second program of the same shapes compiles nothing, also when the first is destroyed', async () => {
  const backend = wasmBackend();
  const modules = countExports();
  expect(await once(layer, backend)).toEqual(product);
  expect(modules).toEqual([2]);
  const second = compile((x: Tensor, w: Tensor) => layer(x, w), { backend });
  const third = compile((x: Tensor, w: Tensor) => layer(x, w), { backend });
  expect(await read(await second(a, b))).toEqual(product);
  expect(await read(await third(b, a))).toEqual(Float32Array.of(0, 0, 6.5, 9));
  expect(modules).toEqual([2]);
  await backend.destroy();
});

test('programs under way at the same time share what the first of them compiles', async () => {
  const backend = wasmBackend();
  const modules = countExports();
  const results = await Promise.all([1, 2, 3].map(() => once(layer, backend)));
  expect(results).toEqual([product, product, product]);
  expect(modules).toEqual([2]);
  await backend.destroy();
});

test('another program compiles only the kernels that are new', async () => {
  const backend = wasmBackend();
  const modules = countExports();
  await once(layer, backend);
  expect(await once((x, w) => sum(mul(layer(x, w), x)), backend)).toEqual(Float32Array.of(43));
  expect(modules).toEqual([2, 1]);
  await once(layer, wasmBackend());
  expect(modules).toEqual([2, 1, 2]);
  await backend.destroy();
});

test('evaluating the same again and again compiles once', async () => {
  const backend = wasmBackend();
  const modules = countExports();
  let x = a;
  for (let i = 0; i < 5; i++) x = await evaluate(add(x, 1), { backend });
  expect(await read(x)).toEqual(Float32Array.of(6, 7, 8, 9));
  // the first sum reads a constant, the others a buffer: for the kernel that is the same
  expect(modules).toEqual([1]);
  await backend.destroy();
});

test('workers load the module of several programs once', async () => {
  const mail = vi.spyOn(Worker.prototype, 'postMessage');
  const kinds = (): string[] => mail.mock.calls.map(([message]) => (message as { kind: string }).kind);
  const backend = wasmBackend({ threads: 2 }, least);
  const long = tensor(Float32Array.from({ length: 64 }, (_, i) => i - 32));
  const program = (): ((x: Tensor) => Promise<Tensor>) & { destroy(): void } =>
    compile((x: Tensor) => relu(x), { backend });
  const [first, second] = [program(), program()];
  const expected = Float32Array.from({ length: 64 }, (_, i) => Math.max(0, i - 32));
  expect(await read(await first(long))).toEqual(expected);
  first.destroy();
  expect(await read(await second(long))).toEqual(expected);
  expect(kinds()).toEqual(['start', 'load']);
  await backend.destroy();
});

/** A loop step that adds a number to so many elements. */
const addStep = (elements: number, value: number): WholeStep => {
  const spec = { shape: [elements], dtype: 'f32' } as const;
  const loop: Loop = {
    extents: [elements],
    strides: [[1]],
    offsets: [0],
    expression: binary('add', input(0, 'f32'), literal(value)),
  };
  return { op: loopOp as never, inputs: [spec], output: spec, attrs: { loop, spec } };
};

const smallLibrary = (mostBytes: number, pool?: Pool): Library =>
  openLibrary({
    blocks: openMemory(pool !== undefined),
    ...(pool === undefined ? {} : { pool }),
    emit: (builder, step) => emitStep(builder, step, { threads: pool === undefined ? 1 : 2, least }, {}),
    mostBytes,
  });

test('of too many modules the least recently used is forgotten', async () => {
  const library = smallLibrary(150_000); // room for two
  const modules = countExports();
  const borrow = (value: number): Promise<unknown> => library.borrow([addStep(8, value)]).functions();
  await borrow(1);
  await borrow(2);
  await borrow(1);
  await borrow(3); // in the place of 2
  expect(modules).toHaveLength(3);
  await borrow(1);
  await borrow(3);
  expect(modules).toHaveLength(3);
  await borrow(2);
  expect(modules).toHaveLength(4);
});

test('workers drop a module when neither the library nor a program needs it', async () => {
  const drop = vi.fn();
  let programs = 0;
  const pool = { load: async () => programs++, drop } as unknown as Pool;
  const library = smallLibrary(100_000, pool); // room for one
  const [held, given] = [library.borrow([addStep(64, 0)]), library.borrow([addStep(64, 1)])];
  expect((await held.functions())[0]?.job?.program).toBe(0);
  await given.functions();
  expect(drop).not.toHaveBeenCalled(); // the library has forgotten 0, a program has not
  given.release();
  await library.borrow([addStep(64, 2)]).functions();
  expect(drop.mock.calls).toEqual([[1]]);
  held.release();
  held.release(); // once is enough
  await Promise.resolve();
  expect(drop.mock.calls).toEqual([[1], [0]]);
});

test('a module that could not be compiled is tried again', async () => {
  const library = smallLibrary(1e6);
  vi.spyOn(WebAssembly, 'instantiate').mockRejectedValueOnce(new Error('no memory for code'));
  const [first, second] = [library.borrow([addStep(8, 1)]), library.borrow([addStep(8, 1)])];
  await expect(first.functions()).rejects.toThrow('no memory for code');
  await expect(second.functions()).rejects.toThrow('no memory for code');
  first.release();
  second.release();
  const [found] = await library.borrow([addStep(8, 1)]).functions();
  expect(found?.functions).toHaveLength(1);
});

test('keys tell apart what kernels depend on, and nothing else', () => {
  const key = stepKey(addStep(8, 1));
  expect(stepKey(addStep(8, 1))).toBe(key);
  expect(stepKey({ ...addStep(8, 1), attrs: { ...addStep(8, 1).attrs, label: 'sum' } })).toBe(key);
  for (const other of [addStep(9, 1), addStep(8, 2), addStep(8, Number.NaN)])
    expect(stepKey(other)).not.toBe(key);
  expect(stepKey(addStep(8, -0))).not.toBe(stepKey(addStep(8, 0)));
  const { loop } = addStep(8, 1).attrs as unknown as { loop: Loop };
  const withExpression = (expression: Loop['expression']): string =>
    stepKey({ ...addStep(8, 1), attrs: { loop: { ...loop, expression } } });
  const [x, y] = [input(0, 'f32'), input(1, 'f32')];
  const sumOf = binary('add', x, y);
  // a node named by its number must not be taken for another
  expect(withExpression(binary('mul', sumOf, binary('add', x, x)))).not.toBe(
    withExpression(binary('mul', sumOf, binary('add', x, y))),
  );
  // 2^40 paths through 40 nodes
  let deep = sumOf;
  for (let i = 0; i < 40; i++) deep = binary('mul', deep, deep);
  expect(withExpression(deep).length).toBeLessThan(5000);
});
