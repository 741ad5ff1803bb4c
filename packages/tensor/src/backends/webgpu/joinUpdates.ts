// Updates of many parameters as a few loops: parameters that are updated alike lie one after the other in one buffer, and so do their
// gradients and whatever an optimiser remembers of them. A loop over the buffer is then the update of all.
//
// An optimiser has a handful of loops per parameter, all of them short, and a launch costs more than most take. Where arguments do not lie
// together yet, as in the first step, the program copies them; results do, so the next step finds them as it needs them.
import type { Graph, Piece, Slot, Step } from '../../graph/graph.ts';
import type { LoopAttrs } from '../../graph/loop.ts';
import { loopOp } from '../../graph/loop.ts';
import { printExpression } from '../../graph/print.ts';
import type { Attrs, Primitive } from '../../primitive.ts';
import { sizeOf } from '../../shape.ts';
import type { Spec } from '../../tensor.ts';
import type { Update } from './updates.ts';
import { updatesOf } from './updates.ts';

/** Where a tensor lies among those that an argument or result of the joined graph is made of. */
export interface Part {
  readonly slot: Slot;
  /** Its number among the arguments or results of the graph before. */
  readonly index: number;
  /** Elements before it. */
  readonly offset: number;
}

/** A graph some of whose arguments and results are bundles: several of those of the graph before, one after the other. */
export interface JoinedGraph {
  readonly graph: Graph;
  /** The parts of every argument; a single one where it is what it was. */
  readonly args: readonly (readonly Part[])[];
  readonly results: readonly (readonly Part[])[];
}

/** Bounds of what is joined. */
export interface JoinLimits {
  /** Tensors that a loop may read. */
  readonly mostInputs: number;
  /** Bytes of a buffer. */
  readonly mostBytes: number;
}

/** Elements between the beginnings of parts are multiples of this: bindings begin at multiples of 256 bytes. */
const alignment = 64;

/** The graph as it is. */
export const unjoined = (graph: Graph): JoinedGraph => ({
  graph,
  args: graph.args.map(({ slot }, index) => [{ slot, index, offset: 0 }]),
  results: graph.results.map((slot, index) => [{ slot, index, offset: 0 }]),
});

/** An equal graph in which updates that differ in nothing but their tensors are one step. */
export const joinUpdates = (graph: Graph, { mostInputs, mostBytes }: JoinLimits): JoinedGraph => {
  const { results, between } = updatesOf(graph, mostInputs);
  const places = placesOf(graph);
  const alike = new Map<string, Family[]>();
  for (const family of familiesOf(graph, results, places)) {
    const known = alike.get(family.signature);
    if (known === undefined) alike.set(family.signature, [family]);
    else known.push(family);
  }
  const groups = [...alike.values()]
    .flatMap((families) => withinBytes(graph, families, mostBytes))
    .filter((families) => families.length > 1 && areWrittenApart(families, places));
  const free = withoutReaders(graph, groups, between);
  return free.length === 0 ? unjoined(graph) : joinGroups(graph, free, between);
};

/** The groups whose results no other step reads: joined steps are the last. */
const withoutReaders = (
  graph: Graph,
  groups: readonly (readonly Family[])[],
  between: readonly Step[],
): readonly (readonly Family[])[] => {
  const gone = new Set(groups.flat().flatMap(stepsOf));
  const others = graph.steps.filter((step) => !gone.has(step));
  const read = new Set(withoutUnread(others, between, []).flatMap(({ inputs }) => inputs));
  const free = groups.filter((families) =>
    families.flatMap(stepsOf).every(({ output }) => !read.has(output)),
  );
  return free.length === groups.length ? groups : withoutReaders(graph, free, between);
};

const stepsOf = ({ updates }: Family): readonly Step[] => updates.map(({ step }) => step);

/** What is known of slots: who makes them, and of which slot they are a reshape. */
interface Places {
  readonly makers: ReadonlyMap<Slot, Step>;
  readonly rootOf: (slot: Slot) => Slot;
}

