// Trees between backends: unevaluated values drawn on one and the same backend, evaluated ones read back, both as constants.
import type { Backend, Data, Tensor, Tree } from '@autoassign/tensor';
import {
  createBackend,
  evaluate,
  fillTree,
  leaves,
  read,
  release,
  tensor,
  UnsupportedError,
} from '@autoassign/tensor';

/** The tree with every leaf as a constant: a copy of its value, wherever that was. */
export const readTree = async <T extends Tree>(tree: T): Promise<T> => {
  const constants: Tensor[] = [];
  for (const leaf of leaves(tree)) constants.push(constantOf(leaf, await read(leaf)));
  return fillTree(tree, constants);
};

const constantOf = ({ shape, dtype }: Tensor, data: Data): Tensor => tensor(data, { shape, dtype });

/**
 * The tree computed on the CPU, as constants: the same bits whatever backend they go to. That is WebAssembly, whose bits are the same in
 * every engine, unless the engine has no SIMD.
 *
 * One leaf at a time, since initial values of a large network need many times their own memory while they are drawn.
 */
export const materialize = async <T extends Tree>(tree: T): Promise<T> => {
  let backend: Backend | undefined;
  const constants: Tensor[] = [];
  for (const leaf of leaves(tree)) {
    if (leaf.source.kind !== 'apply') {
      constants.push(leaf);
      continue;
    }
    backend ??= await cpuEngine();
    const computed = await evaluate(leaf, { backend });
    constants.push(constantOf(leaf, await read(computed)));
    release(computed);
  }
  await backend?.destroy();
  return fillTree(tree, constants);
};

const cpuEngine = (): Promise<Backend> =>
  createBackend('wasm').catch((error: unknown) => {
    if (error instanceof UnsupportedError) return createBackend('cpu');
    throw error;
  });

/** The backend that holds the first evaluated leaf of a tree, if there is one. */
export const backendOf = (tree: Tree): Backend | undefined => {
  for (const { source } of leaves(tree)) if (source.kind === 'buffer') return source.buffer.backend;
  return undefined;
};
