// What all modes need to make kernels of GPU.js from text.
import { sentence, UnsupportedError } from '../../errors.ts';
import type { Gpu, GpuKernel, KernelSettings, KernelShortcut } from './gpujsTypes.ts';
import type { KernelSource } from './source.ts';
import { rowFunctions } from './source.ts';

/** Makes a kernel for array arguments of the given types, `stay` where its output stays on the GPU. */
export const createKernel = (
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

/** The last arguments of a kernel. */
export const specialValues = (special: boolean): readonly number[] =>
  special ? [Number.POSITIVE_INFINITY, Number.NaN] : [];

/** The kernel that GPU.js computes with once `kernel` was built, or why it put one of another mode in its place. */
export const usedKernel = (kernel: GpuKernel, shortcut: KernelShortcut): GpuKernel | string => {
  const used = shortcut.kernel;
  if (used === kernel) return kernel;
  used.destroy();
  return `GPU.js fell back to mode ${used.constructor.mode ?? 'cpu'}: ${used.fallbackReason ?? 'it gave no reason'}`;
};

/** The error of an array that a mode has no room for. */
export const tooLarge = (length: number, limit: string): UnsupportedError =>
  new UnsupportedError(
    sentence({
      where: 'gpujs',
      needs: `arrays that fit ${limit}`,
      got: `one of ${length} numbers`,
      advice: 'Use smaller tensors, or another mode.',
    }),
  );
