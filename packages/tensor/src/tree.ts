// Trees: parameters, optimiser states and batches are plain nested data with tensors as leaves.
import { ShapeError, sentence } from './errors.ts';
import { sameShape } from './shape.ts';
import type { Tensor } from './tensor.ts';

/** A tensor, or arrays and plain objects of trees. Declare parameter types with `type`, not `interface`. */
export type Tree = Tensor | readonly Tree[] | { readonly [key: string]: Tree };

/** Whether a value is a tensor, that is, a leaf of a tree. */
export const isTensor = (value: unknown): value is Tensor =>
  typeof value === 'object' &&
  value !== null &&
  'source' in value &&
  'dtype' in value &&
  typeof value.dtype === 'string' &&
  'shape' in value &&
  Array.isArray(value.shape);

/** The entries of an array or plain object. Types do not reach plain JavaScript callers, so the rest is refused here. */
const childrenOf = (tree: Exclude<Tree, Tensor>, path: string): [string, Tree][] => {
  const node: unknown = tree;
  const prototype: unknown =
    typeof node === 'object' && node !== null ? Object.getPrototypeOf(node) : undefined;
  if (Array.isArray(node) || prototype === Object.prototype || prototype === null)
    return Object.entries(tree);
  throw new ShapeError(
    sentence({
      where: 'tree',
      label: path === '' ? undefined : path,
      needs: 'tensors in arrays and plain objects',
      got: describeValue(node),
      advice: 'Pass numbers as scalar(x) and data as tensor(data).',
    }),
  );
};

const describeValue = (value: unknown): string =>
  typeof value === 'object' && value !== null ? `a ${value.constructor?.name ?? 'object'}` : String(value);

/** The tensors of a tree, in the order of its keys. */
export const leaves = (tree: Tree): Tensor[] => leavesWithPaths(tree).map(([, leaf]) => leaf);

/** The tensors of a tree with their paths, such as `backbone.layer2.0.conv1.weight`. */
export const leavesWithPaths = (tree: Tree, prefix = ''): [string, Tensor][] => {
  // one growing list: a training step looks at a thousand leaves, and lists of lists cost several times as much
  const found: [string, Tensor][] = [];
  const visit = (node: Tree, path: string): void => {
    if (isTensor(node)) found.push([path, node]);
    else
      for (const [key, child] of childrenOf(node, path)) visit(child, path === '' ? key : `${path}.${key}`);
  };
  visit(tree, prefix);
  return found;
};

/** Whether two trees have equal keys in one order, and leaves of equal specs: exactly then one traced program serves both. */
export const areAlike = (a: Tree, b: Tree): boolean => {
  if (isTensor(a)) return isTensor(b) && a.dtype === b.dtype && sameShape(a.shape, b.shape);
  if (isTensor(b) || Array.isArray(a) !== Array.isArray(b)) return false;
  const [inA, inB] = [childrenOf(a, ''), childrenOf(b, '')];
  return (
    inA.length === inB.length &&
    inA.every(([key, child], i) => key === inB[i]![0] && areAlike(child, inB[i]![1]))
  );
};

/** The tree with every leaf replaced by `f(leaf, path)`. */
export const mapTree = <T extends Tree>(f: (leaf: Tensor, path: string) => Tensor, tree: T): T => {
  const visit = (node: Tree, path: string): Tree => {
    if (isTensor(node)) return f(node, path);
    const below = (key: string): string => (path === '' ? key : `${path}.${key}`);
    return Array.isArray(node)
      ? node.map((child: Tree, i) => visit(child, below(String(i))))
      : Object.fromEntries(childrenOf(node, path).map(([key, child]) => [key, visit(child, below(key))]));
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
  const count = leaves(first).length;
  const longer = columns.find((column) => column.size > count);
  if (longer !== undefined) throw differentTrees(`${count} leaves in every tree`, [...longer.keys()]);
  return mapTree((leaf, path) => {
    const row = columns.map((column) => {
      const match = column.get(path);
      if (match !== undefined) return match;
      throw differentTrees(`a leaf '${path}' in every tree`, [...column.keys()]);
    });
    return f(leaf, ...row);
  }, first);
};

const differentTrees = (needs: string, paths: readonly string[]): ShapeError =>
  new ShapeError(
    sentence({
      where: 'mapTrees',
      needs,
      got: `a tree with leaves ${paths.slice(0, 8).join(', ') || 'none'}`,
      advice: 'Pass trees of one structure.',
    }),
  );

/** The tree with its leaves replaced, in order, by those of a list. */
export const fillTree = <T extends Tree>(tree: T, values: readonly Tensor[]): T => {
  let next = 0;
  return mapTree(() => values[next++]!, tree);
};
