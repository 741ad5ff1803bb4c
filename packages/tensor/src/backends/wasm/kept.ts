// Values that outlive a run: panels of filters that come from arguments which the caller keeps, and what they are made of.
//
// A buffer never changes, so a value computed from buffers is known by their numbers: it is computed again only when
// an argument is another buffer, and programs that need the same value share it.
import type { Graph, Slot, Step } from '../../graph/graph.ts';
import type { Data } from '../../tensor.ts';
import { isConvolution } from './convolutionSteps.ts';
import type { Address, BlockMemory } from './memory.ts';
import type { WholeStep } from './split.ts';
import { stepKey } from './stepKey.ts';

/** A value to keep: filters of a convolution, or panels of them. */
export interface KeptValue {
  readonly slot: Slot;
  /** The step that computes it and those that only serve it and other kept values, by their place in the graph. */
  readonly steps: readonly number[];
  /** The arguments that it depends on. */
  readonly args: readonly number[];
  /** How it is computed, as text that is equal for equal computations on the buffers of the given numbers. */
  readonly key: (buffers: readonly number[]) => string;
}

/** Where a value comes from: arguments, steps, and the computation as text in which `#3#` is argument number 3. */
interface Origin {
  readonly args: readonly number[];
  readonly steps: readonly number[];
  readonly text: string;
}

