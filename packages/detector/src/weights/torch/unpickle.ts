// Reads pickles of protocols 2 to 4 without executing anything: classes and functions are names, and what they make is decided by a
// table of known ones.
import { requireShallow } from './depth.ts';
import { type PickleOptions, pickleLimits, pickleMachine } from './machine.ts';
import { opcodes } from './opcodes.ts';
import type { TorchValue } from './values.ts';

/** A pickle that was read. */
export interface Unpickled {
  readonly value: TorchValue;
  /** The position after it. */
  readonly end: number;
  /** The classes and functions outside the table, in the order in which they came. */
  readonly foreign: readonly string[];
}

const stop = 0x2e;

/**
 * The value of the pickle that begins at a position.
 *
 * Throws   what `refuse` throws; ShortPickle when the bytes end too early
 */
export const unpickle = (bytes: Uint8Array, from: number, options: PickleOptions): Unpickled => {
  const { refuse } = options;
  const { machine, foreignNames } = pickleMachine(bytes, from, options);
  const { stack } = machine;
  for (let code = machine.byte(), step = 1; code !== stop; code = machine.byte(), step++) {
    if (step > pickleLimits.steps) refuse(`at most ${pickleLimits.steps} instructions`, 'more');
    const instruction = opcodes[code];
    if (instruction === undefined)
      return refuse('instructions of pickle protocols 2 to 4', `0x${code.toString(16).padStart(2, '0')}`);
    instruction(machine);
  }
  const [value] = stack;
  if (stack.length !== 1 || value === undefined) return refuse('one value in the end', String(stack.length));
  requireShallow(value, pickleLimits, refuse);
  return { value, end: machine.position(), foreign: [...foreignNames] };
};
