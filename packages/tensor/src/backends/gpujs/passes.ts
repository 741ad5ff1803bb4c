// What is done to a graph before its kernels are written.
import { fuse } from '../../graph/fuse.ts';
import type { Graph, Slot, Step } from '../../graph/graph.ts';
import { separateResults } from '../../graph/graph.ts';
import { runSinksEarly } from '../../graph/order.ts';
import { simplify } from '../../graph/simplify.ts';
import type { ConcatAttrs } from '../../ops/movement.ts';
import { splitFolds } from './folds.ts';
import type { ModeTraits } from './modes.ts';
import { mostArrays } from './modes.ts';
import { packProducts } from './packed/steps.ts';

/**
 * The graph with one step per kernel, none of which reads more arrays than a kernel takes. Where there are texels, products of at least
 * so many multiplications are computed on them.
 */
export const prepare = (graph: Graph, { hasTexels }: ModeTraits, leastProducts?: number): Graph => {
  const separate = splitJoins(separateResults(simplify(graph)), mostArrays);
  const fused = runSinksEarly(splitFolds(fuse(separate, { mostInputs: mostArrays })));
  return hasTexels ? packProducts(fused, leastProducts) : fused;
};

/** An equal graph in which no `concat` has more than `most` inputs. */
const splitJoins = (graph: Graph, most: number): Graph => {
  const specs = [...graph.specs];
  const steps: Step[] = [];
  for (const step of graph.steps) {
    if (step.op.name !== 'concat') {
      steps.push(step);
      continue;
    }
    const { axis } = step.attrs as ConcatAttrs;
    let parts: readonly Slot[] = step.inputs;
    while (parts.length > most) {
      const joined: Slot[] = [];
      for (let i = 0; i < parts.length; i += most) {
        const inputs = parts.slice(i, i + most);
        if (inputs.length === 1) {
          joined.push(inputs[0]!);
          continue;
        }
        const { shape, dtype } = specs[inputs[0]!]!;
        const size = inputs.reduce((sum, slot) => sum + specs[slot]!.shape[axis]!, 0);
        const output = specs.push({ dtype, shape: shape.map((n, d) => (d === axis ? size : n)) }) - 1;
        steps.push({ ...step, inputs, output });
        joined.push(output);
      }
      parts = joined;
    }
    steps.push({ ...step, inputs: parts });
  }
  return { ...graph, specs, steps };
};
