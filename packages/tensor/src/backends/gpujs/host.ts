// Loading GPU.js, and what the backend needs of it in every mode: kernels from text, and the arrays that they read and write.
//
// A kernel of GPU.js owns its output. In the modes on a GPU that would keep one array alive per kernel for ever, so here every kernel
// is given the array that it writes, before each run: the plan of a program decides who owns what, and GPU.js allocates nothing.

import { sentence, UnsupportedError } from '../../errors.ts';
import type { Fact } from '../survey.ts';
import type { BufferHandle, DeviceBuffer, Gpu, GpujsLibrary } from './gpujsTypes.ts';
import { createKernel, specialValues, tooLarge, usedKernel } from './hostKernels.ts';
import type { GpujsMode } from './modes.ts';
import { gpujsModes } from './modes.ts';
import type { Contents, KernelSource } from './source.ts';
import { openTextures } from './textures.ts';

/** What an array is: so many numbers in single precision, texels or blocks. */
export interface Layout {
  readonly length: number;
  readonly contents: Contents;
}

/** An array, wherever the mode keeps it. */
export interface Handle extends Layout {}

/** A kernel that is ready to run. */
export interface HostKernel {
  /** Writes all of `output`, which is none of the inputs. */
  run(inputs: readonly Handle[], output: Handle): void;
  destroy(): void;
}

/** GPU.js in one mode. */
export interface Host {
  readonly mode: GpujsMode;
  /** A new array, of texels and blocks only in modes that have them; what it holds is not defined. */
  allocate(length: number, contents?: Contents): Handle;
  free(handle: Handle): void;
  write(handle: Handle, data: Float32Array): void;
  /** A copy of the numbers; a promise only where they cannot be had at once. */
  read(handle: Handle): Float32Array | Promise<Float32Array>;
  /** The kernel of a text, or why GPU.js would not compute it in this mode. */
  compile(source: KernelSource, lengths: readonly number[], length: number): Promise<HostKernel | string>;
  /** Arrays that were allocated and not freed. */
  live(): number;
  destroy(): Promise<void>;
}

/**
 * The library.
 *
 * Throws  UnsupportedError when it is not installed
 */
export const loadGpujs = async (): Promise<GpujsLibrary> => {
  try {
    const loaded = (await import('gpu.js')) as unknown as GpujsLibrary & { readonly default?: GpujsLibrary };
    return loaded.default ?? loaded;
  } catch (error) {
    throw unsupported('the package gpu.js', error instanceof Error ? error.message : String(error), hint);
  }
};

const hint = 'Install it beside this package: npm install gpu.js --omit=optional.';

const unsupported = (needs: string, got: string, advice: string): UnsupportedError =>
  new UnsupportedError(sentence({ where: 'createBackend', label: 'gpujs', needs, got, advice }));

/** The best mode that works here. */
const bestMode = async (library: GpujsLibrary): Promise<GpujsMode> => {
  for (const mode of gpujsModes) if (await works(library, mode)) return mode;
  return 'cpu';
};

const works = async ({ GPU }: GpujsLibrary, mode: GpujsMode): Promise<boolean> => {
  if (mode === 'webgpu') return GPU.isWebGPUAvailable();
  if (mode === 'webgl2') return GPU.isWebGL2Supported;
  return mode === 'cpu' || GPU.isWebAssemblySupported;
};

/** What the GPU.js backend would run on here: its modes that work, the best first. Throws UnsupportedError without the library. */
export const surveyGpujs = async (): Promise<Readonly<Record<string, Fact>>> => {
  const library = await loadGpujs();
  const modes: GpujsMode[] = [];
  for (const mode of gpujsModes) if (await works(library, mode)) modes.push(mode);
  return { modes };
};

/**
 * GPU.js in a mode, the best by default.
 *
 * Throws  UnsupportedError when the library is not installed or the mode does not work here
 */
export const openHost = async (wanted?: GpujsMode): Promise<Host> => {
  if (wanted !== undefined && !gpujsModes.includes(wanted))
    throw unsupported(
      `one of the modes ${gpujsModes.join(', ')}`,
      `'${String(wanted)}'`,
      'Choose one of these.',
    );
  const library = await loadGpujs();
  const mode = wanted ?? (await bestMode(library));
  if (!(await works(library, mode)))
    throw unsupported(
      `mode ${mode}`,
      'a place where it does not work',
      "Leave out 'mode' for the best that does.",
    );
  const gpu = new library.GPU({ mode });
  if (mode === 'webgl2') return openTextures(library, gpu);
  return mode === 'webgpu' ? openBuffers(library, gpu) : openArrays(gpu, mode);
};

