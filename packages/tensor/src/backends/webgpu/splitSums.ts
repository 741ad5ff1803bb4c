// Filter gradients of few filters and many positions: their long sums are divided between workgroups, and added up by a loop.
//
// A GPU has work for dozens of workgroups, and 64 x 64 filters are one. Into how many parts a sum goes depends on the shapes alone, so
// the same program gives the same bits on every run.
import type { Graph, Step } from '../../graph/graph.ts';
import type { Loop, LoopAttrs } from '../../graph/loop.ts';
import { loopOp } from '../../graph/loop.ts';
import type { FilterGradAttrs } from '../../ops/conv.ts';
import { convExtents } from '../../ops/conv.ts';
import type { Attrs, Primitive } from '../../primitive.ts';
import { sizeOf } from '../../shape.ts';
import type { Shape, Spec } from '../../tensor.ts';
import { groupsOf, tileFor } from './kernels/tiles.ts';

/** Attrs of a filter gradient whose output has one result more: [parts, outChannels, channels, height, width]. */
export type PartedAttrs = FilterGradAttrs & { readonly parts?: number };

/** Workgroups that keep a GPU busy. */
const enoughGroups = 64;

/** Into how many parts the sums of a filter gradient go. */
const partsFor = (image: Shape, weight: Shape, attrs: FilterGradAttrs, shortest: number): number => {
  const { batch, outHeight, outWidth, outChannels } = convExtents(image, weight, attrs);
  const k = batch * outHeight * outWidth;
  const sizes = {
    batch: attrs.groups,
    m: outChannels / attrs.groups,
    n: sizeOf(weight.slice(1)),
    k,
  };
  const groups = groupsOf(sizes, tileFor(sizes));
  if (groups === 0) return 1;
  return Math.max(1, Math.min(Math.floor(enoughGroups / groups), Math.floor(k / shortest)));
};

/** An equal graph in which filter gradients keep a GPU busy. Sums shorter than `shortest` cost more in being added up than they gain. */
export const splitSums = (graph: Graph, shortest: number): Graph => {
  const specs = [...graph.specs];
  const steps = graph.steps.flatMap((step): Step[] => {
    if (step.op.name !== 'conv2dFilterGrad') return [step];
    const { shape } = specs[step.output]!;
    const attrs = step.attrs as FilterGradAttrs;
    const parts = partsFor(specs[step.inputs[0]!]!.shape, shape, attrs, shortest);
    if (parts === 1) return [step];
    const partial = specs.push({ shape: [parts, ...shape], dtype: 'f32' }) - 1;
    const sum: Step = {
      ...step,
      op: loopOp as unknown as Primitive,
      attrs: sumOfParts(parts, specs[step.output]!) as unknown as Attrs,
      inputs: [partial],
    };
    return [{ ...step, attrs: { ...attrs, parts }, output: partial }, sum];
  });
  return { ...graph, specs, steps };
};

/** The loop that adds up the parts, in their order. */
const sumOfParts = (parts: number, spec: Spec): LoopAttrs => {
  const size = sizeOf(spec.shape);
  const loop: Loop = {
    extents: [size, parts],
    strides: [[1, size]],
    offsets: [0],
    expression: { kind: 'input', index: 0, dtype: 'f32' },
    reduction: { name: 'sum', rank: 1 },
  };
  return { spec, loop };
};
