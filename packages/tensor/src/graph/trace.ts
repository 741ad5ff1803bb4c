// The graph of a function, as data: what counts operations, prints or exports looks at.
import type { Tree } from '../tree.ts';
import { leaves } from '../tree.ts';
import type { Graph } from './graph.ts';
import { linearize } from './graph.ts';
import { placeholdersOf } from './placeholders.ts';

/**
 * The steps that a call of `fn` consists of, before any pass. Only the shapes of the arguments matter.
 *
 * Throws   LifetimeError for evaluated tensors that `fn` captures
 * Example  traceGraph((x: Tensor) => relu(x), [zeros([2, 3])]).steps.map(({ op }) => op.name)
 */
export const traceGraph = <In extends readonly Tree[]>(fn: (...args: In) => Tree, args: In): Graph => {
  const { placeholders, given } = placeholdersOf(args, []);
  return linearize(leaves(fn(...placeholders)), given);
};
