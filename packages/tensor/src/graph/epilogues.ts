// Loops over the result of a convolution become part of it: their elements are computed before they are stored.
//
// Bias, frozen norm, rectifier, residual sum and, backward, the mask of a rectifier then cost no pass over memory.
import type { Expression } from '../expression.ts';
import { sameShape, sizeOf, stridesOf } from '../shape.ts';
import type { Shape, Spec } from '../tensor.ts';
import type { Graph, Slot, Step } from './graph.ts';
import type { Loop, LoopAttrs } from './loop.ts';
import { loopOp } from './loop.ts';

/**
 * Where an input of the expression is read for an element of the result: it is that element; the element at the same
 * place of an array that lies like the result; or one element per channel, `stride` elements apart from `offset` on.
 * `operand` counts the further inputs of the step.
 */
export type EpilogueRead =
  | { readonly kind: 'result' }
  | { readonly kind: 'alike'; readonly operand: number }
  | {
      readonly kind: 'channel';
      readonly operand: number;
      readonly stride: number;
      readonly offset: number;
    };

/** An expression over the result and further inputs, one read for every input of the expression. */
export interface Epilogue {
  readonly expression: Expression;
  readonly reads: readonly EpilogueRead[];
}

/** Which steps of a backend may finish their results, and how. */
export interface EpilogueOptions {
  /** Further inputs of one step at most. */
  readonly mostOperands: number;
  /** Whether kernels of the op can have an epilogue; all results are [N,C,H,W]. */
  readonly isProducer: (op: Step['op']) => boolean;
  /** Whether this step's kernel stores every element exactly once, where the reads find theirs. */
  readonly canFinish: (step: Step, inputs: readonly Spec[], reads: readonly EpilogueRead[]) => boolean;
}

/** An equal graph in which convolutions finish their results by the one loop that reads them, where it allows that. */
export const fuseEpilogues = (graph: Graph, options: EpilogueOptions): Graph => {
  const readers = readersOf(graph);
  const results = new Set(graph.results);
  const finished = new Map<Step, Step>();
  const gone = new Set<Step>();
  for (const step of graph.steps) {
    const [reader, ...others] = readers.get(step.output) ?? [];
    if (!options.isProducer(step.op) || reader === undefined || others.length > 0) continue;
    if (results.has(step.output) || finished.has(reader)) continue;
    const joined = joinedStep(graph, step, reader, options);
    if (joined === undefined) continue;
    finished.set(reader, joined);
    gone.add(step);
  }
  const steps = graph.steps.filter((step) => !gone.has(step)).map((step) => finished.get(step) ?? step);
  return { ...graph, steps };
};

const readersOf = (graph: Graph): Map<Slot, Step[]> => {
  const readers = new Map<Slot, Step[]>();
  for (const step of graph.steps)
    for (const slot of new Set(step.inputs)) readers.set(slot, [...(readers.get(slot) ?? []), step]);
  return readers;
};

/** The convolution with the loop as its epilogue, or undefined where the loop is no function of single elements of the result. */
const joinedStep = (
  { specs }: Graph,
  step: Step,
  reader: Step,
  { mostOperands, canFinish }: EpilogueOptions,
): Step | undefined => {
  if (reader.op.name !== loopOp.name) return undefined;
  const { loop, spec } = reader.attrs as unknown as LoopAttrs;
  const result = specs[step.output]!;
  if (loop.reduction !== undefined || spec.dtype !== 'f32' || !sameShape(spec.shape, result.shape))
    return undefined;
  const operands: Slot[] = [];
  const reads = reader.inputs.map((slot, input) => {
    const read = readOf(loop, input, result.shape);
    if (slot === step.output) return read?.kind === 'alike' ? ({ kind: 'result' } as const) : undefined;
    if (read === undefined) return undefined;
    // one operand per read: those that lie like the result are divided with it, the others are not
    return { ...read, operand: operands.push(slot) - 1 };
  });
  if (reads.includes(undefined) || operands.length > mostOperands) return undefined;
  const inputs = step.inputs.map((slot) => specs[slot]!);
  if (!canFinish(step, inputs, reads as EpilogueRead[])) return undefined;
  const epilogue = { expression: loop.expression, reads };
  const label = step.label ?? reader.label;
  return {
    ...step,
    attrs: { ...step.attrs, epilogue },
    inputs: [...step.inputs, ...operands],
    output: reader.output,
    ...(label === undefined ? {} : { label }),
  };
};

/** How a loop over all elements of a result [N,C,H,W] reads an input: like the result, per channel, or in another way. */
const readOf = (loop: Loop, input: number, shape: Shape): EpilogueRead | undefined => {
  const { extents } = loop;
  const strides = loop.strides[input]!;
  const offset = loop.offsets[input]!;
  if (sizeOf(extents) !== sizeOf(shape)) return undefined;
  if (offset === 0 && sameShape(strides, stridesOf(extents))) return { kind: 'alike', operand: 0 };
  const moving = [...extents.keys()].filter((d) => strides[d] !== 0);
  const [channels] = moving;
  if (channels === undefined) return { kind: 'channel', operand: 0, stride: 0, offset };
  const isChannel =
    moving.length === 1 &&
    extents[channels] === shape[1] &&
    sizeOf(extents.slice(channels + 1)) === sizeOf(shape.slice(2)) &&
    strides[channels]! > 0;
  return isChannel ? { kind: 'channel', operand: 0, stride: strides[channels]!, offset } : undefined;
};
