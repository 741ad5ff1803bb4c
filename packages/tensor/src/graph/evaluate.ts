// Evaluating graphs, reading values, releasing storage.
import type { Backend, Buffer } from '../backends/backend.ts';
import { describeSpec, LifetimeError, sentence } from '../errors.ts';
import type { Data, Tensor } from '../tensor.ts';
import type { Tree } from '../tree.ts';
import { fillTree, leaves } from '../tree.ts';
import { findNotFinite } from './finite.ts';
import { linearize } from './graph.ts';

/** The tensor of a buffer. */
export const evaluated = (buffer: Buffer): Tensor => ({
  shape: buffer.spec.shape,
  dtype: buffer.spec.dtype,
  depth: 0,
  source: { kind: 'buffer', buffer },
});

/** Options of `evaluate`. */
export interface EvaluateOptions {
  readonly backend: Backend;
  /** Runs step by step and throws at the first value that is NaN or infinite, naming the operation. */
  readonly checkFinite?: boolean;
}

/**
 * The tree with every tensor computed.
 *
 * Throws   NotFiniteError with `checkFinite`, naming the first operation that gave NaN or infinity
 * Example  await read(await evaluate(add(a, b), { backend }))
 */
export const evaluate = async <T extends Tree>(
  tree: T,
  { backend, checkFinite }: EvaluateOptions,
): Promise<T> => {
  const inputs = [...new Set(evaluatedLeaves(leaves(tree)))];
  const buffers = inputs.map((t) => liveBuffer(t, 'evaluate', backend));
  const graph = linearize(
    leaves(tree),
    inputs.map((tensor) => ({ tensor, donated: false })),
  );
  if (checkFinite === true) await findNotFinite(graph, buffers, backend);
  const program = await backend.compile(graph);
  try {
    return fillTree(tree, (await program.run(buffers)).map(evaluated));
  } finally {
    program.destroy();
  }
};

/** The evaluated tensors that a graph rests on. */
const evaluatedLeaves = (outputs: readonly Tensor[]): Tensor[] => {
  const seen = new Set<Tensor>();
  const stack = [...outputs];
  for (let t = stack.pop(); t !== undefined; t = stack.pop()) {
    if (seen.has(t)) continue;
    seen.add(t);
    if (t.source.kind === 'apply') stack.push(...t.source.inputs);
  }
  return [...seen].filter((t) => t.source.kind === 'buffer');
};

/**
 * The elements of an evaluated or constant tensor, row-major: f32 as Float32Array (Float64Array on the f64 reference), i32 as
 * Int32Array, bool as Uint8Array.
 *
 * Throws  LifetimeError for a tensor that is not computed, donated or freed
 */
export const read = async (t: Tensor): Promise<Data> => {
  if (t.source.kind === 'constant') {
    const { data } = t.source;
    return data instanceof Float64Array ? Float32Array.from(data) : data.slice();
  }
  const buffer = liveBuffer(t, 'read');
  return buffer.backend.download(buffer);
};

/** Frees the storage of every evaluated tensor of a tree; using one afterwards throws. */
export const release = (tree: Tree): void => {
  for (const t of leaves(tree)) {
    if (t.source.kind !== 'buffer' || t.source.buffer.state !== 'live') continue;
    t.source.buffer.backend.free(t.source.buffer);
    t.source.buffer.retiredBy = 'release';
  }
};

/** The buffer of an evaluated tensor, when it is live and on this backend. */
export const liveBuffer = (t: Tensor, where: string, backend?: Backend): Buffer => {
  if (t.source.kind !== 'buffer') throw new LifetimeError(unreadMessage(where, t));
  const { buffer } = t.source;
  const lost = buffer.state !== 'live';
  if (!lost && (backend === undefined || buffer.backend === backend)) return buffer;
  throw new LifetimeError(
    sentence({
      where,
      needs: lost ? 'a live tensor' : `a tensor on backend ${backend!.name}`,
      got: lost
        ? `${describeSpec(t)} that was ${buffer.state} by ${buffer.retiredBy ?? 'its owner'}`
        : `${describeSpec(t)} on another backend (${buffer.backend.name})`,
      advice: lost ? 'Use the result of that call instead.' : 'Read it and pass the data.',
    }),
  );
};

const unreadMessage = (where: string, t: Tensor): string =>
  t.source.kind === 'argument'
    ? sentence({
        where,
        needs: 'a computed tensor',
        got: `the placeholder ${t.source.path} ${describeSpec(t)}`,
        advice: 'Values do not exist while a function is traced; return the tensor and read it outside.',
      })
    : sentence({
        where,
        needs: 'an evaluated tensor',
        got: `${describeSpec(t)} that is not computed yet`,
        advice: 'Evaluate it on a backend first.',
      });
