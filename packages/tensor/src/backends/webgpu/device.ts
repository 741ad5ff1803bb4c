// Finding a GPU: the page's own, or in Node the optional package `webgpu`.
import { sentence, UnsupportedError } from '../../errors.ts';
import type { Fact } from '../survey.ts';
import type { ProductArithmetic } from './kernel.ts';
import type { TileChoice } from './kernels/tiles.ts';
import { unitSide } from './kernels/unitProducts.ts';

/** Options of the WebGPU backend. */
export interface WebgpuOptions {
  /** Where adapters come from; the page's `navigator.gpu`, or in Node the package `webgpu`, by default. */
  readonly gpu?: GPU;
  /** Refuses adapters that compute on the CPU. Off by default. */
  readonly realGpu?: boolean;
  /**
   * `mixed` rounds the operands of products (matmul, convolutions, their gradients) to half precision, with sums, results, weights and everything
   * else in single precision, on the device's matrix units where it has them. `emulated mixed` gives the same numbers on every adapter, at no
   * gain in speed: for trying a recipe. Gradients below 6e-8 round to zero; scale the loss where they matter. `f32` by default.
   */
  readonly precision?: 'f32' | 'mixed' | 'emulated mixed';
  /** Tiles of products by the adapter they were tuned for, as `tuneTiles` gives them; other adapters get tiles that are good everywhere. */
  readonly tiles?: Readonly<Record<string, TileChoice>>;
}

/** A device, what it runs on, and what it may be asked for. */
export interface GpuDevice {
  readonly device: GPUDevice;
  /** The adapter as text, such as `nvidia ampere, NVIDIA A100`. */
  readonly adapter: string;
  /** Whether it computes on the CPU. */
  readonly isSoftware: boolean;
  /** The arithmetic of products; single precision without it. */
  readonly products?: ProductArithmetic;
  /** What must not be collected while the device is in use: Dawn ends with its last reference from JavaScript. */
  readonly held: readonly unknown[];
}

/** A device with the adapter's own limits, which are often far above the ones that every adapter has. */
export const requestDevice = async ({
  gpu,
  realGpu = false,
  precision = 'f32',
}: WebgpuOptions): Promise<GpuDevice> => {
  const source = gpu ?? (await findGpu(precision));
  const adapter = await requestAdapter(source);
  const { info } = adapter;
  const isSoftware = isSoftwareAdapter(info);
  if (realGpu && isSoftware)
    throw new UnsupportedError(
      missing(
        'a real GPU (realGpu)',
        `the software adapter ${describeAdapter(info)}`,
        'Use backend wasm, which is faster there.',
      ),
    );
  const requiredLimits: Record<string, number> = {};
  for (const name of wantedLimits) requiredLimits[name] = adapter.limits[name];
  const { products, requiredFeatures } = arithmeticFor(adapter, precision);
  const device = await adapter.requestDevice({ requiredLimits, requiredFeatures });
  return {
    device,
    adapter: describeAdapter(info),
    isSoftware,
    ...(products === undefined ? {} : { products }),
    held: [source, adapter],
  };
};

/** The arithmetic of products at a precision, and the features that it needs. */
const arithmeticFor = (
  { features, info }: GPUAdapter,
  precision: NonNullable<WebgpuOptions['precision']>,
): { readonly products?: ProductArithmetic; readonly requiredFeatures: GPUFeatureName[] } => {
  if (precision === 'f32') return { requiredFeatures: [] };
  if (precision === 'emulated mixed') return { products: 'emulated half', requiredFeatures: [] };
  if (!features.has('shader-f16'))
    throw new UnsupportedError(
      missing(
        'the feature shader-f16 (precision mixed)',
        `the adapter ${describeAdapter(info)} without it`,
        "Leave precision out; 'emulated mixed' gives the same numbers.",
      ),
    );
  if (!hasUnits(features, info)) return { products: 'half', requiredFeatures: ['shader-f16'] };
  const requiredFeatures = ['shader-f16', ...unitFeatures] as GPUFeatureName[];
  return { products: 'units of half', requiredFeatures };
};

/** Features of matrix units, in no standard yet. */
const unitFeatures = ['subgroups', 'subgroup-size-control', 'chromium-experimental-subgroup-matrix'];

/** A shape that matrix units multiply. */
interface UnitShape {
  readonly componentType: string;
  readonly resultComponentType: string;
  readonly M: number;
  readonly N: number;
  readonly K: number;
}

