// The memory plan: where every value of a graph lives, decided before the first run.

import { sizeOf, stridesOf } from '../shape.ts';
import type { Graph, Slot, Step } from './graph.ts';
import { storedBytes } from './graph.ts';
import type { Loop } from './loop.ts';

/** Where a slot's elements are. Every element takes 4 bytes, but for halves. */
type Storage =
  | { readonly kind: 'argument'; readonly index: number }
  | { readonly kind: 'constant'; readonly index: number }
  /** In the plan's own memory, shared with slots that are not alive at the same time. */
  | { readonly kind: 'block'; readonly offset: number }
  /** One of the plan's own buffers, shared with slots that are not alive at the same time. */
  | { readonly kind: 'pooled'; readonly index: number }
  /** A new buffer of its own: result number `index`. */
  | { readonly kind: 'result'; readonly index: number }
  /** The buffer of a donated argument, which result number `index` takes over. */
  | { readonly kind: 'taken'; readonly index: number; readonly argument: number }
  /** Memory that the backend holds from run to run: kept value number `index`. */
  | { readonly kind: 'kept'; readonly index: number }
  /** The same elements as another slot. */
  | { readonly kind: 'alias'; readonly of: Slot }
  /** Some of the elements of another slot, from `offset` on. */
  | { readonly kind: 'piece'; readonly of: Slot; readonly offset: number };

/** A graph with a place for every slot. */
export interface Plan {
  readonly graph: Graph;
  /** By slot; slots that nothing computes have none. */
  readonly storage: readonly (Storage | undefined)[];
  /** Bytes of the plan's own memory. */
  readonly bytes: number;
}

/** Blocks begin at multiples of this many bytes, and leave as many readable bytes behind them for vector loads. */
export const alignment = 64;

/** The bytes that a block of so many elements takes, with room to read past its end. */
export const paddedBytes = (elements: number): number =>
  Math.ceil((elements * 4) / alignment) * alignment + alignment;

/** Extra memory per step, in bytes. */
export type ScratchOf = (step: Step) => number;

/**
 * The plan of a graph whose results are separate steps. Reshapes become aliases; scratch blocks follow the slots, one per step. Slots
 * in `kept` take no memory of the plan.
 */
export const planMemory = (
  graph: Graph,
  scratchOf: ScratchOf = () => 0,
  kept: readonly Slot[] = [],
): Plan & { readonly scratch: readonly number[] } => {
  const { storage, owner } = placeGiven(graph, kept);
  const blocks = lifetimes(graph, owner, storage, scratchOf);
  const { offsets, bytes } = pack(blocks);
  const scratch: number[] = graph.steps.map(() => 0);
  blocks.forEach((block, i) => {
    if (block.slot === undefined) scratch[block.from] = offsets[i]!;
    else storage[block.slot] = { kind: 'block', offset: offsets[i]! };
  });
  return { graph, storage, bytes, scratch };
};

/** A graph with a buffer for every slot, for places whose buffers are not ranges of one memory. */
export interface BufferPlan {
  readonly graph: Graph;
  readonly storage: readonly (Storage | undefined)[];
  /** Bytes of each of the plan's own buffers. */
  readonly pool: readonly number[];
}

/**
 * The plan of a graph whose results are separate steps, in whole buffers. A step's output is never one of its inputs, but for a donated
 * argument that the step reads only at the element that it writes. Reshapes become aliases; pieces lie where the slot lies that they
 * are parts of.
 */
export const planBuffers = (graph: Graph): BufferPlan => {
  const { storage, owner } = placeGiven(graph, []);
  const pool: { bytes: number; busyUntil: number }[] = [];
  for (const { slot, bytes, from, to } of lifetimes(graph, owner, storage, () => 0)) {
    // the free buffer that must grow least, and of those that need not the smallest
    const cost = (held: number): number => (held < bytes ? bytes - held : (held - bytes) * 1e-6);
    const free = pool
      .filter(({ busyUntil }) => busyUntil < from)
      .reduce<(typeof pool)[number] | undefined>(
        (best, next) => (best === undefined || cost(next.bytes) < cost(best.bytes) ? next : best),
        undefined,
      );
    const chosen = free ?? { bytes, busyUntil: to };
    if (free === undefined) pool.push(chosen);
    chosen.bytes = Math.max(chosen.bytes, bytes);
    chosen.busyUntil = to;
    storage[slot!] = { kind: 'pooled', index: pool.indexOf(chosen) };
  }
  return { graph, storage, pool: pool.map(({ bytes }) => bytes) };
};

/** The slots whose place follows from the graph alone: arguments, constants, kept values, aliases, results. And who owns every computed slot's elements. */
const placeGiven = (
  graph: Graph,
  kept: readonly Slot[],
): { storage: (Storage | undefined)[]; owner: Map<Slot, Slot> } => {
  const storage: (Storage | undefined)[] = graph.specs.map(() => undefined);
  graph.args.forEach(({ slot }, index) => {
    storage[slot] = { kind: 'argument', index };
  });
  graph.constants.forEach(({ slot }, index) => {
    storage[slot] = { kind: 'constant', index };
  });
  graph.pieces?.forEach((piece, slot) => {
    storage[slot] = { kind: 'piece', ...piece };
  });
  const owner = aliasOwners(graph, storage);
  for (const { output, inputs } of graph.steps) {
    if (owner.get(output) === output || storage[output] !== undefined) continue;
    const source = storage[inputs[0]!];
    storage[output] = source?.kind === 'alias' ? source : { kind: 'alias', of: inputs[0]! };
  }
  kept.forEach((slot, index) => {
    storage[slot] = { kind: 'kept', index };
  });
  placeResults(graph, owner, storage);
  return { storage, owner };
};

