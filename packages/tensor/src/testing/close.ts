// How close a backend must come to the double-precision reference: by the kind of op, not by taste.
import { convExtents } from '../ops/conv.ts';
import type { AttrsByName, PrimitiveName } from '../ops/index.ts';
import { matmulExtents } from '../ops/matmul.ts';
import { sampleExtents } from '../ops/sampling.ts';
import { sizeOf } from '../shape.ts';
import type { Spec } from '../tensor.ts';

/** How far from the reference a value may be. */
export type Tolerance =
  /** Equal bit by bit; all NaN are one value. */
  | { readonly kind: 'bits' }
  /** Within so many single-precision spacings of the reference. */
  | { readonly kind: 'spacings'; readonly count: number }
  /** A sum over `terms` terms: |error| <= 4 u sqrt(terms) * magnitude, u = 2^-24, where magnitude is the sum of the terms' absolute values. */
  | { readonly kind: 'sum'; readonly terms: number }
  /** A sum over `terms` terms whose signs its inputs do not tell: as for sums, the magnitude being that of the largest result. */
  | { readonly kind: 'largest'; readonly terms: number };

/** The tolerance of one primitive as a function of its use. */
type Policy<A> = Tolerance | ((inputs: readonly Spec[], attrs: A, out: Spec) => Tolerance);

const bits: Tolerance = { kind: 'bits' };
const sumOf = (terms: number): Tolerance => ({ kind: 'sum', terms });
const signedSumOf = (terms: number): Tolerance => ({ kind: 'largest', terms });
/** For every rounded op, exponentials and logarithms included: no op of any backend needs more. */
const arithmetic: Tolerance = { kind: 'spacings', count: 4 };

const policies: { readonly [Name in PrimitiveName]: Policy<AttrsByName[Name]> } = {
  neg: bits,
  abs: bits,
  floor: bits,
  sqrt: arithmetic,
  exp: arithmetic,
  log: arithmetic,
  log1p: arithmetic,
  sigmoid: arithmetic,
  add: arithmetic,
  sub: arithmetic,
  mul: arithmetic,
  div: arithmetic,
  pow: arithmetic,
  minimum: bits,
  maximum: bits,
  less: bits,
  lessEqual: bits,
  equal: bits,
  select: bits,
  cast: bits,
  sum: ([x], { axes }) => sumOf(sizeOf(axes.map((d) => x!.shape[d]!))),
  reduceMax: bits,
  argMax: bits,
  reshape: bits,
  transpose: bits,
  broadcastTo: bits,
  slice: bits,
  pad: bits,
  concat: bits,
  gather: bits,
  scatterAdd: ([, indices], { batch }) => sumOf(sizeOf(indices!.shape.slice(batch))),
  topKIndices: bits,
  matmul: ([a, b], attrs) => sumOf(matmulExtents(a!.shape, b!.shape, attrs).k),
  conv2d: ([, weight]) => sumOf(sizeOf(weight!.shape.slice(1))),
  conv2dInputGrad: ([, weight], { groups }) => {
    const [outChannels, , height, width] = weight!.shape as [number, number, number, number];
    return sumOf((outChannels / groups) * height * width);
  },
  conv2dFilterGrad: ([x], attrs, out) => {
    const { batch, outHeight, outWidth } = convExtents(x!.shape, out.shape, attrs);
    return sumOf(batch * outHeight * outWidth);
  },
  poolArgMax2d: bits,
  sampleBilinear: signedSumOf(4),
  sampleBilinearInputGrad: ([, points], _attrs, out) => {
    const { taps, places } = sampleExtents(out.shape, points!.shape);
    return signedSumOf(4 * taps * places);
  },
  sampleBilinearPointGrad: ([x, , points]) => {
    const { channels, groups } = sampleExtents(x!.shape, points!.shape);
    return signedSumOf((4 * channels) / groups);
  },
  randomBits: bits,
  identity: bits,
  stopGradient: bits,
  withRule: bits,
  after: bits,
};

/** How close a primitive's f32 result must come to the reference; results of other dtypes are always equal bit by bit. */
export const toleranceOf = <Name extends PrimitiveName>(
  name: Name,
  inputs: readonly Spec[],
  attrs: AttrsByName[Name],
  out: Spec,
): Tolerance => {
  if (out.dtype !== 'f32') return bits;
  const policy: Policy<AttrsByName[Name]> = policies[name];
  return typeof policy === 'function' ? policy(inputs, attrs, out) : policy;
};

