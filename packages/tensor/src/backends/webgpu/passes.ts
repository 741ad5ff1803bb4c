// What becomes of a graph before it is planned for WebGPU.
import type { EpilogueOptions } from '../../graph/epilogues.ts';
import { fuseEpilogues } from '../../graph/epilogues.ts';
import { fuse } from '../../graph/fuse.ts';
import type { Graph } from '../../graph/graph.ts';
import { separateResults } from '../../graph/graph.ts';
import { runSinksEarly } from '../../graph/order.ts';
import { maskByResults } from '../../graph/rectifiers.ts';
import { simplify } from '../../graph/simplify.ts';
import { sizeOf } from '../../shape.ts';
import { splitSums } from './splitSums.ts';
import { storeHalves } from './storedHalves.ts';
import type { LeastConvolution } from './winograd/steps.ts';
import { takeConvolutionsApart } from './winograd/steps.ts';

/** Inputs of one loop at most, whatever the adapter allows: longer loops hold too many values at once. */
const longestLoop = 16;

/** What a step must have to be taken apart. */
interface LeastWork {
  readonly convolution: LeastConvolution;
  /** The sum of a filter gradient's part. */
  readonly sum: number;
}

const defaultLeastWork: LeastWork = { convolution: { channels: 16, products: 2e7 }, sum: 512 };

/** Where products round their operands, convolutions stay whole: transformed tiles are larger, and would round more. */
export const leastOfHalves: LeastWork = {
  ...defaultLeastWork,
  convolution: { channels: Number.POSITIVE_INFINITY, products: Number.POSITIVE_INFINITY },
};

/** What decides which passes do anything. */
export interface PrepareOptions {
  readonly least?: LeastWork | undefined;
  /** Whether values that only products read are stored as halves. Off by default. */
  readonly halves?: boolean;
}

/** An equal graph of the steps that have kernels here; none reads more than `mostInputs` tensors. */
export const prepare = (
  graph: Graph,
  mostInputs: number,
  { least = defaultLeastWork, halves = false }: PrepareOptions = {},
): Graph => {
  const separate = separateResults(maskByResults(simplify(graph)));
  const fused = runSinksEarly(fuse(separate, { mostInputs: Math.min(longestLoop, mostInputs) }));
  const finished = fuseEpilogues(fused, epiloguesWithin(mostInputs));
  const divided = splitSums(takeConvolutionsApart(finished, least.convolution), least.sum);
  return halves ? storeHalves(divided) : divided;
};

/** Forward convolutions and input gradients that compute anything; images and filters leave so many bindings to further inputs. */
const epiloguesWithin = (mostInputs: number): EpilogueOptions => ({
  mostOperands: mostInputs - 2,
  isProducer: ({ name }) => name === 'conv2d' || name === 'conv2dInputGrad',
  canFinish: (_step, inputs) => inputs.every(({ shape }) => sizeOf(shape) > 0),
});
