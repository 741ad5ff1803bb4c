// Trees: parameters, optimiser states and batches are plain nested data with tensors as leaves.
import { ShapeError, sentence } from './errors.ts';
import type { Tensor } from './tensor.ts';

/** A tensor, or arrays and plain objects of trees. Declare parameter types with `type`, not `interface`. */
export type Tree = Tensor | readonly Tree[] | { readonly [key: string]: Tree };

/** Whether a value is a tensor, that is, a leaf of a tree. */
export const isTensor = (value: unknown): value is Tensor =>
  typeof value === 'object' && value !== null && 'source' in value && 'dtype' in value && 'shape' in value;

const childrenOf = (tree: Exclude<Tree, Tensor>): [string, Tree][] => Object.entries(tree);

/** The tensors of a tree, in the order of its keys. */
export const leaves = (tree: Tree): Tensor[] =>
  isTensor(tree) ? [tree] : childrenOf(tree).flatMap(([, child]) => leaves(child));

/** The tensors of a tree with their paths, such as `backbone.layer2.0.conv1.weight`. */
export const leavesWithPaths = (tree: Tree, prefix = ''): [string, Tensor][] =>
  isTensor(tree)
    ? [[prefix, tree]]
    : childrenOf(tree).flatMap(([key, child]) =>
        leavesWithPaths(child, prefix === '' ? key : `${prefix}.${key}`),
      );

/** The tree with every leaf replaced by `f(leaf, path)`. */
export const mapTree = <T extends Tree>(f: (leaf: Tensor, path: string) => Tensor, tree: T): T => {
  const visit = (node: Tree, path: string): Tree => {
    if (isTensor(node)) return f(node, path);
    const below = (key: string): string => (path === '' ? key : `${path}.${key}`);
    return Array.isArray(node)
      ? node.map((child: Tree, i) => visit(child, below(String(i))))
      : Object.fromEntries(childrenOf(node).map(([key, child]) => [key, visit(child, below(key))]));
  };
  return visit(tree, '') as T;
};

/**
 * The tree with every leaf replaced by `f` of the leaves at its place in all trees.
 *
 * Throws ShapeError when the trees differ in structure
 */
export const mapTrees = <T extends Tree>(
  f: (...leaves: readonly Tensor[]) => Tensor,
  first: T,
  ...others: readonly Tree[]
): T => {
  const columns = others.map((other) => new Map(leavesWithPaths(other)));
  return mapTree((leaf, path) => {
    const row = columns.map((column) => {
      const match = column.get(path);
      if (match !== undefined) return match;
      throw new ShapeError(
        sentence({
          where: 'mapTrees',
          needs: `a leaf '${path}' in every tree`,
          got: `a tree with leaves ${[...column.keys()].slice(0, 8).join(', ') || 'none'}`,
          advice: 'Pass trees of one structure.',
        }),
      );
    });
    return f(leaf, ...row);
  }, first);
};

/** The tree with its leaves replaced, in order, by those of a list. */
export const fillTree = <T extends Tree>(tree: T, values: readonly Tensor[]): T => {
  let next = 0;
  return mapTree(() => values[next++]!, tree);
};