const unit = 2 ** -24;
const smallestStep = 2 ** -149;
const largest = (2 - 2 ** -23) * 2 ** 127;

/** The distance between neighbouring single-precision numbers around x. */
const spacingAt = (x: number): number => {
  const magnitude = Math.min(Math.abs(x), largest);
  const exponent = magnitude < 2 ** -126 ? -126 : Math.floor(Math.log2(magnitude));
  // log2 may round up to the next power: the smaller of two candidates is the true one then.
  const power = 2 ** exponent > magnitude ? exponent - 1 : exponent;
  return Math.max(2 ** (Math.max(power, -126) - 23), smallestStep);
};

/** How many single-precision spacings two values are apart; 0 for equal values, two NaN, and a result that overflows as it must. */
const spacingsApart = (actual: number, expected: number): number => {
  const rounded = Math.fround(expected);
  if (actual === rounded || (Number.isNaN(actual) && Number.isNaN(expected))) return 0;
  if (!Number.isFinite(expected) || Number.isNaN(actual)) return Number.POSITIVE_INFINITY;
  const value = Number.isFinite(actual) ? actual : Math.sign(actual) * (largest + spacingAt(largest));
  return Math.abs(value - expected) / spacingAt(expected);
};

/** The error of one value in units of what is allowed: above 1 is a violation. */
const excess = (actual: number, expected: number, tolerance: Tolerance, magnitude: number): number => {
  if (tolerance.kind === 'bits')
    return Object.is(actual, expected) || Object.is(actual, Math.fround(expected))
      ? 0
      : Number.POSITIVE_INFINITY;
  if (tolerance.kind === 'spacings') return spacingsApart(actual, expected) / tolerance.count;
  if (!Number.isFinite(expected)) return Object.is(actual, expected) ? 0 : Number.POSITIVE_INFINITY;
  const allowed = 4 * unit * Math.sqrt(tolerance.terms) * magnitude;
  const error = Math.abs(actual - expected);
  return error <= Math.max(allowed, tolerance.terms * smallestStep) ? 0 : error / allowed;
};

/** Results to compare: what a backend gave, what the reference gives, and, for sums, the reference of the absolute inputs. */
export interface Comparison {
  readonly actual: ArrayLike<number>;
  readonly expected: ArrayLike<number>;
  readonly magnitudes?: ArrayLike<number>;
}

/** The worst element outside the tolerance, as text; undefined when all are within. */
export const worstViolation = (
  { actual, expected, magnitudes }: Comparison,
  tolerance: Tolerance,
): string | undefined => {
  if (actual.length !== expected.length) return `${actual.length} elements instead of ${expected.length}`;
  const greatest = tolerance.kind === 'largest' ? largestOf(expected) : 0;
  const magnitudeOf = (i: number): number => Math.max(greatest, magnitudes?.[i] ?? Math.abs(expected[i]!));
  let worst = -1;
  let most = 1;
  for (let i = 0; i < expected.length; i++) {
    const error = excess(actual[i]!, expected[i]!, tolerance, magnitudeOf(i));
    if (error <= most) continue;
    worst = i;
    most = error;
  }
  if (worst < 0) return undefined;
  const allowed = describeTolerance(tolerance, magnitudeOf(worst));
  return `element ${worst} of ${expected.length} is ${show(actual[worst]!)}, reference ${show(expected[worst]!)}; ${allowed}`;
};

/** The largest magnitude among the finite values. */
const largestOf = (values: ArrayLike<number>): number =>
  Array.from(values, Math.abs).reduce((most, x) => (Number.isFinite(x) && x > most ? x : most), 0);

const show = (x: number): string => (Object.is(x, -0) ? '-0' : String(x));

const describeTolerance = (tolerance: Tolerance, magnitude: number): string => {
  if (tolerance.kind === 'bits') return 'must be equal';
  if (tolerance.kind === 'spacings') return `must be within ${tolerance.count} spacings`;
  return `must be within ${4 * unit * Math.sqrt(tolerance.terms) * magnitude} (${tolerance.terms} terms)`;
};
