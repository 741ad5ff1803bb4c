// gpu.js as a library of the comparison, in its WebAssembly or its WebGPU mode: it runs loops that its user writes, here the plain ones.
import type { Library, Prepared } from '../library.ts';
import type { Importer } from '../peers.ts';
import type { ChainWork, ConvWork, MatmulWork, Values, Work } from '../work.ts';
import { isOfDetector } from '../work.ts';

type Rows = ArrayLike<number> | readonly Rows[];
/** A result that stays on the GPU. */
interface Resident {
  toArray(): Promise<Rows>;
  delete(): void;
}
type Result = Rows | Resident;
type Kernel = ((...args: unknown[]) => Result | Promise<Result>) & { destroy(): void };

/** The part of gpu.js that the comparison calls. */
interface GpuJs {
  readonly GPU: new (settings: {
    readonly mode: GpuJsMode;
  }) => { createKernel(source: string, settings: object): Kernel };
  /** Sizes from the innermost axis outwards. */
  readonly input: (data: Float32Array, sizes: readonly number[]) => unknown;
  readonly WebGPUContext: {
    acquire(): Promise<{
      readonly device: { readonly queue: { onSubmittedWorkDone(): Promise<unknown> } };
    }>;
  };
}

/** Modes of gpu.js that are compared. */
type GpuJsMode = 'webasm' | 'webgpu';

/** A mode of gpu.js, ready for kernels. */
interface Place {
  readonly createKernel: (source: string, output: readonly number[], constants: object) => Kernel;
  /** Values as an argument of kernels, in the library's storage. */
  readonly upload: (data: Float32Array, sizes: readonly number[]) => Promise<unknown>;
  readonly finish: () => Promise<void>;
}

// as text: gpu.js compiles a function's source, which tools on the way would change
const matmulSource = `function (a, b) {
  let total = 0;
  for (let i = 0; i < this.constants.size; i++) total += a[this.thread.y][i] * b[i][this.thread.x];
  return total;
}`;

const convSource = `function (x, w) {
  let total = 0;
  for (let c = 0; c < this.constants.channels; c++) {
    for (let i = 0; i < this.constants.kernel; i++) {
      for (let j = 0; j < this.constants.kernel; j++) {
        const row = this.thread.y * this.constants.stride + i;
        const column = this.thread.x * this.constants.stride + j;
        const tap = (c * this.constants.kernel + i) * this.constants.kernel + j;
        total += x[c][row][column] * w[this.thread.z][tap];
      }
    }
  }
  return total;
}`;

const chainSource = `function (x) {
  let y = x[this.thread.y][this.thread.x];
  for (let i = 0; i < this.constants.times; i++)
    y = 1 / (1 + Math.exp(-(x[this.thread.y][this.thread.x] * y + this.constants.shift)));
  return y;
}`;

const copySources: Readonly<Record<number, string>> = {
  2: 'function (x) { return x[this.thread.y][this.thread.x]; }',
  3: 'function (x) { return x[this.thread.z][this.thread.y][this.thread.x]; }',
};

/** Mode webasm: arguments are arrays, results too. */
const openArrays = ({ GPU, input }: GpuJs): Place => ({
  createKernel: (source, output, constants) =>
    new GPU({ mode: 'webasm' }).createKernel(source, { constants, output, precision: 'single' }),
  upload: async (data, sizes) => input(data, sizes),
  finish: async () => undefined,
});

/** Mode webgpu: arguments are put on the GPU by kernels that copy, and results stay there. */
const openGpu = async ({ GPU, input, WebGPUContext }: GpuJs): Promise<Place> => {
  const gpu = new GPU({ mode: 'webgpu' });
  const { device } = await WebGPUContext.acquire();
  const createKernel: Place['createKernel'] = (source, output, constants) =>
    gpu.createKernel(source, { constants, output, precision: 'single', pipeline: true });
  return {
    createKernel,
    upload: async (data, sizes) => createKernel(copySources[sizes.length]!, sizes, {})(input(data, sizes)),
    finish: async () => void (await device.queue.onSubmittedWorkDone()),
  };
};

const isResident = (result: Result): result is Resident => 'toArray' in result;

const flat = (rows: Rows): number[] => {
  const numbers: number[] = [];
  const add = (part: Rows | number): void => {
    if (typeof part === 'number') numbers.push(part);
    else for (let i = 0; i < part.length; i++) add(part[i]!);
  };
  add(rows);
  return numbers;
};

const prepare = ({ finish }: Place, kernel: Kernel, args: readonly unknown[]): Prepared => {
  let result: Result = [];
  return {
    run: async () => {
      result = await kernel(...args);
      await finish();
    },
    outputs: async () => [flat(isResident(result) ? await result.toArray() : result)],
    free: () => kernel.destroy(),
  };
};

const prepareMatmul = async (place: Place, { size, a, b }: MatmulWork): Promise<Prepared> => {
  const sizes = [size, size];
  const kernel = place.createKernel(matmulSource, sizes, { size });
  return prepare(place, kernel, [await place.upload(a.data, sizes), await place.upload(b.data, sizes)]);
};

const prepareChain = async (place: Place, { times, shift, x }: ChainWork): Promise<Prepared> => {
  const kernel = place.createKernel(chainSource, x.shape, { times, shift });
  return prepare(place, kernel, [await place.upload(x.data, x.shape)]);
};

/** The image within its border of zeros, so that the loops need no bounds. */
const bordered = ({ data, shape }: Values, border: number): Values => {
  const [, channels = 0, height = 0, width = 0] = shape;
  const [rows, columns] = [height + 2 * border, width + 2 * border];
  const out = new Float32Array(channels * rows * columns);
  for (let line = 0; line < channels * height; line++) {
    const row = Math.floor(line / height) * rows + (line % height) + border;
    out.set(data.subarray(line * width, (line + 1) * width), row * columns + border);
  }
  return { data: out, shape: [channels, rows, columns] };
};

const prepareConv = async (place: Place, { layer, border, x, weight, ct }: ConvWork): Promise<Prepared> => {
  const { channels, kernel, stride, outChannels } = layer;
  const out = ct.shape[2]!;
  const image = bordered(x, border);
  const constants = { channels, kernel, stride };
  return prepare(place, place.createKernel(convSource, [out, out, outChannels], constants), [
    await place.upload(image.data, [...image.shape].reverse()),
    await place.upload(weight.data, [channels * kernel * kernel, outChannels]),
  ]);
};

/** gpu.js in one of its modes. */
export const gpuJs = async (
  load: Importer,
  version = 'unknown',
  mode: GpuJsMode = 'webasm',
): Promise<Library> => {
  const module = await load<GpuJs>('gpu.js');
  const place = mode === 'webgpu' ? await openGpu(module) : openArrays(module);
  return {
    name: 'gpu.js',
    version,
    isThreaded: false,
    compilesFirst: true,
    prepare: async (work: Work) => {
      if (work.kind === 'matmul' && work.times > 1)
        return 'left out: a kernel has one output, which it cannot read';
      if (work.kind === 'matmul') return prepareMatmul(place, work);
      if (work.kind === 'chain') return prepareChain(place, work);
      if (isOfDetector(work)) return 'cannot train the detector: has no gradients';
      if (work.kind === 'conv' && work.pass === 'forward') return prepareConv(place, work);
      return work.kind === 'conv' ? 'has no gradients' : 'has no networks: its user writes every loop';
    },
  };
};