const placesOf = ({ steps }: Graph): Places => {
  const makers = new Map(steps.map((step) => [step.output, step]));
  const rootOf = (slot: Slot): Slot => {
    const maker = makers.get(slot);
    return maker?.op.name === 'reshape' ? rootOf(maker.inputs[0]!) : slot;
  };
  return { makers, rootOf };
};

/** The updates of one parameter and of what is remembered of it. */
interface Family {
  readonly updates: readonly Update[];
  /** Tensors that updates read along with their results, in the order in which they do. */
  readonly slots: readonly Slot[];
  /** Equal for families that differ in their tensors alone. */
  readonly signature: string;
}

/** Updates that read the same tensors belong together; the one that reads most comes first, so that the others may then overwrite what it read. */
const familiesOf = (graph: Graph, updates: readonly Update[], { makers, rootOf }: Places): Family[] => {
  const donated = new Set(graph.args.filter((arg) => arg.donated).map(({ slot }) => slot));
  const results = new Set(graph.results);
  const kindOf = (slot: Slot): string | undefined => {
    if (donated.has(slot)) return 'argument';
    return makers.has(slot) && !results.has(slot) ? 'computed' : undefined;
  };
  const rooted = updates.map((update) => ({
    ...update,
    operands: update.operands.map((operand) =>
      operand.isAlong ? { ...operand, slot: rootOf(operand.slot) } : operand,
    ),
  }));
  return gathered(rooted).flatMap((family): Family[] => {
    const order = family
      .map((update) => ({ update, along: alongOf(update).length, text: printExpression(update.expression) }))
      .sort((a, b) => b.along - a.along || (a.text < b.text ? -1 : 1));
    const slots = [...new Set(order.flatMap(({ update }) => alongOf(update)))];
    const kinds = slots.map(kindOf);
    if (kinds.includes(undefined)) return [];
    const texts = order.map(({ update: { operands }, text }) => {
      const reads = operands.map(({ slot, isAlong, offset }) =>
        isAlong ? `part ${slots.indexOf(slot)}` : `slot ${slot} at ${offset}`,
      );
      return `${text} of ${reads.join(', ')}`;
    });
    return [
      { updates: order.map(({ update }) => update), slots, signature: [...texts, ...kinds].join('; ') },
    ];
  });
};

const alongOf = ({ operands }: Update): readonly Slot[] =>
  operands.flatMap(({ slot, isAlong }) => (isAlong ? [slot] : []));

/** Updates in sets that share no tensor. */
const gathered = (updates: readonly Update[]): Update[][] => {
  let families: { readonly slots: ReadonlySet<Slot>; readonly updates: Update[] }[] = [];
  for (const update of updates) {
    const slots = new Set(alongOf(update));
    const isNear = (family: (typeof families)[number]): boolean =>
      [...slots].some((slot) => family.slots.has(slot));
    const near = families.filter(isNear);
    families = families.filter((family) => !isNear(family));
    families.push({
      slots: new Set([...near.flatMap((family) => [...family.slots]), ...slots]),
      updates: [...near.flatMap((family) => family.updates), update],
    });
  }
  return families.map((family) => family.updates);
};

/** The elements of a family's tensors, up to the beginning of the next one's. */
const alignedSize = (specs: readonly Spec[], { slots }: Family): number =>
  alignment * Math.ceil(sizeOf(specs[slots[0]!]!.shape) / alignment);

/** The families in groups whose tensors fit into a buffer. */
const withinBytes = ({ specs }: Graph, families: readonly Family[], mostBytes: number): Family[][] => {
  const groups: Family[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const family of families) {
    const own = 4 * alignedSize(specs, family);
    if (own > mostBytes) continue;
    if (bytes + own > mostBytes) {
      groups.push([]);
      bytes = 0;
    }
    groups.at(-1)!.push(family);
    bytes += own;
  }
  return groups;
};

/** Whether no step that makes a part reads another part of the same bundle: a launch cannot read and write one buffer. */
const areWrittenApart = (families: readonly Family[], { makers, rootOf }: Places): boolean =>
  families[0]!.slots.every((_, at) => {
    const bundle = new Set(families.map(({ slots }) => slots[at]!));
    return [...bundle].every(
      (slot) => makers.get(slot)?.inputs.some((read) => bundle.has(rootOf(read))) !== true,
    );
  });

