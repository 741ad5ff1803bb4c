// Engines that lack something, and options that mean nothing: an error that names it, or fewer threads and the reason.
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Tensor, WasmOptions } from '../../src/index.ts';
import { compile, createBackend, defaultBackend, matmul, tensor, UnsupportedError } from '../../src/index.ts';
import { failureOf, numbers } from '../outcomes.ts';

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

describe('without SIMD', () => {
  test('there is no wasm backend', async () => {
    vi.spyOn(WebAssembly, 'validate').mockReturnValue(false);
    const failure = await failureOf(() => createBackend('wasm'));
    expect(failure).toBeInstanceOf(UnsupportedError);
    expect(failure.message).toBe(
      "createBackend(wasm): needs WebAssembly SIMD, got an engine without it. Use backend 'cpu', or a newer engine.",
    );
  });

  test('the default backend is the reference, and says why', async () => {
    vi.spyOn(WebAssembly, 'validate').mockReturnValue(false);
    const { backend, reason } = await defaultBackend();
    expect(backend.name).toBe('cpu');
    expect(reason).toContain('needs WebAssembly SIMD');
  });

  test('only fma needs relaxed SIMD', async () => {
    // the plain probe comes first
    vi.spyOn(WebAssembly, 'validate').mockReturnValueOnce(true).mockReturnValue(false);
    const { message } = await failureOf(() => createBackend('wasm', { fma: true }));
    expect(message).toBe(
      "createBackend(wasm): needs WebAssembly relaxed SIMD, got an engine without it. Leave out 'fma', or use a newer engine.",
    );
  });
});

/** What `describe()` says of the threads of a backend that was asked for two, after a right result. */
const threadsHad = async (): Promise<string> => {
  const backend = await createBackend('wasm', { threads: 2 });
  const product = compile((x: Tensor) => matmul(x, x), { backend });
  const side = 200; // enough to be divided
  const result = await numbers(
    await product(tensor(new Float32Array(side ** 2).fill(1), { shape: [side, side] })),
  );
  expect(result.every((value) => value === side)).toBe(true);
  const [, threads] = /plan memory, (.*)\n/.exec(product.describe())!;
  await backend.destroy();
  return threads!;
};

/** A memory as an engine gives it that has no 4 GiB of address space left for a shared one. */
function smallMemory(descriptor: WebAssembly.MemoryDescriptor): WebAssembly.Memory {
  if (descriptor.shared === true) throw new RangeError('could not allocate memory');
  return new OwnMemory(descriptor);
}
const OwnMemory = WebAssembly.Memory;

describe('threads that cannot be had leave one, and describe() says why', () => {
  test('where everything is there, there are two', async () => {
    expect(await threadsHad()).toBe('2 threads');
  });

  test('no shared memory', async () => {
    vi.stubGlobal('SharedArrayBuffer', undefined);
    expect(await threadsHad()).toBe('1 thread (no shared memory here)');
  });

  test('a page that is not isolated', async () => {
    vi.stubGlobal('crossOriginIsolated', false);
    expect(await threadsHad()).toBe('1 thread (this page is not cross-origin isolated)');
  });

  test('no workers', async () => {
    vi.stubGlobal('process', { ...process, getBuiltinModule: undefined });
    vi.stubGlobal('Worker', undefined);
    expect(await threadsHad()).toBe('1 thread (no workers here)');
  });

  test('no address space', async () => {
    vi.stubGlobal('WebAssembly', { __proto__: WebAssembly, Memory: smallMemory });
    expect(await threadsHad()).toBe('1 thread (this engine gives no shared memory of 4 GiB)');
  });
});

describe('a number of threads that is none', () => {
  test.each<readonly [unknown, string]>([
    [0, '0'],
    [-1, '-1'],
    [1.5, '1.5'],
    [Number.NaN, 'NaN'],
    [Number.POSITIVE_INFINITY, 'Infinity'],
    [257, '257'],
    ['2', "'2'"],
    [null, 'null'],
  ])('%s is refused', async (threads, got) => {
    const failure = await failureOf(() => createBackend('wasm', { threads } as WasmOptions));
    expect(failure).toBeInstanceOf(UnsupportedError);
    expect(failure.message).toBe(
      `createBackend(wasm): needs threads as a whole number from 1 to 256, got ${got}. Leave out 'threads' for one.`,
    );
  });
});
