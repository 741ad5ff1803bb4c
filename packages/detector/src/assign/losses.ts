// What every loss of the detector gives: its terms by name, and their sum.
import type { Tensor } from '@autoassign/tensor';
import { add, scalar } from '@autoassign/tensor';

/** A loss and the terms that it is the sum of, scalars. */
export type Losses = {
  readonly total: Tensor;
  /** By name; the names are those of the log. */
  readonly terms: Readonly<Record<string, Tensor>>;
};

/** The terms and their sum, added in their order. */
export const lossesOf = (terms: Readonly<Record<string, Tensor>>): Losses => {
  const [first = scalar(0), ...others] = Object.values(terms);
  return { total: others.reduce(add, first), terms };
};
