// Positions of elements: a flat number taken apart into indices, and indices put together again.
import type { Writer } from './source.ts';

/** The whole part of the quotient of two whole numbers below 2^24, and the rest. */
export const divide = (
  writer: Writer,
  dividend: string,
  divisor: number,
): { readonly quotient: string; readonly rest: string } => {
  if (divisor === 1) return { quotient: dividend, rest: writer.define('0') };
  const quotient = writer.define(`Math.floor(${dividend} / ${divisor})`);
  const rest = writer.define(`${dividend} - ${quotient} * ${divisor}`);
  if (writer.traits.exactDivision) return { quotient, rest };
  // a quotient that is off in its last place may end up on the wrong side of a whole number
  const below = writer.define(`${rest} < 0 ? 1 : 0`);
  const above = writer.define(`${rest} >= ${divisor} ? 1 : 0`);
  const step = writer.define(`${above} - ${below}`);
  return {
    quotient: writer.define(`${quotient} + ${step}`),
    rest: writer.define(`${rest} - ${step} * ${divisor}`),
  };
};

/** The indices of a flat number in row-major order; outermost first. */
export const indicesOf = (writer: Writer, element: string, extents: readonly number[]): string[] => {
  const indices: string[] = [];
  let left = element;
  for (let d = extents.length - 1; d > 0; d--) {
    const { quotient, rest } = divide(writer, left, extents[d]!);
    indices.unshift(rest);
    left = quotient;
  }
  if (extents.length > 0) indices.unshift(left);
  return indices;
};

/** `offset + Σ indices[d] * strides[d]` */
export const positionOf = (
  writer: Writer,
  indices: readonly string[],
  strides: readonly number[],
  offset: number | string = 0,
): string => {
  const terms = indices.flatMap((index, d) => {
    const stride = strides[d]!;
    if (stride === 0) return [];
    return [stride === 1 ? index : `${index} * ${stride}`];
  });
  if (offset !== 0) terms.push(String(offset));
  if (terms.length === 0) return writer.define('0');
  return terms.length === 1 && indices.includes(terms[0]!) ? terms[0]! : writer.define(terms.join(' + '));
};

/** Loops over all indices of the extents, outermost first. */
export const eachIndex = (
  writer: Writer,
  extents: readonly number[],
  body: (indices: readonly string[]) => void,
): void => {
  const descend = (indices: readonly string[]): void => {
    const extent = extents[indices.length];
    if (extent === undefined) body(indices);
    else writer.repeat(extent, (index) => descend([...indices, index]));
  };
  descend([]);
};