/** Whether the adapter has units for the halves and sides that our kernel multiplies. */
const hasUnits = (features: GPUSupportedFeatures, info: GPUAdapterInfo): boolean => {
  const { subgroupMatrixConfigs = [] } = info as { readonly subgroupMatrixConfigs?: Iterable<UnitShape> };
  return (
    unitFeatures.every((name) => features.has(name)) &&
    [...subgroupMatrixConfigs].some(
      ({ componentType, resultComponentType, M, N, K }) =>
        componentType === 'f16' &&
        resultComponentType === 'f32' &&
        [M, N, K].every((side) => side === unitSide),
    )
  );
};

/** What the WebGPU backend would run on here. Throws UnsupportedError without WebGPU or an adapter. */
export const surveyWebgpu = async ({ gpu }: WebgpuOptions = {}): Promise<Readonly<Record<string, Fact>>> => {
  const { info, features, limits } = await requestAdapter(gpu ?? (await findGpu('f32')));
  return {
    adapter: describeAdapter(info),
    software: isSoftwareAdapter(info),
    features: tellingFeatures.filter((name) => features.has(name)),
    limits: Object.fromEntries(wantedLimits.map((name) => [name, limits[name]])),
  };
};

const requestAdapter = async (source: GPU): Promise<GPUAdapter> => {
  const adapter = await source.requestAdapter({ powerPreference: 'high-performance' });
  if (adapter !== null) return adapter;
  throw new UnsupportedError(
    missing('a GPU adapter', 'none', 'Check the driver (Vulkan, Metal or Direct3D 12), or use backend wasm.'),
  );
};

/** Features of adapters that say something of computing. */
const tellingFeatures = [
  'shader-f16',
  'subgroups',
  'subgroup-size-control',
  'chromium-experimental-subgroup-matrix',
  'timestamp-query',
];

const wantedLimits = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupsPerDimension',
  'maxComputeWorkgroupStorageSize',
] as const;

const missing = (needs: string, got: string, advice: string): string =>
  sentence({ where: 'createBackend', label: 'webgpu', needs, got, advice });

/** What the package `webgpu` gives. */
interface DawnModule {
  create(options: readonly string[]): GPU;
}

const findGpu = async (precision: WebgpuOptions['precision']): Promise<GPU> => {
  const own = (globalThis as { readonly navigator?: { readonly gpu?: GPU } }).navigator?.gpu;
  if (own !== undefined) return own;
  const isNode = 'process' in globalThis && !('document' in globalThis);
  if (!isNode)
    throw new UnsupportedError(
      missing(
        'WebGPU',
        'a browser without navigator.gpu',
        'Use a browser that has it (on a page from https or localhost), or backend gpujs or wasm.',
      ),
    );
  // a name that bundlers cannot see: the package is optional, and only for Node
  const name = 'webgpu';
  const dawn = await (import(/* @vite-ignore */ name) as Promise<DawnModule>).catch((error: unknown) => {
    throw new UnsupportedError(
      missing(
        'the package webgpu, which brings WebGPU to Node',
        error instanceof Error ? error.message.split('\n')[0]! : String(error),
        'Install it: npm install webgpu.',
      ),
      { cause: error },
    );
  });
  // our kernels write workgroup memory before they read it; clearing it first costs software adapters half a second per shader
  const toggles = ['disable_workgroup_init', ...(precision === 'mixed' ? mixedToggles : [])];
  return dawn.create([`enable-dawn-features=${toggles.join(',')}`]);
};

/** What Dawn in Node wants to be told before it offers halves on NVIDIA's driver, and matrix units at all. */
const mixedToggles = ['allow_unsafe_apis', 'vulkan_enable_f16_on_nvidia'];

const softwareNames = /swiftshader|llvmpipe|lavapipe|software|basic render/i;

const isSoftwareAdapter = (info: GPUAdapterInfo): boolean =>
  info.isFallbackAdapter === true ||
  softwareNames.test(`${info.vendor} ${info.architecture} ${info.device} ${info.description}`);

const describeAdapter = ({ vendor, architecture, description, device }: GPUAdapterInfo): string =>
  [[vendor, architecture].filter((text) => text !== '').join(' '), description || device]
    .filter((text) => text !== '')
    .join(', ');
