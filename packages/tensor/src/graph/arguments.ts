// The arguments of a compiled call: a live buffer for every leaf, for the time of the call.
import type { Backend, Buffer } from '../backends/backend.ts';
import { LifetimeError, sentence } from '../errors.ts';
import type { Tensor } from '../tensor.ts';
import { specOf } from '../tensor.ts';
import type { Tree } from '../tree.ts';
import { leavesWithPaths } from '../tree.ts';
import { evaluate, liveBuffer } from './evaluate.ts';

/** One leaf of the arguments of a call. */
export interface Argument {
  readonly leaf: Tensor;
  /** Where it stands, such as `argument 0: params.weight`. */
  readonly at: string;
  readonly donated: boolean;
}

/** The name of a place in the arguments. */
export const placeOf = (argument: number, path: string): string =>
  path === '' ? `argument ${argument}` : `argument ${argument}: ${path}`;

/** The leaves of a call's arguments, in order. */
export const argumentsOf = (args: readonly Tree[], donate: readonly number[]): Argument[] => {
  const beyond = donate.find((i) => i >= args.length);
  if (beyond !== undefined)
    throw new LifetimeError(
      sentence({
        where: 'compile',
        needs: 'donate to name arguments of the call',
        got: `argument ${beyond} of ${args.length}`,
        advice: 'Arguments are counted from 0.',
      }),
    );
  return args.flatMap((arg, i) =>
    leavesWithPaths(arg).map(([path, leaf]) => ({
      leaf,
      at: placeOf(i, path),
      donated: donate.includes(i),
    })),
  );
};

/**
 * What `run` gives for the arguments' buffers. Constants are uploaded and unevaluated leaves computed for this call only, and freed
 * after it, however it ends.
 *
 * Throws  LifetimeError for dead or foreign tensors, and for a donated one that appears twice
 */
export const withBuffers = async <Result>(
  args: readonly Argument[],
  name: string,
  backend: Backend,
  run: (buffers: readonly Buffer[]) => Result | Promise<Result>,
): Promise<Result> => {
  const temporary: Buffer[] = [];
  const seen = new Map<Buffer, Argument>();
  // a promise only where there is something to wait for: training steps have hundreds of arguments, all with buffers
  const bufferOf = (argument: Argument): Buffer | Promise<Buffer> => {
    const { leaf, at } = argument;
    if (leaf.source.kind === 'buffer') {
      const buffer = liveBuffer(leaf, `${name}(${at})`, backend);
      const other = seen.get(buffer);
      if (other !== undefined && (argument.donated || other.donated))
        throw new LifetimeError(sharedMessage(name, at, other.at));
      seen.set(buffer, argument);
      return buffer;
    }
    return temporaryFor(argument);
  };
  const temporaryFor = async ({ leaf, at }: Argument): Promise<Buffer> => {
    const buffer =
      leaf.source.kind === 'constant'
        ? backend.upload(leaf.source.data, specOf(leaf))
        : liveBuffer(await evaluate(leaf, { backend }), at, backend);
    temporary.push(buffer);
    return buffer;
  };
  try {
    const buffers: Buffer[] = [];
    for (const argument of args) {
      const buffer = bufferOf(argument);
      buffers.push(buffer instanceof Promise ? await buffer : buffer);
    }
    const result = await run(buffers);
    args.forEach(({ at, donated }, i) => {
      if (donated) buffers[i]!.retiredBy = `${name}(${at})`;
    });
    return result;
  } finally {
    for (const buffer of temporary) backend.free(buffer);
  }
};

const sharedMessage = (name: string, at: string, other: string): string =>
  sentence({
    where: name,
    needs: 'donated tensors to appear once',
    got: `one tensor as ${other} and ${at}`,
    advice: 'Pass a copy in one place.',
  });
