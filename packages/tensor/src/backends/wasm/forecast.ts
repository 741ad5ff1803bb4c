// What a function will take in memory on this backend, told by its plan: nothing runs, and nothing is allocated.
import type { Graph, Slot, Step } from '../../graph/graph.ts';
import { linearize } from '../../graph/graph.ts';
import { placeholdersOf } from '../../graph/placeholders.ts';
import type { Data, Spec } from '../../tensor.ts';
import type { Tree } from '../../tree.ts';
import { leaves } from '../../tree.ts';
import { moduleBuilder } from './assembler/module.ts';
import { mostPages } from './memory.ts';
import { passed } from './passes.ts';
import { bytesOf, emitStep, planProgram } from './program.ts';
import { defaultLeastWork } from './split.ts';

/** Options of `memoryForecast`. */
export interface ForecastOptions {
  /** Arguments whose storage the call takes. */
  readonly donate?: readonly number[];
  /** Threads that compute; 1 by default. Each has scratch memory of its own. */
  readonly threads?: number;
}

/** One step of the planned program. */
export interface ForecastStep {
  readonly op: string;
  /** The caller's name for it, such as a parameter's path. */
  readonly label?: string;
  readonly inputs: readonly Slot[];
  readonly output: Slot;
  readonly spec: Spec;
  /** Bytes of plan memory that its output begins to take; 0 where it lies in another value's, an argument's or a result's. */
  readonly bytes: number;
  /** The last step that needs these bytes. */
  readonly lastUse: number;
}

/** The memory of one call, in bytes; all of it is in use at the same time. */
export interface MemoryForecast {
  /** Everything together. */
  readonly total: number;
  readonly arguments: number;
  readonly constants: number;
  /** Results that take over no argument's storage. */
  readonly results: number;
  /** Intermediate values and scratch memory, at their peak. */
  readonly plan: number;
  /** What outlives the call: filters in the layout of the kernels. */
  readonly kept: number;
  readonly steps: readonly ForecastStep[];
}

/**
 * What a call of `fn` compiled for the WebAssembly backend takes in memory. Only the shapes of the arguments matter.
 *
 * Example  memoryForecast((x: Tensor) => relu(x), [zeros([1, 3, 800, 1088])]).total
 */
export const memoryForecast = <In extends readonly Tree[]>(
  fn: (...args: In) => Tree,
  args: In,
  { donate = [], threads = 1 }: ForecastOptions = {},
): MemoryForecast => {
  const { placeholders, given } = placeholdersOf(args, donate);
  const graph = passed(linearize(leaves(fn(...placeholders)), given));
  const division = { threads, least: defaultLeastWork };
  const builder = moduleBuilder(threads > 1 ? { shared: true, maximumPages: mostPages } : {});
  const kernels = graph.steps.map((step) => emitStep(builder, wholeStep(graph, step), division, {}));
  const { plan, values } = planProgram(graph, kernels, division, nameByIdentity());
  const bytesOfSlots = (slots: readonly Slot[]): number =>
    slots.reduce((sum, slot) => sum + bytesOf(graph.specs[slot]!), 0);
  const parts = {
    arguments: bytesOfSlots(graph.args.map(({ slot }) => slot)),
    constants: bytesOfSlots(graph.constants.map(({ slot }) => slot)),
    results: bytesOfSlots(plan.storage.flatMap((place, slot) => (place?.kind === 'result' ? [slot] : []))),
    plan: plan.bytes,
    kept: values.reduce((sum, { bytes }) => sum + bytes, 0),
  };
  const total = Object.values(parts).reduce((sum, bytes) => sum + bytes, 0);
  return { total, ...parts, steps: stepsOf(plan) };
};

const wholeStep = ({ specs }: Graph, step: Step) => ({
  ...step,
  inputs: step.inputs.map((slot) => specs[slot]!),
  output: specs[step.output]!,
});

/** Names for constants, the same for the same array. */
const nameByIdentity = (): ((data: Data) => string) => {
  const names = new Map<Data, string>();
  return (data) => {
    const name = names.get(data) ?? `constant ${names.size}`;
    names.set(data, name);
    return name;
  };
};

/** The steps with the spans of their outputs: values that share elements share the first one's. */
const stepsOf = ({ graph, storage }: ReturnType<typeof planProgram>['plan']): readonly ForecastStep[] => {
  const ownerOf = (slot: Slot): Slot => {
    const place = storage[slot];
    return place?.kind === 'alias' ? ownerOf(place.of) : slot;
  };
  const lastUses = new Map<Slot, number>();
  graph.steps.forEach(({ inputs, output }, i) => {
    for (const slot of [...inputs, output]) lastUses.set(ownerOf(slot), i);
  });
  return graph.steps.map(({ op, label, inputs, output }) => ({
    op: op.name,
    ...(label === undefined ? {} : { label }),
    inputs,
    output,
    spec: graph.specs[output]!,
    bytes: storage[output]?.kind === 'block' ? bytesOf(graph.specs[output]!) : 0,
    lastUse: lastUses.get(ownerOf(output))!,
  }));
};
