// A fixed scale per channel after a convolution becomes part of the filters: frozen norms then cost an addition.
//
// Done where filters and scale stay from run to run, as in inference: the scaled filters are kept. In training the filters
// change at every step, and scaling them would cost more than scaling the result in registers.
import type { Graph, Slot, Step } from '../../graph/graph.ts';
import { mulOp } from '../../ops/elementwise.ts';
import { broadcastToOp, reshapeOp } from '../../ops/movement.ts';
import type { Primitive } from '../../primitive.ts';
import { sizeOf } from '../../shape.ts';
import type { Shape } from '../../tensor.ts';
import { stayingSlots } from './kept.ts';

/** A convolution, the product of its result with a scale, and the slot of the scale with one element per channel. */
interface ScaledConvolution {
  readonly convolution: Step;
  readonly product: Step;
  readonly scale: Slot;
}

/** An equal graph in which filters that stay take in the scales that stay. */
export const foldScales = (graph: Graph): Graph => {
  const found = scaledConvolutions(graph);
  const specs = [...graph.specs];
  const gone = new Set([...found.values()].map(({ convolution }) => convolution));
  const steps = graph.steps.flatMap((step): Step[] => {
    if (gone.has(step)) return [];
    const scaled = found.get(step);
    return scaled === undefined ? [step] : withScaledFilters(specs, scaled);
  });
  return { ...graph, specs, steps };
};

/** The steps that scale the filters, then the convolution in the place of the product. */
const withScaledFilters = (
  specs: Graph['specs'][number][],
  { convolution, product, scale }: ScaledConvolution,
): Step[] => {
  const [images, filters] = convolution.inputs as readonly [Slot, Slot];
  const { shape } = specs[filters]!;
  const perFilter: Shape = [shape[0]!, 1, 1, 1];
  const slotOf = (of: Shape): Slot => specs.push({ shape: of, dtype: 'f32' }) - 1;
  const [column, repeated, scaledFilters] = [slotOf(perFilter), slotOf(shape), slotOf(shape)];
  const step = (op: unknown, inputs: readonly Slot[], output: Slot, attrs: Step['attrs'] = {}): Step => ({
    op: op as Primitive,
    attrs,
    inputs,
    output,
  });
  return [
    step(reshapeOp, [scale], column, { shape: perFilter }),
    step(broadcastToOp, [column], repeated, { shape }),
    step(mulOp, [filters, repeated], scaledFilters),
    { ...convolution, inputs: [images, scaledFilters], output: product.output },
  ];
};

/** The scaled convolutions of a graph, by their product. */
const scaledConvolutions = (graph: Graph): Map<Step, ScaledConvolution> => {
  const staying = stayingSlots(graph);
  const makers = new Map(graph.steps.map((step) => [step.output, step]));
  const uses = new Map<Slot, number>();
  for (const slot of [...graph.results, ...graph.steps.flatMap(({ inputs }) => inputs)])
    uses.set(slot, (uses.get(slot) ?? 0) + 1);
  const found = new Map<Step, ScaledConvolution>();
  for (const product of graph.steps) {
    if (product.op.name !== 'mul') continue;
    for (const [result, factor] of [product.inputs, [...product.inputs].reverse()] as [Slot, Slot][]) {
      const convolution = makers.get(result);
      if (convolution?.op.name !== 'conv2d' || uses.get(result) !== 1) continue;
      const filters = convolution.inputs[1]!;
      const scale = channelScale(graph, makers.get(factor), graph.specs[result]!.shape[1]!);
      const stays = scale !== undefined && staying.has(scale) && staying.has(filters);
      if (stays && !staying.has(result)) found.set(product, { convolution, product, scale });
    }
  }
  return found;
};

/** The slot that a factor repeats over images and pixels, if it has one element per channel. */
const channelScale = ({ specs }: Graph, factor: Step | undefined, channels: number): Slot | undefined => {
  if (factor?.op.name !== 'broadcastTo') return undefined;
  const slot = factor.inputs[0]!;
  const { shape } = specs[slot]!;
  return sizeOf(shape) === channels && shape.at(-3) === channels ? slot : undefined;
};
