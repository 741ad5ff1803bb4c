// The errors of the engine and the one sentence they are written in.
import type { Spec } from './tensor.ts';

/** Shapes that do not fit an operation. Thrown while a graph is built. */
export class ShapeError extends Error {
  override readonly name = 'ShapeError';
}

/** Element types that do not fit an operation. Thrown while a graph is built. */
export class DTypeError extends Error {
  override readonly name = 'DTypeError';
}

/** A tensor used after its storage was given away or freed, or read before it was computed. */
export class LifetimeError extends Error {
  override readonly name = 'LifetimeError';
}

/** A compiled function that was traced for too many shapes. */
export class RetraceError extends Error {
  override readonly name = 'RetraceError';
}

/** Something a backend or this engine cannot do. */
export class UnsupportedError extends Error {
  override readonly name = 'UnsupportedError';
}

/** A value that is NaN or infinite where it must not be. */
export class NotFiniteError extends Error {
  override readonly name = 'NotFiniteError';
}

/** A spec as text, such as `f32[2,64,100,168]`. */
export const describeSpec = (spec: Spec): string => `${spec.dtype}[${spec.shape.join(',')}]`;

/** What an error sentence is made of. */
export interface Complaint {
  /** The public function that was called. */
  readonly where: string;
  /** The caller's name for this use, such as a parameter path. */
  readonly label?: string | undefined;
  readonly needs: string;
  readonly got: string;
  readonly advice: string;
}

/** The sentence `<function>(<label>): needs <requirement>, got <inputs>. <advice>`. */
export const sentence = ({ where, label, needs, got, advice }: Complaint): string =>
  `${where}${label === undefined ? '' : `(${label})`}: needs ${needs}, got ${got}. ${advice}`;

/** Specs with names as text, such as `x f32[2,3], weight f32[4,3]`. */
export const describeInputs = (inputs: Readonly<Record<string, Spec>>): string =>
  Object.entries(inputs)
    .map(([name, spec]) => `${name} ${describeSpec(spec)}`)
    .join(', ');
