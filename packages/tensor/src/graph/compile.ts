// Running graphs: compile (trace once per shape, replay), evaluate, read, release.
import type { Backend, Buffer, Program } from '../backends/backend.ts';
import { describeSpec, LifetimeError, RetraceError, sentence } from '../errors.ts';
import type { Data, Tensor } from '../tensor.ts';
import { specOf } from '../tensor.ts';
import type { Tree } from '../tree.ts';
import { fillTree, leaves, leavesWithPaths, mapTree } from '../tree.ts';
import { findNotFinite } from './finite.ts';
import { linearize } from './graph.ts';

/** Options of `compile`. */
export interface CompileOptions {
  readonly backend: Backend;
  /** Arguments whose storage the call takes: they cannot be used afterwards. */
  readonly donate?: readonly number[];
  /** Makes an untuned kernel an error on backends that have tuned ones. */
  readonly strict?: boolean;
  /** How many shape signatures may be traced before a further one throws; 8 by default. */
  readonly maxTraces?: number;
}

/** A compiled function. Its results are evaluated tensors that own their storage. */
export interface Compiled<In extends readonly Tree[], Out extends Tree> {
  (...args: In): Promise<Out>;
  /** The programs made so far, as text: every step, its kernel and why, the memory. */
  describe(): string;
  /** Frees the programs; the function traces anew when called again. */
  destroy(): void;
}

interface Trace<Out extends Tree> {
  readonly program: Program;
  readonly out: Out;
}

/**
 * A function that traces `fn` once per shape signature of its arguments and then replays the planned program.
 *
 * Throws   RetraceError past `maxTraces` signatures, naming what changed; LifetimeError for donated or freed arguments and for
 *          evaluated tensors that `fn` captures
 * Example  const step = compile((x: Tensor) => mul(x, 2), { backend });  await read(await step(tensor([1, 2])))
 */
export const compile = <In extends readonly Tree[], Out extends Tree>(
  fn: (...args: In) => Out,
  options: CompileOptions,
): Compiled<In, Out> => {
  const { backend, donate = [], maxTraces = 8 } = options;
  const name = fn.name === '' ? 'compiled function' : fn.name;
  const traces = new Map<string, Promise<Trace<Out>>>();
  const programs = new Map<string, Program>();

  const trace = async (args: In, signature: string): Promise<Trace<Out>> => {
    const given: { tensor: Tensor; donated: boolean }[] = [];
    const placeholders = args.map((arg, i) =>
      mapTree((leaf, path) => {
        const at = path === '' ? `argument ${i}` : `argument ${i}: ${path}`;
        const source = { kind: 'argument', index: given.length, path: at } as const;
        const tensor: Tensor = { ...specOf(leaf), depth: 0, source };
        given.push({ tensor, donated: donate.includes(i) });
        return tensor;
      }, arg),
    ) as unknown as In;
    const out = fn(...placeholders);
    const graph = linearize(leaves(out), given);
    const program = await backend.compile(
      graph,
      options.strict === undefined ? {} : { strict: options.strict },
    );
    programs.set(signature, program);
    return { program, out: mapTree((leaf) => ({ ...specOf(leaf), depth: 0, source: leaf.source }), out) };
  };

  const call = async (...args: In): Promise<Out> => {
    const signature = signatureOf(args);
    if (!traces.has(signature)) {
      if (traces.size >= maxTraces)
        throw new RetraceError(retraceMessage(name, signature, [...traces.keys()]));
      traces.set(signature, trace(args, signature));
    }
    const known = await traces.get(signature)!.catch((error: unknown) => {
      traces.delete(signature);
      throw error;
    });
    const named = args.flatMap((arg, i) =>
      leavesWithPaths(arg).map(([path, leaf]) => ({
        leaf,
        at: path === '' ? `argument ${i}` : `argument ${i}: ${path}`,
        donated: donate.includes(i),
      })),
    );
    const buffers = await bufferAll(named, name, backend);
    const results = known.program.run(buffers.map(({ buffer }) => buffer));
    named.forEach(({ at, donated }, i) => {
      const { buffer, temporary } = buffers[i]!;
      if (temporary && buffer.state === 'live') backend.free(buffer);
      if (donated) buffer.retiredBy = `${name}(${at})`;
    });
    return fillTree(known.out, results.map(evaluated));
  };

  return Object.assign(call, {
    describe: () =>
      [...programs]
        .map(([signature, program]) => `${name}(${signature})\n${program.describe()}`)
        .join('\n\n'),
    destroy: () => {
      for (const program of programs.values()) program.destroy();
      programs.clear();
      traces.clear();
    },
  });
};

const evaluated = (buffer: Buffer): Tensor => ({
  ...buffer.spec,
  depth: 0,
  source: { kind: 'buffer', buffer },
});

const signatureOf = (args: readonly Tree[]): string =>
  args
    .map((arg) =>
      leavesWithPaths(arg)
        .map(([path, leaf]) => `${path === '' ? '' : `${path} `}${describeSpec(leaf)}`)
        .join(', '),
    )
    .join('; ');

const retraceMessage = (name: string, wanted: string, known: readonly string[]): string => {
  const previous = known.at(-1)!.split(/[;,] (?=\S)/);
  const changed = wanted.split(/[;,] (?=\S)/).filter((entry) => !previous.includes(entry));
  return sentence({
    where: name,
    needs: `at most ${known.length} shape signatures (maxTraces)`,
    got: `a further one, in which ${changed.slice(0, 3).join(' and ') || 'the structure'} differs from the last; so far: ${known.map((k) => `(${shorten(k)})`).join(' ')}`,
    advice: 'Pad or bucket inputs to fewer shapes, or raise maxTraces.',
  });
};

const shorten = (text: string): string => (text.length > 160 ? `${text.slice(0, 157)}...` : text);

interface NamedLeaf {
  readonly leaf: Tensor;
  readonly at: string;
  readonly donated: boolean;
}

/** A live buffer for every leaf; constants are uploaded, unevaluated leaves computed, for this call only. */
const bufferAll = async (
  named: readonly NamedLeaf[],
  name: string,
  backend: Backend,
): Promise<{ buffer: Buffer; temporary: boolean }[]> => {
  const seen = new Map<Buffer, string>();
  const found: { buffer: Buffer; temporary: boolean }[] = [];
  for (const { leaf, at, donated } of named) {
    const { source } = leaf;
    if (source.kind === 'buffer') {
      const buffer = liveBuffer(leaf, `${name}(${at})`, backend);
      const other = seen.get(buffer);
      if (other !== undefined && donated) throw new LifetimeError(sharedMessage(name, at, other));
      seen.set(buffer, at);
      found.push({ buffer, temporary: false });
    } else if (source.kind === 'constant')
      found.push({ buffer: backend.upload(source.data, specOf(leaf)), temporary: true });
    else {
      const computed = await evaluate(leaf, { backend });
      found.push({ buffer: liveBuffer(computed, at, backend), temporary: true });
    }
  }
  return found;
};

const sharedMessage = (name: string, at: string, other: string): string =>
  sentence({
    where: name,
    needs: 'donated tensors to appear once',
    got: `one tensor as ${other} and ${at}`,
    advice: 'Pass a copy in one place.',
  });

/** The buffer of an evaluated tensor, when it is live and on this backend. */
const liveBuffer = (t: Tensor, where: string, backend?: Backend): Buffer => {
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
  const results = program.run(buffers);
  program.destroy();
  return fillTree(tree, results.map(evaluated));
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
  if (t.source.kind === 'constant') return t.source.data.slice();
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
