// What a network costs part by part: parameters, multiplications, and the sizes of what the parts hand on. Nothing runs.
import type { Graph, Shape, Slot, Step, Tensor } from '@autoassign/tensor';
import { key, sizeOf, traceGraph, zeros } from '@autoassign/tensor';
import type { DetectorConfig } from '../config.ts';
import { forward, initParams, type Params } from '../model/network.ts';
import { checkpointLayout } from '../weights/layout.ts';
import { stageNames, stageOf, stagesByValue } from './stages.ts';

/** What a program is asked about: images of one size, in pixels. */
export interface InputSize {
  readonly height: number;
  readonly width: number;
  /** Images at a time. */
  readonly batch: number;
}

/** One part of a network. */
export interface StageCosts {
  /** `stem`, `layer1` …, `neck`, `head towers` or `predictions`. */
  readonly name: string;
  /** Numbers that training changes, and numbers that it does not; statistics of batch norms are no parameters. */
  readonly trained: number;
  readonly frozen: number;
  /** Multiplications, each with an addition, of convolutions and matrix products, for the whole batch. */
  readonly multiplyAdds: number;
  /** What later parts read of it, or what the network gives. */
  readonly outputs: readonly Shape[];
}

/**
 * The costs of every part of a network, for images that are a multiple of its `padMultiple` in size.
 *
 * Units    multiply-adds as publications count them (one for a multiplication and its addition); padding is computed like anything else
 * Example  networkCosts(resnet50Config(classes), { height: 800, width: 1088, batch: 1 })
 */
export const networkCosts = (config: DetectorConfig, size: InputSize): readonly StageCosts[] => {
  const { height, width, batch } = size;
  const graph = traceGraph(
    (params: Params, images: Tensor) => {
      const { logits, objectness, distances } = forward(config, params, images);
      return { logits, objectness, distances };
    },
    [initParams(config, key(0)), zeros([batch, 3, height, width])],
  );
  const names = stageNames(config);
  const stages = stagesByValue(graph.steps, names);
  const outputs = outputsOf(graph, stages);
  const entries = checkpointLayout(config).map((entry) => ({ ...entry, stage: stageOf(entry.name) }));
  return names.map((name, number) => {
    const countOf = (kind: 'trained' | 'frozen'): number =>
      entries
        .filter((entry) => entry.stage === name && entry.kind === kind)
        .reduce((sum, { shape }) => sum + sizeOf(shape), 0);
    const steps = graph.steps.filter(({ output }) => stages.get(output) === number);
    return {
      name,
      trained: countOf('trained'),
      frozen: countOf('frozen'),
      multiplyAdds: steps.reduce((sum, step) => sum + multiplyAddsOf(graph, step), 0),
      outputs: outputs.filter((slot) => stages.get(slot) === number).map((slot) => graph.specs[slot]!.shape),
    };
  });
};

/** Values that a later part reads, and results, in the order in which they are computed. */
const outputsOf = (graph: Graph, stages: ReadonlyMap<Slot, number>): readonly Slot[] => {
  const outputs = new Set<Slot>(graph.results);
  for (const { inputs, output } of graph.steps)
    for (const slot of inputs)
      if ((stages.get(slot) ?? Number.POSITIVE_INFINITY) < (stages.get(output) ?? -1)) outputs.add(slot);
  return graph.steps.map(({ output }) => output).filter((slot) => outputs.has(slot));
};

const multiplyAddsOf = ({ specs }: Graph, { op, inputs, output, attrs }: Step): number => {
  const shape = specs[output]!.shape;
  const [a, b] = inputs.map((slot) => specs[slot]!.shape);
  if (op.name === 'conv2d') return sizeOf(shape) * sizeOf(b!.slice(1));
  if (op.name !== 'matmul') return 0;
  const inner = (attrs as { readonly transposeA: boolean }).transposeA ? a!.at(-2)! : a!.at(-1)!;
  return sizeOf(shape) * inner;
};
