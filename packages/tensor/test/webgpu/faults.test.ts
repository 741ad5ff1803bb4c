// What goes wrong on a GPU, and how it is said: no adapter, software only, limits, bad shaders, a lost device, foreign tensors.
import { expect, test } from 'vitest';
import { openPipelines } from '../../src/backends/webgpu/program.ts';
import type { Backend } from '../../src/index.ts';
import {
  add,
  compile,
  createBackend,
  evaluate,
  full,
  mul,
  NotFiniteError,
  read,
  surveyBackends,
  tensor,
  UnsupportedError,
} from '../../src/index.ts';
import { failureOf } from '../outcomes.ts';

/** Dawn, through a door that shows the device that a backend was given, and may understate the adapter's limits. */
const watchedGpu = async (limits: Readonly<Record<string, number>> = {}) => {
  const { create } = (await import('webgpu')) as { create(options: readonly string[]): GPU };
  const source = create([]);
  const seen: { device?: GPUDevice } = {};
  const gpu = {
    requestAdapter: async (options?: GPURequestAdapterOptions) => {
      const adapter = (await source.requestAdapter(options))!;
      return {
        info: adapter.info,
        features: adapter.features,
        limits: new Proxy(adapter.limits, {
          get: (real, name) => limits[name as string] ?? real[name as keyof GPUSupportedLimits],
        }),
        requestDevice: async (descriptor?: GPUDeviceDescriptor) => {
          seen.device = await adapter.requestDevice(descriptor);
          return seen.device;
        },
      };
    },
  } as unknown as GPU;
  return { gpu, seen, source };
};

const sumOn = async (backend: Backend): Promise<ArrayLike<number>> =>
  read(
    await compile((...[a, b]: ReturnType<typeof tensor>[]) => add(a!, b!), { backend })(
      tensor([1, 2]),
      tensor([3, 4]),
    ),
  );

test('without an adapter there is no backend', async () => {
  const gpu = { requestAdapter: async () => null } as unknown as GPU;
  const failure = await failureOf(() => createBackend('webgpu', { gpu }));
  expect(failure).toBeInstanceOf(UnsupportedError);
  expect(failure.message).toBe(
    'createBackend(webgpu): needs a GPU adapter, got none. Check the driver (Vulkan, Metal or Direct3D 12), or use backend wasm.',
  );
});

test('a software adapter is refused where a real GPU is asked for, and named by the survey', async () => {
  const failure = await failureOf(() => createBackend('webgpu', { realGpu: true }));
  expect(failure).toBeInstanceOf(UnsupportedError);
  expect(failure.message).toContain('needs a real GPU (realGpu), got the software adapter');
  const found = (await surveyBackends()).find(({ name }) => name === 'webgpu');
  expect(found).toMatchObject({ isAvailable: true, facts: { software: true } });
});

test('a tensor beyond the limits of the adapter is named with the limit', async () => {
  const { gpu } = await watchedGpu({ maxBufferSize: 2 ** 27, maxStorageBufferBindingSize: 2 ** 27 });
  const backend = await createBackend('webgpu', { gpu });
  const failure = await failureOf(() => evaluate(full([40_000_000], 1), { backend }));
  expect(failure).toBeInstanceOf(UnsupportedError);
  expect(failure.message).toBe(
    'webgpu: needs a buffer of 152.6 MiB for a result f32[40000000], got an adapter whose storage buffers end at 128.0 MiB. Use smaller batches or images, or backend wasm.',
  );
  expect(await sumOn(backend)).toEqual(Float32Array.of(4, 6));
  await backend.destroy();
});

test('a shader that does not compile is shown with its step', async () => {
  const { gpu, seen } = await watchedGpu();
  const backend = await createBackend('webgpu', { gpu });
  const failure = await failureOf(() => openPipelines(seen.device!)('fn main( {', 'conv2d backbone.conv1'));
  expect(failure).toBeInstanceOf(UnsupportedError);
  expect(failure.message).toContain(
    'compile(conv2d backbone.conv1): needs a shader that this adapter compiles',
  );
  expect(failure.message).toContain('fn main( {');
  await backend.destroy();
});

test('after the device is lost every use says so', async () => {
  const { gpu, seen } = await watchedGpu();
  const backend = await createBackend('webgpu', { gpu });
  expect(await sumOn(backend)).toEqual(Float32Array.of(4, 6));
  seen.device!.destroy();
  await seen.device!.lost;
  const failure = await failureOf(() => sumOn(backend));
  expect(failure).toBeInstanceOf(UnsupportedError);
  expect(failure.message).toContain('webgpu: needs a working device, got a device that was lost');
  expect(failure.message).toContain('go on from the last checkpoint');
  await backend.destroy();
});

test('a tensor of another backend is refused, and NaN is found', async () => {
  const [backend, other] = [await createBackend('webgpu'), await createBackend('wasm')];
  const foreign = await evaluate(tensor([1]), { backend: other });
  const failure = await failureOf(() => evaluate(mul(foreign, 2), { backend }));
  expect(failure.message).toContain('on another backend (wasm)');
  const infinite = await failureOf(() =>
    evaluate(mul(tensor([1e38]), tensor([1e38])), { backend, checkFinite: true }),
  );
  expect(infinite).toBeInstanceOf(NotFiniteError);
  await backend.destroy();
  await other.destroy();
});
