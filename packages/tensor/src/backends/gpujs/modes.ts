// The modes of GPU.js, and what the kernels must know about each.

/** Where GPU.js computes. */
export type GpujsMode = 'webgl2' | 'webgpu' | 'webasm' | 'cpu';

/** All modes, the best first. */
export const gpujsModes: readonly GpujsMode[] = ['webgpu', 'webgl2', 'webasm', 'cpu'];

/** What differs between the modes, as far as the text of kernels depends on it. */
export interface ModeTraits {
  /** Exponentials, logarithms and powers by the host's Math, accurate to the last place; else by functions of our own. */
  readonly hostMath: boolean;
  /** Quotients are rounded as IEEE 754 says; else quotients of whole numbers are corrected by one where needed. */
  readonly exactDivision: boolean;
  /** Sums are computed as they are written; else compilers may change the order of operations. */
  readonly keepsSums: boolean;
  /** Numbers are doubles until they are stored, so that every result must be rounded for single precision to mean what it does elsewhere. */
  readonly computesInDoubles: boolean;
  /** Kernels read texels of four numbers, and give them or blocks of four. */
  readonly hasTexels: boolean;
}

const onHost: ModeTraits = {
  hostMath: true,
  exactDivision: true,
  keepsSums: true,
  computesInDoubles: false,
  hasTexels: false,
};
const onGpu: ModeTraits = { ...onHost, hostMath: false, exactDivision: false, keepsSums: false };

/** What the kernels must know, by mode. */
export const traitsOf: Readonly<Record<GpujsMode, ModeTraits>> = {
  webgl2: { ...onGpu, hasTexels: true },
  webgpu: onGpu,
  webasm: onHost,
  cpu: { ...onHost, computesInDoubles: true },
};

/** Array arguments of one kernel at most: WebGPU guarantees eight storage buffers, and the output takes one. The same in all modes, so that all run the same plan. */
export const mostArrays = 7;

/** Numbers in one array at most: positions are computed in single precision, which is exact up to here. */
export const mostNumbers: number = 2 ** 24;