/** The graph with every group of families as one. */
const joinGroups = (
  graph: Graph,
  groups: readonly (readonly Family[])[],
  between: readonly Step[],
): JoinedGraph => {
  const bundles: Bundles = { specs: [...graph.specs], pieces: new Map() };
  const steps = groups.flatMap((families) => joinedSteps(bundles, families));
  const { specs, pieces } = bundles;
  const gone = new Set(groups.flat().flatMap(stepsOf));
  const kept = withoutUnread(
    graph.steps.filter((step) => !gone.has(step)),
    between,
    steps,
  );
  const wholeOf = (slot: Slot): Slot => pieces.get(slot)?.of ?? slot;
  const donated = new Set(graph.args.filter((arg) => arg.donated).map(({ slot }) => wholeOf(slot)));
  const args = partsOf(
    graph.args.map(({ slot }) => slot),
    pieces,
  );
  const results = partsOf(graph.results, pieces);
  return {
    graph: {
      ...graph,
      specs,
      pieces,
      args: [...args.keys()].map((slot) => ({ slot, donated: donated.has(slot) })),
      steps: [...kept, ...steps],
      results: [...results.keys()],
    },
    args: [...args.values()],
    results: [...results.values()],
  };
};

/** Slots of bundles as they are made, and what lies in them. */
interface Bundles {
  readonly specs: Spec[];
  readonly pieces: Map<Slot, Piece>;
}

/** The updates of the first family, for all. */
const joinedSteps = ({ specs, pieces }: Bundles, families: readonly Family[]): Step[] => {
  const sizes = families.map((family) => alignedSize(specs, family));
  const offsets = sizes.map((_, i) => sizes.slice(0, i).reduce((sum, size) => sum + size, 0));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const bundled = (slotOf: (family: Family) => Slot): Slot => {
    const of = specs.push({ shape: [total], dtype: 'f32' }) - 1;
    families.forEach((family, i) => {
      pieces.set(slotOf(family), { of, offset: offsets[i]! });
    });
    return of;
  };
  const [first] = families as readonly [Family, ...Family[]];
  const read = new Map(first.slots.map((slot, at) => [slot, bundled(({ slots }) => slots[at]!)]));
  return first.updates.map((update, k) => {
    const inputs = update.operands.map(({ slot, isAlong }) => (isAlong ? read.get(slot)! : slot));
    return joinedStep(
      update,
      total,
      inputs,
      bundled(({ updates }) => updates[k]!.step.output),
    );
  });
};

const joinedStep = (
  { expression, operands }: Update,
  total: number,
  inputs: readonly Slot[],
  output: Slot,
): Step => {
  const attrs: LoopAttrs = {
    spec: { shape: [total], dtype: 'f32' },
    loop: {
      extents: [total],
      strides: operands.map(({ isAlong }) => [isAlong ? 1 : 0]),
      offsets: operands.map(({ offset }) => offset),
      expression,
    },
  };
  return { op: loopOp as unknown as Primitive, attrs: attrs as unknown as Attrs, inputs, output };
};

/** The steps without those between updates that nothing reads any more. */
const withoutUnread = (steps: readonly Step[], between: readonly Step[], more: readonly Step[]): Step[] => {
  const mayGo = new Set(between);
  const read = new Set(more.flatMap(({ inputs }) => inputs));
  const kept: Step[] = [];
  for (const step of [...steps].reverse()) {
    if (mayGo.has(step) && !read.has(step.output)) continue;
    for (const slot of step.inputs) read.add(slot);
    kept.push(step);
  }
  return kept.reverse();
};

/** The parts of slots that are bundles, and the others as they are, in the order of the slots. */
const partsOf = (slots: readonly Slot[], pieces: ReadonlyMap<Slot, Piece>): Map<Slot, Part[]> => {
  const parts = new Map<Slot, Part[]>();
  slots.forEach((slot, index) => {
    const { of, offset } = pieces.get(slot) ?? { of: slot, offset: 0 };
    const known = parts.get(of);
    if (known === undefined) parts.set(of, [{ slot, index, offset }]);
    else known.push({ slot, index, offset });
  });
  return parts;
};
