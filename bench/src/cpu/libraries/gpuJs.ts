// gpu.js as a library of the comparison, compiling to WebAssembly: it runs loops that its user writes, here the plain ones.
import type { Library, Prepared } from '../library.ts';
import type { Importer } from '../peers.ts';
import type { ConvWork, MatmulWork, Values, Work } from '../work.ts';
import { isOfDetector } from '../work.ts';

type Rows = ArrayLike<number> | readonly Rows[];
type Kernel = ((...args: unknown[]) => Rows) & { destroy(): void };

/** The part of gpu.js that the comparison calls. */
interface GpuJs {
  readonly GPU: new (settings: {
    readonly mode: 'webasm';
  }) => { createKernel(source: string, settings: object): Kernel };
  /** Sizes from the innermost axis outwards. */
  readonly input: (data: Float32Array, sizes: readonly number[]) => unknown;
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

const flat = (rows: Rows): number[] =>
  Array.from(rows as readonly Rows[]).flatMap((row) => (typeof row === 'number' ? [row] : flat(row)));

const prepare = (kernel: Kernel, args: readonly unknown[]): Prepared => {
  let result: Rows = [];
  return {
    run: async () => {
      result = kernel(...args);
    },
    outputs: async () => [flat(result)],
    free: () => kernel.destroy(),
  };
};

const prepareMatmul = ({ GPU, input }: GpuJs, { size, a, b }: MatmulWork): Prepared => {
  const settings = { constants: { size }, output: [size, size], precision: 'single' };
  const kernel = new GPU({ mode: 'webasm' }).createKernel(matmulSource, settings);
  return prepare(kernel, [input(a.data, [size, size]), input(b.data, [size, size])]);
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

const prepareConv = ({ GPU, input }: GpuJs, { layer, border, x, weight, ct }: ConvWork): Prepared => {
  const { channels, kernel, stride, outChannels } = layer;
  const out = ct.shape[2]!;
  const image = bordered(x, border);
  const settings = {
    constants: { channels, kernel, stride },
    output: [out, out, outChannels],
    precision: 'single',
  };
  return prepare(new GPU({ mode: 'webasm' }).createKernel(convSource, settings), [
    input(image.data, [...image.shape].reverse()),
    input(weight.data, [channels * kernel * kernel, outChannels]),
  ]);
};

/** gpu.js in its WebAssembly mode. */
export const gpuJs = async (load: Importer, version = 'unknown'): Promise<Library> => {
  const module = await load<GpuJs>('gpu.js');
  return {
    name: 'gpu.js',
    version,
    isThreaded: false,
    compilesFirst: true,
    prepare: async (work: Work) => {
      if (work.kind === 'matmul') return prepareMatmul(module, work);
      if (isOfDetector(work)) return 'cannot train the detector: has no gradients';
      if (work.kind === 'conv' && work.pass === 'forward') return prepareConv(module, work);
      return work.kind === 'conv' ? 'has no gradients' : 'has no networks: its user writes every loop';
    },
  };
};