/** The values of a graph that are kept: filters that are computed from constants and arguments that are not donated. */
export const keptValues = (graph: Graph, nameOf: (data: Data) => string): readonly KeptValue[] => {
  const { roots, wanted } = keptSlots(graph);
  const always = neededAlways(graph, roots, wanted);
  const origins = new Map<Slot, Origin>();
  graph.args.forEach(({ slot }, index) => {
    if (wanted.has(slot)) origins.set(slot, { args: [index], steps: [], text: `#${index}#` });
  });
  for (const { slot, data } of graph.constants) {
    const text = data.length === 1 && !Object.is(data[0], -0) ? `${data[0]}` : nameOf(data);
    if (wanted.has(slot)) origins.set(slot, { args: [], steps: [], text });
  }
  return graph.steps.flatMap((step, at) => {
    if (!wanted.has(step.output)) return [];
    const inputs = step.inputs.map((slot) => origins.get(slot)!);
    const isOwn = step.op.name !== 'reshape' && !always.has(step.output);
    const origin: Origin = {
      args: [...new Set(inputs.flatMap(({ args }) => args))],
      steps: [...new Set([...inputs.flatMap(({ steps }) => steps), ...(isOwn ? [at] : [])])],
      text: `${stepKey(wholeStep(graph, step))}(${inputs.map(({ text }) => text)})`,
    };
    origins.set(step.output, origin);
    if (!roots.has(step.output)) return [];
    const key = (buffers: readonly number[]): string =>
      origin.text.replace(/#(\d+)#/g, (_, index: string) => `#${buffers[Number(index)]}#`);
    return [{ slot: step.output, steps: origin.steps, args: origin.args, key }];
  });
};

/** The filters that are kept (`roots`), and with them all that they are made of. */
const keptSlots = (graph: Graph): { readonly roots: Set<Slot>; readonly wanted: Set<Slot> } => {
  const makers = new Map(graph.steps.map((step) => [step.output, step]));
  const staying = stayingSlots(graph);
  const results = new Set(graph.results);
  const filters = graph.steps.flatMap(({ op, inputs }) => (isConvolution(op) ? [inputs[1]!] : []));
  const isKept = (slot: Slot): boolean =>
    staying.has(slot) && !results.has(slot) && makers.has(slot) && makers.get(slot)!.op.name !== 'reshape';
  const roots = new Set(filters.filter(isKept));
  const wanted = new Set(roots);
  for (const step of [...graph.steps].reverse())
    if (wanted.has(step.output)) for (const slot of step.inputs) wanted.add(slot);
  return { roots, wanted };
};

/** What kept filters are made of and other steps read too, and all that it is made of in turn. */
const neededAlways = (
  graph: Graph,
  roots: ReadonlySet<Slot>,
  wanted: ReadonlySet<Slot>,
): ReadonlySet<Slot> => {
  const always = new Set<Slot>();
  for (const step of [...graph.steps].reverse())
    if (!wanted.has(step.output) || always.has(step.output))
      for (const slot of step.inputs) if (wanted.has(slot) && !roots.has(slot)) always.add(slot);
  return always;
};

/** Slots that depend on nothing else than constants and arguments that are not donated. */
export const stayingSlots = (graph: Graph): ReadonlySet<Slot> => {
  const staying = new Set<Slot>([
    ...graph.args.filter(({ donated }) => !donated).map(({ slot }) => slot),
    ...graph.constants.map(({ slot }) => slot),
  ]);
  for (const step of graph.steps)
    if (step.inputs.every((slot) => staying.has(slot))) staying.add(step.output);
  return staying;
};

const wholeStep = ({ specs }: Graph, { op, attrs, inputs, output }: Step): WholeStep => ({
  op,
  attrs,
  inputs: inputs.map((slot) => specs[slot]!),
  output: specs[output]!,
});

/** A value in memory. */
interface Holding {
  readonly address: Address;
  readonly bytes: number;
  /** Whether it has been computed. */
  isReady: boolean;
  holders: number;
}

/** The kept values of all programs of a backend. */
export interface KeptStore {
  /** The value of the key, to be given back by `release`. Whoever gets one that is not ready computes it. */
  readonly hold: (key: string, bytes: number) => Holding;
  readonly release: (key: string) => void;
  /** Bytes of all values. */
  readonly bytes: () => number;
  /** A name for constant data, the same for the same array. */
  readonly nameOf: (data: Data) => string;
}

/** An empty store in a memory. */
export const openKeptStore = (blocks: BlockMemory): KeptStore => {
  const holdings = new Map<string, Holding>();
  const names = new WeakMap<Data, string>();
  let named = 0;
  let total = 0;
  return {
    hold: (key, bytes) => {
      const known = holdings.get(key);
      if (known !== undefined) {
        known.holders++;
        return known;
      }
      const address = blocks.allocate(bytes, () => 'filters in the layout of the kernels');
      const holding = { address, bytes, isReady: false, holders: 1 };
      holdings.set(key, holding);
      total += bytes;
      return holding;
    },
    release: (key) => {
      const holding = holdings.get(key);
      if (holding === undefined || --holding.holders > 0) return;
      holdings.delete(key);
      total -= holding.bytes;
      blocks.free(holding.address);
    },
    bytes: () => total,
    nameOf: (data) => {
      const name = names.get(data) ?? `constant ${named++}`;
      names.set(data, name);
      return name;
    },
  };
};

/** What a program keeps from run to run. */
export interface Keeper {
  /** Where the kept values lie for a run on the given buffers, and the steps that need not run, by their place in the graph. */
  readonly prepare: (buffers: readonly number[]) => {
    readonly places: readonly Address[];
    readonly skipped: ReadonlySet<number>;
  };
  /** Says that the run that was prepared has computed what was missing. */
  readonly confirm: () => void;
  readonly release: () => void;
}

/** The keeper of one program. */
export const keeperOf = (
  values: readonly (KeptValue & { readonly bytes: number })[],
  store: KeptStore,
): Keeper => {
  const all = new Set(values.flatMap(({ steps }) => steps));
  const held = new Map<
    KeptValue,
    { readonly key: string; readonly seen: string; readonly holding: Holding }
  >();
  const letGo = (value: KeptValue): void => {
    const before = held.get(value);
    held.delete(value);
    if (before !== undefined) store.release(before.key);
  };
  return {
    prepare: (buffers) => {
      const needed = new Set<number>();
      const places = values.map((value) => {
        const seen = value.args.map((arg) => buffers[arg]).join();
        if (held.get(value)?.seen !== seen) {
          letGo(value);
          const key = value.key(buffers);
          held.set(value, { key, seen, holding: store.hold(key, value.bytes) });
        }
        const { holding } = held.get(value)!;
        if (!holding.isReady) for (const step of value.steps) needed.add(step);
        return holding.address;
      });
      return { places, skipped: new Set([...all].filter((step) => !needed.has(step))) };
    },
    confirm: () => {
      for (const { holding } of held.values()) holding.isReady = true;
    },
    release: () => values.forEach(letGo),
  };
};
