// js-pytorch as a library of the comparison: matrices as nested arrays, no convolution.
import type { Library, Prepared } from '../library.ts';
import type { Importer } from '../peers.ts';
import type { MatmulWork, Values, Work } from '../work.ts';
import { isOfDetector } from '../work.ts';

interface TorchTensor {
  readonly data: number[][];
}

/** The part of js-pytorch that the comparison calls. */
interface JsPytorch {
  readonly torch: {
    tensor(data: number[][]): TorchTensor;
    matmul(a: TorchTensor, b: TorchTensor): TorchTensor;
  };
}

const rowsOf = ({ data, shape: [rows = 0, columns = 0] }: Values): number[][] =>
  Array.from({ length: rows }, (_, r) => Array.from(data.subarray(r * columns, (r + 1) * columns)));

const prepareMatmul = ({ torch }: JsPytorch, work: MatmulWork): Prepared => {
  const [a, b] = [torch.tensor(rowsOf(work.a)), torch.tensor(rowsOf(work.b))];
  let result: TorchTensor | undefined;
  return {
    run: async () => {
      result = a;
      for (let i = 0; i < work.times; i++) result = torch.matmul(result, b);
    },
    outputs: async () => [result!.data.flat()],
    free: () => {
      result = undefined;
    },
  };
};

/** js-pytorch on its CPU device. */
export const jsPytorch = async (load: Importer, version = 'unknown'): Promise<Library> => {
  const module = await load<JsPytorch>('js-pytorch');
  return {
    name: 'js-pytorch',
    version,
    isThreaded: false,
    compilesFirst: false,
    prepare: async (work: Work) =>
      work.kind === 'matmul'
        ? prepareMatmul(module, work)
        : isOfDetector(work)
          ? 'cannot train the detector: has no convolution'
          : 'has no convolution',
  };
};
