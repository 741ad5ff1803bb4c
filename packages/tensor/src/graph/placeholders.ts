// The arguments of a function while it is traced: tensors of the same specs without values.
import type { Tensor } from '../tensor.ts';
import { specOf } from '../tensor.ts';
import type { Tree } from '../tree.ts';
import { mapTree } from '../tree.ts';
import { placeOf } from './arguments.ts';

/** A placeholder of the arguments. */
export interface Given {
  readonly tensor: Tensor;
  readonly donated: boolean;
}

/** Placeholders in the place of the arguments' leaves, and the list of them all. */
export const placeholdersOf = <In extends readonly Tree[]>(
  args: In,
  donate: readonly number[],
): { readonly placeholders: In; readonly given: readonly Given[] } => {
  const given: Given[] = [];
  const placeholders = args.map((arg, i) =>
    mapTree((leaf, path) => {
      const source = { kind: 'argument', index: given.length, path: placeOf(i, path) } as const;
      const tensor: Tensor = { ...specOf(leaf), depth: 0, source };
      given.push({ tensor, donated: donate.includes(i) });
      return tensor;
    }, arg),
  ) as unknown as In;
  return { placeholders, given };
};