/** Which slot owns the elements of each computed slot. A reshape shares its input's, unless a result would then share with an argument, constant or other result. */
const aliasOwners = (graph: Graph, storage: readonly (Storage | undefined)[]): Map<Slot, Slot> => {
  const owner = new Map([...(graph.pieces ?? [])].map(([slot, { of }]) => [slot, of]));
  const results = new Set(graph.results);
  const promised = new Set<Slot>();
  const whole = new Set([...(graph.pieces ?? [])].map(([, { of }]) => of));
  for (const step of graph.steps) {
    if (graph.pieces?.has(step.output) === true) continue;
    const source = step.inputs[0];
    const root = source === undefined ? undefined : (owner.get(source) ?? source);
    const isResult = results.has(step.output);
    const mayShare =
      step.op.name === 'reshape' &&
      root !== undefined &&
      !(
        isResult &&
        (storage[root] !== undefined || results.has(root) || promised.has(root) || whole.has(root))
      );
    owner.set(step.output, mayShare ? root : step.output);
    if (isResult && mayShare) promised.add(root);
  }
  return owner;
};

/** Gives every result a buffer: a donated argument's where the last reader of the argument is the writer of the result, else a new one. */
const placeResults = (
  graph: Graph,
  owner: ReadonlyMap<Slot, Slot>,
  storage: (Storage | undefined)[],
): void => {
  const written = new Map(graph.steps.map((step, i) => [step.output, i]));
  const lastRead = lastReads(graph, owner);
  const free = graph.args
    .map(({ slot, donated }, index) => ({ slot, donated, index }))
    .filter(({ donated }) => donated);
  graph.results.forEach((result, index) => {
    const slot = owner.get(result)!;
    const at = written.get(slot)!;
    const elements = sizeOf(graph.specs[slot]!.shape);
    const match = free.findIndex(({ slot: arg }) => {
      const last = lastRead.get(arg) ?? -1;
      if (sizeOf(graph.specs[arg]!.shape) !== elements) return false;
      return last < at || (last === at && readsInPlace(graph.steps[at]!, arg, elements));
    });
    const [taken] = match < 0 ? [] : free.splice(match, 1);
    storage[slot] =
      taken === undefined ? { kind: 'result', index } : { kind: 'taken', index, argument: taken.index };
  });
};

const lastReads = (graph: Graph, owner: ReadonlyMap<Slot, Slot>): Map<Slot, number> => {
  const last = new Map<Slot, number>();
  graph.steps.forEach((step, i) => {
    for (const slot of step.inputs) last.set(owner.get(slot) ?? slot, i);
  });
  return last;
};

/** Whether a step reads a slot only at the element it is writing, so that both may share storage. */
const readsInPlace = (step: Step, slot: Slot, elements: number): boolean => {
  if (step.op.name !== 'loop') return false;
  const { loop } = step.attrs as { loop: Loop };
  if (loop.reduction !== undefined || sizeOf(loop.extents) !== elements) return false;
  const straight = stridesOf(loop.extents);
  return step.inputs.every(
    (input, k) =>
      input !== slot ||
      (loop.offsets[k] === 0 && loop.strides[k]!.every((s, d) => s === straight[d] || loop.extents[d] === 1)),
  );
};

/** A span of memory that is needed from one step to another, both included. */
interface Block {
  /** The owner slot, or undefined for the scratch of step `from`. */
  readonly slot: Slot | undefined;
  readonly bytes: number;
  readonly from: number;
  to: number;
}

const lifetimes = (
  graph: Graph,
  owner: ReadonlyMap<Slot, Slot>,
  storage: readonly (Storage | undefined)[],
  scratchOf: ScratchOf,
): Block[] => {
  const blocks: Block[] = [];
  const bySlot = new Map<Slot, Block>();
  graph.steps.forEach((step, i) => {
    const slot = owner.get(step.output)!;
    if (storage[slot] === undefined && !bySlot.has(slot)) {
      const block: Block = { slot, bytes: paddedBytes(storedBytes(graph, slot) / 4), from: i, to: i };
      bySlot.set(slot, block);
      blocks.push(block);
    }
    for (const input of step.inputs) {
      const block = bySlot.get(owner.get(input) ?? input);
      if (block !== undefined) block.to = i;
    }
    const scratch = scratchOf(step);
    if (scratch > 0) blocks.push({ slot: undefined, bytes: paddedBytes(scratch / 4), from: i, to: i });
  });
  return blocks;
};

/** Offsets such that blocks alive together do not overlap: largest first, each at the lowest gap that holds it. */
const pack = (blocks: readonly Block[]): { offsets: number[]; bytes: number } => {
  const order = [...blocks.keys()].sort((a, b) => blocks[b]!.bytes - blocks[a]!.bytes || a - b);
  const offsets = new Array<number>(blocks.length).fill(0);
  const placed: number[] = []; // block numbers by ascending offset
  let bytes = 0;
  for (const i of order) {
    const block = blocks[i]!;
    let offset = 0;
    for (const j of placed) {
      const other = blocks[j]!;
      if (other.to < block.from || other.from > block.to) continue;
      if (offsets[j]! >= offset + block.bytes) break;
      offset = Math.max(offset, offsets[j]! + other.bytes);
    }
    offsets[i] = offset;
    bytes = Math.max(bytes, offset + block.bytes);
    const at = placed.findIndex((j) => offsets[j]! > offset);
    placed.splice(at < 0 ? placed.length : at, 0, i);
  }
  return { offsets, bytes };
};