/** Modes cpu and webasm: typed arrays, of which every run makes a new one. */
const openArrays = (gpu: Gpu, mode: 'cpu' | 'webasm'): Host => {
  interface ArrayHandle extends Handle {
    data: Float32Array | undefined;
  }
  const dataOf = (handle: Handle): Float32Array => {
    const held = handle as ArrayHandle;
    held.data ??= new Float32Array(held.length);
    return held.data;
  };
  let live = 0;
  return {
    mode,
    allocate: (length): ArrayHandle => {
      live++;
      return { length, contents: 'numbers', data: undefined };
    },
    free: (handle) => {
      live--;
      (handle as ArrayHandle).data = undefined;
    },
    write: (handle, data) => {
      (handle as ArrayHandle).data = data.slice();
    },
    read: (handle) => dataOf(handle).slice(),
    compile: async (source, lengths, length) => {
      const shortcut = createKernel(gpu, source, { types: lengths.map(() => 'Array'), stay: false }, length);
      const special = specialValues(source.special);
      const { kernel: first } = shortcut;
      first.build(...lengths.map((n) => new Float32Array(n)), ...special);
      const kernel = usedKernel(first, shortcut);
      if (typeof kernel === 'string') return kernel;
      return {
        run: (inputs, output) => {
          (output as ArrayHandle).data = kernel.run(...inputs.map(dataOf), ...special) as Float32Array;
        },
        destroy: () => kernel.destroy(),
      };
    },
    live: () => live,
    destroy: () => gpu.destroy(),
  };
};

// the numbers of GPUBufferUsage and GPUMapMode, which are no globals where WebGPU comes from a package
const usage = { mapRead: 1, copySource: 4, copyTarget: 8, storage: 128 };
const mapForReading = 1;

/** Mode webgpu: storage buffers. */
const openBuffers = async ({ WebGPUContext, WebGPUBufferResult }: GpujsLibrary, gpu: Gpu): Promise<Host> => {
  interface BufferPlace extends Handle {
    readonly place: BufferHandle;
  }
  const placeOf = (handle: Handle): BufferHandle => (handle as BufferPlace).place;
  const context = await WebGPUContext.acquire();
  const { device } = context;
  const mostBytes = Math.min(device.limits.maxStorageBufferBindingSize, device.limits.maxBufferSize);
  const live = new Set<Handle>();
  const placeFor = (buffer: DeviceBuffer, length: number): BufferHandle =>
    new WebGPUBufferResult({ buffer, output: [length], componentCount: 1, context, kernel: null });
  const allocate = (length: number): BufferPlace => {
    if (4 * length > mostBytes) throw tooLarge(length, `buffers of ${mostBytes} bytes`);
    const buffer = device.createBuffer({
      size: 4 * length,
      usage: usage.storage | usage.copySource | usage.copyTarget,
    });
    const handle: BufferPlace = { length, contents: 'numbers', place: placeFor(buffer, length) };
    live.add(handle);
    return handle;
  };
  // kernels are built for the kinds of their arrays: one small buffer stands for all, and none is to be made for the output
  const small = device.createBuffer({ size: 4, usage: usage.storage });
  const example = placeFor(small, 1);
  const largeEnough = { size: Number.POSITIVE_INFINITY };
  const free = (handle: Handle): void => {
    live.delete(handle);
    placeOf(handle).buffer.destroy();
  };
  const read = async (handle: Handle): Promise<Float32Array> => {
    const bytes = 4 * handle.length;
    const staging: DeviceBuffer = device.createBuffer({
      size: bytes,
      usage: usage.mapRead | usage.copyTarget,
    });
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(placeOf(handle).buffer, 0, staging, 0, bytes);
    device.queue.submit([encoder.finish()]);
    try {
      await staging.mapAsync(mapForReading);
      return new Float32Array(staging.getMappedRange().slice(0));
    } finally {
      staging.destroy();
    }
  };
  return {
    mode: 'webgpu',
    allocate,
    free,
    read,
    write: (handle, data) => device.queue.writeBuffer(placeOf(handle).buffer, 0, data),
    compile: async (text, lengths, length) => {
      const arrays = { types: lengths.map(() => 'WebGPUBuffer'), stay: true };
      const shortcut = createKernel(gpu, text, arrays, length);
      const special = specialValues(text.special);
      const { kernel: built } = shortcut;
      built.outputBuffer = largeEnough;
      await built.build(...lengths.map(() => example), ...special);
      const kernel = usedKernel(built, shortcut);
      if (typeof kernel === 'string') return kernel;
      return {
        run: (given, target) => {
          kernel.outputBuffer = placeOf(target).buffer;
          kernel.bindGroupDirty = true;
          kernel.run(...given.map(placeOf), ...special);
        },
        destroy: () => {
          kernel.outputBuffer = null;
          kernel.destroy();
        },
      };
    },
    live: () => live.size,
    destroy: async () => {
      // the device outlives this context of GPU.js
      for (const handle of [...live]) free(handle);
      small.destroy();
      await gpu.destroy();
    },
  };
};
