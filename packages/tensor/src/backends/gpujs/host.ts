// Everything that touches GPU.js: loading it, making kernels from text, and the arrays that they read and write.
//
// A kernel of GPU.js owns its output. In the modes on a GPU that would keep one array alive per kernel for ever, so here every kernel
// is given the array that it writes, before each run: the plan of a program decides who owns what, and GPU.js allocates nothing.

import { sentence, UnsupportedError } from '../../errors.ts';
import type { Fact } from '../survey.ts';
import type {
  BufferHandle,
  DeviceBuffer,
  Gpu,
  GpujsLibrary,
  GpuKernel,
  KernelSettings,
  KernelShortcut,
  TextureConstructor,
  TextureHandle,
} from './gpujsTypes.ts';
import type { GpujsMode } from './modes.ts';
import { gpujsModes } from './modes.ts';
import type { Contents, KernelSource } from './source.ts';
import { blockRows, rowFunctions } from './source.ts';

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

/** Makes a kernel for array arguments of the given type. */
const createKernel = (
  gpu: Gpu,
  { text, functions, special, contents }: KernelSource,
  arrays: { readonly types: readonly string[]; readonly stay: boolean },
  length: number,
): KernelShortcut => {
  const settings: KernelSettings = {
    output: [length],
    argumentTypes: [...arrays.types, ...(special ? ['Float', 'Float'] : [])],
    ...(contents === undefined || contents.output === 'numbers' ? {} : { returnType: 'Array(4)' }),
    functions: functions.map((source) => ({
      source,
      settings: { argumentTypes: parametersOf(source).map(() => 'Number'), returnType: 'Number' },
    })),
    precision: 'single',
    tactic: 'precision',
    pipeline: arrays.stay,
    immutable: false,
    fixIntegerDivisionAccuracy: false,
  };
  return contents?.output === 'blocks'
    ? gpu.createKernelMap(rowFunctions, text, settings)
    : gpu.createKernel(text, settings);
};

const parametersOf = (source: string): readonly string[] =>
  source.slice(source.indexOf('(') + 1, source.indexOf(')')).split(',');

const specialValues = (special: boolean): readonly number[] =>
  special ? [Number.POSITIVE_INFINITY, Number.NaN] : [];

