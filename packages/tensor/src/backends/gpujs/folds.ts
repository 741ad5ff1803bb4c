// Long folds in two steps: one thread per result would leave a GPU idle, and single precision would lose digits.
import { input } from '../../expression.ts';
import type { Graph, Step } from '../../graph/graph.ts';
import type { Loop, LoopAttrs } from '../../graph/loop.ts';
import { coalesce } from '../../graph/loop.ts';
import { isLoop } from '../../graph/print.ts';
import { sizeOf } from '../../shape.ts';
import type { Spec } from '../../tensor.ts';

/** Folds of fewer elements stay whole. */
const leastLength = 2048;
/** With more results than this there are threads enough. */
const mostResults = 1024;
/** Parts of one fold at least; fewer are not worth a step. */
const leastParts = 8;

/** An equal graph in which long folds into few results are folds of parts, and then of what these give. */
export const splitFolds = (graph: Graph): Graph => {
  const specs = [...graph.specs];
  const steps = graph.steps.flatMap((step): readonly Step[] => {
    const halves = isLoop(step.attrs) ? splitLoop(step.attrs.loop) : undefined;
    if (halves === undefined) return [step];
    const { dtype, shape } = specs[step.output]!;
    const spec: Spec = { dtype, shape: [sizeOf(shape), halves.parts] };
    const between = specs.push(spec) - 1;
    const second = loopOver(sizeOf(shape), halves.parts, spec, halves.loop);
    return [
      { ...step, attrs: { loop: halves.loop, spec } satisfies LoopAttrs, output: between },
      { ...step, attrs: { loop: second, spec: specs[step.output]! } satisfies LoopAttrs, inputs: [between] },
    ];
  });
  return { ...graph, specs, steps };
};

/** The fold of the parts of every result. */
const loopOver = (results: number, parts: number, { dtype }: Spec, { reduction }: Loop): Loop =>
  coalesce({
    extents: [results, parts],
    strides: [[parts, 1]],
    offsets: [0],
    expression: input(0, dtype),
    reduction: { name: reduction!.name, rank: 1 },
  });

/** The loop with leading folded dimensions kept, or undefined where it should stay whole. */
const splitLoop = (loop: Loop): { readonly loop: Loop; readonly parts: number } | undefined => {
  const { extents, reduction } = loop;
  if (reduction === undefined) return undefined;
  const kept = extents.length - reduction.rank;
  const length = sizeOf(extents.slice(kept));
  if (length < leastLength || sizeOf(extents.slice(0, kept)) > mostResults) return undefined;
  const wanted = Math.sqrt(length);
  let parts = 1;
  let front = kept;
  while (front < extents.length - 1 && parts * extents[front]! <= wanted) parts *= extents[front++]!;
  const cut = divisorNear(extents[front]!, wanted / parts);
  const refined = cut === 1 ? loop : cutDimension(loop, front, cut);
  parts *= cut;
  if (cut > 1) front++;
  const rank = refined.extents.length - front;
  if (parts < leastParts || rank === 0) return undefined;
  return { loop: coalesce({ ...refined, reduction: { ...reduction, rank } }), parts };
};

/** The divisor of a number that is nearest to the wanted one, and below the number itself. */
const divisorNear = (n: number, wanted: number): number => {
  let best = 1;
  for (let d = 1; d < n; d++) if (n % d === 0 && Math.abs(d - wanted) < Math.abs(best - wanted)) best = d;
  return best;
};

/** The loop with a dimension as two, the first of which has the given extent. */
const cutDimension = (loop: Loop, at: number, count: number): Loop => {
  const inner = loop.extents[at]! / count;
  const cutList = (list: readonly number[], first: number, second: number): number[] => [
    ...list.slice(0, at),
    first,
    second,
    ...list.slice(at + 1),
  ];
  return {
    ...loop,
    extents: cutList(loop.extents, count, inner),
    strides: loop.strides.map((strides) => cutList(strides, strides[at]! * inner, strides[at]!)),
  };
};
