// Compiled functions: trace once per shape signature, replay.
import type { Backend, Program } from '../backends/backend.ts';
import type { StepProfile } from '../backends/profile.ts';
import { describeSpec, RetraceError, sentence } from '../errors.ts';
import { specOf } from '../tensor.ts';
import type { Tree } from '../tree.ts';
import { areAlike, fillTree, leaves, leavesWithPaths, mapTree } from '../tree.ts';
import { argumentsOf, withBuffers } from './arguments.ts';
import { evaluated } from './evaluate.ts';
import { linearize } from './graph.ts';
import type { Given } from './placeholders.ts';
import { placeholdersOf } from './placeholders.ts';

/** Options of `compile`. */
export interface CompileOptions {
  readonly backend: Backend;
  /** Arguments whose storage the call takes: they cannot be used afterwards. */
  readonly donate?: readonly number[];
  /** Makes an untuned kernel an error on backends that have tuned ones. */
  readonly strict?: boolean;
  /** Measures the time of every step, for `profile()`. Off by default. */
  readonly profile?: boolean;
  /** How many shape signatures may be traced before a further one throws; 8 by default. */
  readonly maxTraces?: number;
}

/** A compiled function. Its results are evaluated tensors that own their storage. */
export interface Compiled<In extends readonly Tree[], Out extends Tree> {
  (...args: In): Promise<Out>;
  /** The programs made so far, as text: every step, its kernel and why, the memory. */
  describe(): string;
  /** What every step of the programs made so far has cost; empty unless compiled with `profile`. */
  profile(): readonly StepProfile[];
  /** Frees the programs once no call is under way; the function traces anew when called again. */
  destroy(): void;
}

interface Traced<Out extends Tree> {
  readonly program: Program;
  readonly out: Out;
}

/** One shape signature that the function was called with. */
interface Trace<In extends readonly Tree[], Out extends Tree> {
  /** The arguments without their values. */
  readonly placeholders: In;
  /** For people. */
  readonly signature: string;
  readonly result: Promise<Traced<Out>>;
  /** Set when it is compiled. */
  program?: Program;
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
  const { backend, donate = [], maxTraces = 8, strict = false, profile = false } = requireOptions(options);
  const name = fn.name === '' ? 'compiled function' : fn.name;
  const traces: Trace<In, Out>[] = [];
  const underWay = new Set<Promise<unknown>>();

  const traced = async (placeholders: In, given: readonly Given[]): Promise<Traced<Out>> => {
    const out = fn(...placeholders);
    const graph = linearize(leaves(out), given);
    const program = await backend.compile(graph, { strict, profile });
    return { program, out: mapTree((leaf) => ({ ...specOf(leaf), depth: 0, source: leaf.source }), out) };
  };

  const traceFor = (args: In): Trace<In, Out> => {
    const known = traces.find(({ placeholders }) => areAlike(placeholders, args));
    if (known !== undefined) return known;
    const signature = signatureOf(args);
    if (traces.length >= maxTraces) throw new RetraceError(retraceMessage(name, signature, traces));
    const { placeholders, given } = placeholdersOf(args, donate);
    const trace: Trace<In, Out> = { placeholders, signature, result: traced(placeholders, given) };
    traces.push(trace);
    trace.result.then(
      ({ program }) => {
        trace.program = program;
      },
      () => {
        const at = traces.indexOf(trace);
        if (at >= 0) traces.splice(at, 1);
      },
    );
    return trace;
  };

  const run = async (args: In): Promise<Out> => {
    const given = argumentsOf(args, donate);
    const { program, out } = await traceFor(args).result;
    const results = await withBuffers(given, name, backend, program.run);
    return fillTree(out, results.map(evaluated));
  };

  const call = async (...args: In): Promise<Out> => {
    const result = run(args);
    underWay.add(result);
    try {
      return await result;
    } finally {
      underWay.delete(result);
    }
  };

  const destroy = (): void => {
    const dropped = traces.splice(0);
    const end = (): void => {
      for (const { result } of dropped)
        result.then(
          ({ program }) => program.destroy(),
          () => undefined,
        );
    };
    if (underWay.size === 0) for (const { program } of dropped) program?.destroy();
    void Promise.allSettled(underWay).then(end);
  };

  return Object.assign(call, {
    describe: () =>
      traces
        .map(({ signature, program }) => `${name}(${signature})\n${program?.describe() ?? 'being compiled'}`)
        .join('\n\n'),
    profile: () => traces.flatMap(({ program }) => program?.profile() ?? []),
    destroy,
  });
};

const requireOptions = (options: CompileOptions): CompileOptions => {
  const { maxTraces = 8, donate = [] } = options;
  const isCount = (n: number): boolean => Number.isInteger(n) && n >= 0;
  if (isCount(maxTraces - 1) && donate.every(isCount)) return options;
  throw new RetraceError(
    sentence({
      where: 'compile',
      needs: 'maxTraces of at least 1 and argument numbers to donate',
      got: `maxTraces ${maxTraces}, donate [${donate}]`,
      advice: 'Correct the options.',
    }),
  );
};

/** The leaves of the arguments with their paths, for people. */
const signatureOf = (args: readonly Tree[]): string =>
  args
    .map((arg) =>
      leavesWithPaths(arg)
        .map(([path, leaf]) => `${path === '' ? '' : `${path} `}${describeSpec(leaf)}`)
        .join(', '),
    )
    .join('; ');

const retraceMessage = (
  name: string,
  wanted: string,
  traces: readonly { readonly signature: string }[],
): string => {
  const known = traces.map(({ signature }) => signature);
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
