// What goes wrong on GPU.js, and what is said about it.
import { expect, test, vi } from 'vitest';
import type { Host } from '../../src/backends/gpujs/host.ts';
import { openHost } from '../../src/backends/gpujs/host.ts';
import { gpujsBackend } from '../../src/backends/gpujs/index.ts';
import type { Tensor } from '../../src/index.ts';
import {
  add,
  compile,
  createBackend,
  evaluate,
  exp,
  log,
  matmul,
  mul,
  ones,
  read,
  release,
  tensor,
} from '../../src/index.ts';

/** A host on which GPU.js falls back for every kernel whose text says that it should; reads take time where `isLate`. */
const fallingBack = async (isMissing: (text: string) => boolean, isLate: boolean): Promise<Host> => {
  const host = await openHost('webasm');
  return {
    ...host,
    read: (handle) => {
      const numbers = host.read(handle);
      return isLate ? new Promise((keep) => setTimeout(() => keep(numbers as Float32Array), 1)) : numbers;
    },
    compile: (source, lengths, length) =>
      isMissing(source.text)
        ? Promise.resolve('GPU.js fell back to mode cpu: for a test')
        : host.compile(source, lengths, length),
  };
};

const chain = (x: Tensor): Tensor => mul(exp(matmul(exp(x), x)), x);

test.each([false, true])(
  'a kernel that falls back is computed by reference loops, and says so (late: %s)',
  async (isLate) => {
    const host = await fallingBack((text) => text.includes('Math.exp'), isLate);
    const backend = await gpujsBackend({}, async () => host);
    const run = compile(chain, { backend });
    const x = tensor([
      [0.5, -1],
      [0.25, 0.75],
    ]);
    const result = await run(x);
    const again = await run(x);
    const expected = await read(await evaluate(chain(x), { backend: await createBackend('cpu') }));
    const close = Array.from(expected, (value) => expect.closeTo(value, 5));
    expect([...(await read(result))]).toEqual(close);
    expect([...(await read(again))]).toEqual(close);
    expect(run.describe()).toContain('(1 tuned, 2 reference)');
    expect(run.describe()).toContain('[reference: GPU.js fell back to mode cpu: for a test]');
    release([result, again]);
    run.destroy();
    await backend.destroy();
    expect(host.live()).toBe(0);
  },
);

test('under strict a kernel that falls back is an error', async () => {
  const backend = await gpujsBackend({}, () => fallingBack((text) => text.includes('Math.exp'), false));
  const run = compile(chain, { backend, strict: true });
  await expect(run(ones([2, 2]))).rejects.toThrow(
    /^compile: needs a tuned kernel for every step \(strict\), got loop\(.*\): GPU\.js fell back to mode cpu/,
  );
  await backend.destroy();
});

test('every primitive has a kernel: strict programs compile', async () => {
  const backend = await createBackend('gpujs', { mode: 'cpu' });
  const run = compile(chain, { backend, strict: true });
  await expect(run(ones([2, 2]))).resolves.toBeDefined();
  await backend.destroy();
});

test('tensors of other backends, NaN under checkFinite, and tensors that are too large are errors', async () => {
  const [backend, other] = [await createBackend('gpujs', { mode: 'cpu' }), await createBackend('cpu')];
  const foreign = await evaluate(ones([2]), { backend: other });
  const run = compile((x: Tensor) => add(x, 1), { backend });
  await expect(run(foreign)).rejects.toThrow(
    /needs a tensor on backend gpujs, got f32\[2\] on another backend \(cpu\)/,
  );
  await expect(evaluate(log(tensor([-1])), { backend, checkFinite: true })).rejects.toThrow(
    /needs finite values \(checkFinite\), got NaN at element 0 of log/,
  );
  const large = compile((x: Tensor) => exp(matmul(x, x, { transposeA: true })), { backend });
  await expect(large(ones([1, 4097]))).rejects.toThrow(
    /needs tensors of at most 16777216 numbers .*, got f32\[4097,4097\]/,
  );
  await backend.destroy();
});

test('modes that are unknown or do not work here are errors', async () => {
  await expect(createBackend('gpujs', { mode: 'webgl' as 'webgl2' })).rejects.toThrow(
    "createBackend(gpujs): needs one of the modes webgpu, webgl2, webasm, cpu, got 'webgl'. Choose one of these.",
  );
  await expect(createBackend('gpujs', { mode: 'webgl2' })).rejects.toThrow(
    "createBackend(gpujs): needs mode webgl2, got a place where it does not work. Leave out 'mode' for the best that does.",
  );
});

test('without the package gpu.js the error says how to install it', async () => {
  vi.doMock('gpu.js', () => {
    throw new Error('not there');
  });
  vi.resetModules();
  const fresh = await import('../../src/index.ts');
  await expect(fresh.createBackend('gpujs')).rejects.toThrow(
    /^createBackend\(gpujs\): needs the package gpu\.js, got .*npm install gpu\.js/s,
  );
  vi.doUnmock('gpu.js');
  vi.resetModules();
});

test('the best mode of Node is webasm; a program gives everything back', async () => {
  let host: Host | undefined;
  const backend = await gpujsBackend({}, async (mode) => {
    host = await openHost(mode);
    return host;
  });
  expect(host!.mode).toBe('webasm');
  const run = compile(chain, { backend, donate: [0] });
  let x = await evaluate(ones([3, 3]), { backend });
  const before = host!.live();
  for (let i = 0; i < 3; i++) x = await run(x);
  const held = host!.live();
  for (let i = 0; i < 3; i++) x = await run(x);
  expect(host!.live()).toBe(held);
  run.destroy();
  expect(host!.live()).toBe(before);
  release(x);
  expect(host!.live()).toBe(0);
  await backend.destroy();
});

test('a run that fails gives back what it had taken', async () => {
  const host = await openHost('webasm');
  let runs = 0;
  const backend = await gpujsBackend({}, async () => ({
    ...host,
    compile: async (...how) => {
      const kernel = await host.compile(...how);
      if (typeof kernel === 'string') return kernel;
      return {
        ...kernel,
        run: (inputs, output) => {
          if (++runs === 3) throw new Error('the device is gone');
          kernel.run(inputs, output);
        },
      };
    },
  }));
  const run = compile(chain, { backend });
  const x = await evaluate(ones([2, 2]), { backend });
  runs = 0;
  await expect(run(x)).rejects.toThrow('the device is gone');
  run.destroy();
  release(x);
  expect(host.live()).toBe(0);
  await backend.destroy();
});