/** The kernel that GPU.js computes with once `kernel` was built, or why it put one of another mode in its place. */
const usedKernel = (kernel: GpuKernel, shortcut: KernelShortcut): GpuKernel | string => {
  const used = shortcut.kernel;
  if (used === kernel) return kernel;
  used.destroy();
  return `GPU.js fell back to mode ${used.constructor.mode ?? 'cpu'}: ${used.fallbackReason ?? 'it gave no reason'}`;
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

/** Mode webgl2: textures with one number or four per texel. */
const openTextures = async ({ utils }: GpujsLibrary, gpu: Gpu): Promise<Host> => {
  interface TexturePlace extends Handle {
    /** Of blocks four, else one. */
    readonly places: readonly TextureHandle[];
  }
  const texturesOf = (handle: Handle): readonly TextureHandle[] => (handle as TexturePlace).places;
  const sizeFor = (length: number): Int32Array =>
    utils.getKernelTextureSize({ optimizeFloatMemory: false, precision: 'single' }, [length]);
  // first kernels bring the context, and the classes of the textures that kernels exchange
  const firstKernel = async (output: 'numbers' | 'texels'): Promise<GpuKernel> => {
    const result = output === 'numbers' ? 'x' : '[x, x, x, x]';
    const text = `function () {\nlet x = this.thread.x;\nreturn ${result};\n}`;
    const source = { text, functions: [], special: false, contents: { arrays: [], output } };
    const { kernel } = createKernel(gpu, source, { types: [], stay: true }, 1);
    await kernel.build();
    return kernel;
  };
  const first = await firstKernel('numbers');
  const firstOfTexels = await firstKernel('texels');
  const gl = first.context!;
  const kinds = {
    numbers: { kernel: first, internalFormat: gl.R32F, textureFormat: gl.RED },
    texels: { kernel: firstOfTexels, internalFormat: gl.RGBA32F, textureFormat: gl.RGBA },
  };
  const kindOf = ({ contents }: Layout) => (contents === 'numbers' ? kinds.numbers : kinds.texels);
  const countOf = ({ contents }: Layout): number => (contents === 'blocks' ? blockRows : 1);
  const mostTexels = gl.getParameter(gl.MAX_TEXTURE_SIZE) as number;
  let live = 0;
  const bind = (texture: WebGLTexture): void => {
    gl.activeTexture(gl.TEXTURE15);
    gl.bindTexture(gl.TEXTURE_2D, texture);
  };
  const fill = (texture: WebGLTexture, layout: Layout, data: Float32Array | null): void => {
    const [width, height] = sizeFor(layout.length);
    const { internalFormat, textureFormat } = kindOf(layout);
    bind(texture);
    gl.pixelStorei(gl.UNPACK_FLIP_Y_WEBGL, false);
    gl.texImage2D(gl.TEXTURE_2D, 0, internalFormat, width!, height!, 0, textureFormat, gl.FLOAT, data);
  };
  const textureFor = (texture: WebGLTexture, layout: Layout): TextureHandle => {
    const kind = kindOf(layout);
    const { length } = layout;
    const Texture = kind.kernel.texture!.constructor as TextureConstructor;
    return new Texture({
      ...kind,
      texture,
      size: sizeFor(length),
      dimensions: [length, 1, 1],
      output: [length],
      context: gl,
    });
  };
  const allocateTexture = (layout: Layout): TextureHandle => {
    const texture = gl.createTexture();
    bind(texture);
    for (const wrap of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T])
      gl.texParameteri(gl.TEXTURE_2D, wrap, gl.CLAMP_TO_EDGE);
    for (const filter of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER])
      gl.texParameteri(gl.TEXTURE_2D, filter, gl.NEAREST);
    fill(texture, layout, null);
    return textureFor(texture, layout);
  };
  const allocate = (length: number, contents: Contents = 'numbers'): TexturePlace => {
    if (Math.max(...sizeFor(length)) > mostTexels)
      throw tooLarge(length, `textures of ${mostTexels} by ${mostTexels} numbers`);
    const layout: Layout = { length, contents };
    live++;
    return { ...layout, places: Array.from({ length: countOf(layout) }, () => allocateTexture(layout)) };
  };
  // kernels are built for the sizes of textures, whatever they hold: one small texture of a kind stands for all
  const examplesOf = (layout: Layout): readonly TextureHandle[] => {
    const { texture } = kindOf(layout).kernel.texture!;
    return Array.from({ length: countOf(layout) }, () => textureFor(texture, layout));
  };
  const free = (handle: Handle): void => {
    live--;
    for (const { texture } of texturesOf(handle)) gl.deleteTexture(texture);
  };
  /** Makes a kernel write into textures from its next run on: the first as its own output, those of further rows as those of its functions. */
  const sendTo = (kernel: GpuKernel, [own, ...rows]: readonly TextureHandle[]): void => {
    kernel.texture = own!;
    kernel._textureSwitched = true;
    if (rows.length === 0) return;
    kernel.mappedTextures = rows;
    kernel.drawBuffersMap = [own!, ...rows].map((_, i) => gl.COLOR_ATTACHMENT0 + i);
    if (kernel.framebuffer == null) return;
    gl.bindFramebuffer(gl.FRAMEBUFFER, kernel.framebuffer);
    rows.forEach(({ texture }, i) => {
      gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT1 + i, gl.TEXTURE_2D, texture, 0);
    });
  };
  return {
    mode: 'webgl2',
    allocate,
    free,
    write: (handle, data) => {
      const [width, height] = sizeFor(handle.length);
      const numbers = new Float32Array(width! * height!);
      numbers.set(data);
      fill(texturesOf(handle)[0]!.texture, handle, numbers);
    },
    read: (handle) => texturesOf(handle)[0]!.toArray(),
    compile: async (text, lengths, length) => {
      const { arrays = [], output = 'numbers' } = text.contents ?? {};
      const examples = lengths.flatMap((n, i) => {
        const contents = arrays[i] ?? 'numbers';
        const type = `ArrayTexture(${contents === 'numbers' ? 1 : 4})`;
        return examplesOf({ length: n, contents }).map((texture) => ({ type, texture }));
      });
      const types = examples.map(({ type }) => type);
      const shortcut = createKernel(gpu, text, { types, stay: true }, length);
      const special = specialValues(text.special);
      const { kernel: built } = shortcut;
      sendTo(built, examplesOf({ length, contents: output }));
      built.build(...examples.map(({ texture }) => texture), ...special);
      const kernel = usedKernel(built, shortcut);
      if (typeof kernel === 'string') return kernel;
      return {
        run: (given, target) => {
          sendTo(kernel, texturesOf(target));
          kernel.run(...given.flatMap(texturesOf), ...special);
        },
        destroy: () => {
          kernel.texture = null;
          kernel.mappedTextures = null;
          kernel.destroy();
        },
      };
    },
    live: () => live,
    destroy: () => gpu.destroy(),
  };
};

const tooLarge = (length: number, limit: string): UnsupportedError =>
  new UnsupportedError(
    sentence({
      where: 'gpujs',
      needs: `arrays that fit ${limit}`,
      got: `one of ${length} numbers`,
      advice: 'Use smaller tensors, or another mode.',
    }),
  );

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
