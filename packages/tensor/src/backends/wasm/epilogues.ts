// Loops over the result of a convolution become part of it: their elements are computed before they are stored.
//
// Bias, frozen norm, rectifier, residual sum and, backward, the mask of a rectifier then cost no pass over memory.
import type { Graph, Slot, Step } from '../../graph/graph.ts';
import type { Loop, LoopAttrs } from '../../graph/loop.ts';
import { loopOp } from '../../graph/loop.ts';
import { sameShape, sizeOf, stridesOf } from '../../shape.ts';
import type { Shape, Spec } from '../../tensor.ts';
import { forwardGeometry, inputGradGeometry, isConvolution } from './convolutionSteps.ts';
import type { EpilogueRead } from './kernels/epilogue.ts';
import { isSeen, planePasses } from './kernels/turnedFilters.ts';
import { isWinogradFaster } from './kernels/winograd/choice.ts';
import { tileSize } from './kernels/winograd/transforms.ts';

/** Further inputs of one convolution at most: each takes a pointer of the kernel. */
const mostOperands = 8;

/** An equal graph in which convolutions finish their results by the one loop that reads them, where it allows that. */
export const fuseEpilogues = (graph: Graph): Graph => {
  const readers = readersOf(graph);
  const results = new Set(graph.results);
  const finished = new Map<Step, Step>();
  const gone = new Set<Step>();
  for (const step of graph.steps) {
    const [reader, ...others] = readers.get(step.output) ?? [];
    if (!isConvolution(step.op) || reader === undefined || others.length > 0) continue;
    if (results.has(step.output) || finished.has(reader)) continue;
    const joined = joinedStep(graph, step, reader);
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
const joinedStep = ({ specs }: Graph, step: Step, reader: Step): Step | undefined => {
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

/** Whether the kernel stores every element of the result exactly once, where it belongs. */
const canFinish = (step: Step, inputs: readonly Spec[], reads: readonly EpilogueRead[]): boolean => {
  const isForward = step.op.name === 'conv2d';
  const geometry = isForward ? forwardGeometry(inputs, step.attrs) : inputGradGeometry(inputs, step.attrs);
  const { batch, channels, outChannels, outHeight, outWidth, kernelHeight, kernelWidth } = geometry;
  const work = batch * channels * outChannels * outHeight * outWidth * kernelHeight * kernelWidth;
  if (work * geometry.height * geometry.width === 0) return false;
  if (isWinogradFaster(geometry, isForward ? 'output' : 'images')) {
    // where tiles reach over the edge the result is put together elsewhere first
    const sides = isForward ? [outHeight, outWidth] : [geometry.height, geometry.width];
    return reads.every(({ kind }) => kind !== 'alike') || sides.every((side) => side % tileSize === 0);
  }
  return isForward || planePasses(geometry).every(isSeen);
};
