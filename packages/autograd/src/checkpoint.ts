// Trading time for memory: a part of a network whose inner values are computed again for the backward pass.
import type { Tensor, Tree } from '@autoassign/tensor';
import { after, concat, fillTree, leaves, reshape, sizeOf, slice, withRule } from '@autoassign/tensor';
import { backward } from './backward.ts';

/**
 * The function `fn`, differentiated by computing it anew: its inner values need not be kept until the backward pass.
 *
 * The second computation starts from `after(argument, cotangent)`: it cannot be merged with the first and cannot begin before the
 * cotangent exists.
 *
 * Gradient that of `fn`, to the arguments; none to tensors that `fn` captures, so pass parameters as arguments
 * Example  const block = checkpoint((params: Block, x: Tensor) => relu(conv2d(x, params.weight)));
 */
export const checkpoint =
  <Args extends readonly Tree[], Out extends Tree>(fn: (...args: Args) => Out): ((...args: Args) => Out) =>
  (...args) => {
    const inputs = leaves(args);
    const out = fn(...args);
    const recompute = (ct: Tensor): readonly (Tensor | null)[] => {
      const again = inputs.map((input) => after(input, ct));
      const output = pack(floatLeaves(fn(...fillTree(args, again))));
      return backward({ outputs: [output], cotangents: [ct], wrt: again });
    };
    const values = floatLeaves(out);
    if (values.length === 0) return out;
    const kept = unpack(withRule(pack(values), inputs, recompute), values);
    let next = 0;
    return fillTree(
      out,
      leaves(out).map((leaf) => (leaf.dtype === 'f32' ? kept[next++]! : leaf)),
    );
  };

const floatLeaves = (tree: Tree): Tensor[] => leaves(tree).filter(({ dtype }) => dtype === 'f32');

/** Several tensors as one vector, so that their cotangents arrive together and one recomputation serves all; a single one as it is. */
const pack = (tensors: readonly Tensor[]): Tensor =>
  tensors.length === 1 ? tensors[0]! : concat(tensors.map((t) => reshape(t, [-1])));

/** The tensors of a packed vector, in the shapes of `like`. */
const unpack = (packed: Tensor, like: readonly Tensor[]): Tensor[] => {
  if (like.length === 1) return [packed];
  let start = 0;
  return like.map(({ shape }) => {
    const part = slice(packed, [start], [sizeOf(shape)]);
    start += sizeOf(shape);
    return reshape(part, shape);
  });
};
