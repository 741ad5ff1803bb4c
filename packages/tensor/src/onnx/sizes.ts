// Which sizes of a graph a run decides: the function is traced for two sizes, and what differs between the traces is left open.
import { sentence, UnsupportedError } from '../errors.ts';
import type { Attrs } from '../primitive.ts';
import { sameShape } from '../shape.ts';
import type { Data, Tensor } from '../tensor.ts';

/** The sizes of a value; undefined where a run decides. */
export type Sizes = readonly (number | undefined)[];

/** The sizes that stand for an open one in the two traces. */
export const openSizes = [2, 3] as const;

/**
 * The sizes of every value below the outputs of the first trace.
 *
 * Throws   UnsupportedError when the traces differ in more than sizes, naming the operation
 */
export const sizesOf = (first: readonly Tensor[], second: readonly Tensor[]): ((t: Tensor) => Sizes) => {
  const known = new Map<Tensor, Sizes>();
  const partner = new Map<Tensor, Tensor>();
  const stack = first.map((t, i) => [t, second[i]!] as const);
  for (let pair = stack.pop(); pair !== undefined; pair = stack.pop()) {
    const [a, b] = pair;
    if (partner.get(a) === b) continue;
    requireAlike(a, b, partner.get(a));
    partner.set(a, b);
    known.set(
      a,
      a.shape.map((size, d) => (size === b.shape[d] ? size : undefined)),
    );
    if (a.source.kind === 'apply' && b.source.kind === 'apply') {
      const others = b.source.inputs;
      stack.push(...a.source.inputs.map((input, i) => [input, others[i]!] as const));
    }
  }
  return (t) => known.get(t) ?? t.shape;
};

const requireAlike = (a: Tensor, b: Tensor, before: Tensor | undefined): void => {
  if (before === undefined && areAlike(a, b)) return;
  const what = a.source.kind === 'apply' ? a.source.op.name : `a ${a.source.kind}`;
  throw new UnsupportedError(
    sentence({
      where: 'onnxGraph',
      label: a.label,
      needs: 'one graph for every size that is left open',
      got: `${what} that depends on it`,
      advice: 'Give all sizes as numbers.',
    }),
  );
};

const areAlike = (a: Tensor, b: Tensor): boolean => {
  if (a === b) return true;
  const [from, to] = [a.source, b.source];
  if (a.dtype !== b.dtype || a.shape.length !== b.shape.length) return false;
  if (from.kind === 'apply' && to.kind === 'apply') {
    const isSameOp = from.op === to.op && from.inputs.length === to.inputs.length;
    return isSameOp && equalAttrs(from.attrs, to.attrs, shapeAttrs[from.op.name]);
  }
  if (from.kind === 'constant' && to.kind === 'constant')
    return sameShape(a.shape, b.shape) && equalData(from.data, to.data);
  return from.kind === 'argument' && to.kind === 'argument' && from.index === to.index;
};

/** Attributes that repeat the result's shape, which is compared by itself. */
const shapeAttrs: Readonly<Record<string, string>> = {
  reshape: 'shape',
  broadcastTo: 'shape',
  slice: 'size',
};

/** Whether attributes are equal but for names and the one left out. Functions (differentiation rules) do not count. */
export const equalAttrs = (a: Attrs, b: Attrs, leftOut?: string): boolean => {
  const plain = ({ label: _label, ...attrs }: Attrs): string =>
    JSON.stringify(attrs, (key, value: unknown) => (key === leftOut ? undefined : value));
  return plain(a) === plain(b);
};

/** Whether two constants hold the same elements. */
export const equalData = (a: Data, b: Data): boolean =>
  a === b || (a.length === b.length && a.every((value, i) => Object.is(value, b[i])));
