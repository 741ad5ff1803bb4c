// The parts of GPU.js that this backend uses, most of which its own typings lack.

/** The library as it is imported. */
export interface GpujsLibrary {
  readonly GPU: GpuConstructor;
  readonly utils: {
    /** The size of the texture of an output. */
    getKernelTextureSize(
      settings: { readonly optimizeFloatMemory: boolean; readonly precision: 'single' },
      output: readonly number[],
    ): Int32Array;
  };
  readonly WebGPUContext: { acquire(): Promise<WebGpuContext> };
  readonly WebGPUBufferResult: new (settings: {
    readonly buffer: DeviceBuffer;
    readonly output: readonly number[];
    readonly componentCount: number;
    readonly context: WebGpuContext;
    readonly kernel: null;
  }) => BufferHandle;
}

interface GpuConstructor {
  new (settings: { readonly mode: string }): Gpu;
  readonly isWebGL2Supported: boolean;
  readonly isWebAssemblySupported: boolean;
  isWebGPUAvailable(): Promise<boolean>;
}

/** One context of GPU.js, in one mode. */
export interface Gpu {
  createKernel(source: string, settings: KernelSettings): KernelShortcut;
  /** A kernel that writes what the functions give, each time it calls them, into further outputs. */
  createKernelMap(functions: readonly string[], source: string, settings: KernelSettings): KernelShortcut;
  destroy(): Promise<void>;
}

/** How a kernel is made. */
export interface KernelSettings {
  readonly output: readonly number[];
  readonly argumentTypes: readonly string[];
  readonly functions: readonly {
    readonly source: string;
    readonly settings: { readonly argumentTypes: readonly string[]; readonly returnType: string };
  }[];
  /** What a thread gives where that is not one number. */
  readonly returnType?: string;
  readonly precision: 'single';
  /** Full precision also where a lower one would be faster. */
  readonly tactic: 'precision';
  readonly pipeline: boolean;
  readonly immutable: boolean;
  readonly fixIntegerDivisionAccuracy: boolean;
}

/** What `createKernel` gives: a function, and the kernel behind it, which GPU.js replaces when it falls back. */
export interface KernelShortcut {
  readonly kernel: GpuKernel;
}

/** A kernel. */
export interface GpuKernel {
  build(...args: unknown[]): void | Promise<void>;
  run(...args: unknown[]): unknown;
  destroy(removeCanvas?: boolean): void;
  readonly fallbackReason?: string | null;
  readonly constructor: { readonly mode?: string };
  /** WebGL: where the next run writes. */
  texture?: TextureHandle | null;
  /** WebGL: whether `texture` must be attached before the next run. */
  _textureSwitched?: boolean;
  /** WebGL: where the functions of a kernel map write. */
  mappedTextures?: readonly TextureHandle[] | null;
  /** WebGL: what the outputs are attached to, once they are. */
  drawBuffersMap?: readonly number[] | null;
  readonly framebuffer?: WebGLFramebuffer | null;
  /** WebGL. */
  readonly context?: WebGL2RenderingContext | null;
  /** WebGPU: where the next run writes; GPU.js makes one of its own where this is too small. */
  outputBuffer?: DeviceBuffer | { readonly size: number } | null;
  /** WebGPU: whether bindings must be made again. */
  bindGroupDirty?: boolean;
}

/** A texture as GPU.js passes it between kernels. */
export interface TextureHandle {
  readonly texture: WebGLTexture;
  toArray(): Float32Array;
}

/** The class of texture handles. */
export type TextureConstructor = new (settings: {
  readonly texture: WebGLTexture;
  readonly size: Int32Array;
  readonly dimensions: readonly number[];
  readonly output: readonly number[];
  readonly context: WebGL2RenderingContext;
  readonly internalFormat: number;
  readonly textureFormat: number;
  readonly kernel: GpuKernel;
}) => TextureHandle;

/** A buffer as GPU.js passes it between kernels. */
export interface BufferHandle {
  readonly buffer: DeviceBuffer;
}

/** The part of a GPUBuffer that is used; TypeScript's own library does not have WebGPU yet. */
export interface DeviceBuffer {
  mapAsync(mode: number): Promise<void>;
  getMappedRange(): ArrayBuffer;
  unmap(): void;
  destroy(): void;
}

interface WebGpuContext {
  readonly device: {
    readonly limits: { readonly maxStorageBufferBindingSize: number; readonly maxBufferSize: number };
    readonly queue: {
      writeBuffer(buffer: DeviceBuffer, offset: number, data: Float32Array): void;
      submit(commands: readonly unknown[]): void;
    };
    createBuffer(settings: { readonly size: number; readonly usage: number }): DeviceBuffer;
    createCommandEncoder(): {
      copyBufferToBuffer(from: DeviceBuffer, at: number, to: DeviceBuffer, toAt: number, bytes: number): void;
      finish(): unknown;
    };
  };
}
