// The order of steps: those that free memory run as soon as they can.
import { sizeOf } from '../shape.ts';
import type { Graph, Slot, Step } from './graph.ts';

/** What is still to come while steps are put in order. */
interface Progress {
  /** Steps that read a slot. */
  readonly readers: ReadonlyMap<Slot, readonly Step[]>;
  /** Readers of a slot that have not run. */
  readonly unread: Map<Slot, number>;
  /** Computed inputs that a step still waits for. */
  readonly missing: Map<Step, number>;
}

const distinct = (slots: readonly Slot[]): readonly Slot[] =>
  slots.length < 2 ? slots : [...new Set(slots)];

const startOf = (graph: Graph, computed: ReadonlySet<Slot>): Progress => {
  const readers = new Map<Slot, Step[]>();
  const missing = new Map<Step, number>();
  for (const step of graph.steps) {
    const inputs = distinct(step.inputs);
    missing.set(step, inputs.filter((slot) => computed.has(slot)).length);
    for (const slot of inputs) {
      const known = readers.get(slot);
      if (known === undefined) readers.set(slot, [step]);
      else known.push(step);
    }
  }
  return { readers, missing, unread: new Map([...readers].map(([slot, steps]) => [slot, steps.length])) };
};

/**
 * The graph with every step that frees at least as many bytes as it takes moved forward to where its inputs first exist.
 *
 * Gradients of weights are such steps: each one ends the life of an activation and of a cotangent. Steps that only take memory stay
 * where they are, so a recomputation never moves in front of what it waits for.
 */
export const runSinksEarly = (graph: Graph): Graph => {
  const computed = new Set(graph.steps.map((step) => step.output));
  const results = new Set(graph.results);
  const progress = startOf(graph, computed);
  const { readers, unread, missing } = progress;
  const bytes = (slot: Slot): number => 4 * sizeOf(graph.specs[slot]!.shape);
  const isFreedBy = (slot: Slot): boolean =>
    computed.has(slot) && !results.has(slot) && unread.get(slot) === 1;
  const paysForItself = (step: Step): boolean =>
    distinct(step.inputs)
      .filter(isFreedBy)
      .reduce((sum, slot) => sum + bytes(slot), 0) >= bytes(step.output);
  const order: Step[] = [];
  const done = new Set<Step>();
  const record = (step: Step): void => {
    done.add(step);
    order.push(step);
    for (const slot of distinct(step.inputs)) unread.set(slot, unread.get(slot)! - 1);
    for (const reader of readers.get(step.output) ?? []) missing.set(reader, missing.get(reader)! - 1);
  };
  for (const next of graph.steps) {
    const candidates = [next];
    for (let step = candidates.pop(); step !== undefined; step = candidates.pop()) {
      const mayRun = missing.get(step) === 0 && (step === next || paysForItself(step));
      if (done.has(step) || !mayRun) continue;
      record(step);
      // the readers of its output may run now, and the last reader of an input has begun to pay
      const touched = [...step.inputs.filter((slot) => unread.get(slot) === 1), step.output];
      candidates.push(...touched.flatMap((slot) => readers.get(slot) ?? []));
    }
  }
  return { ...graph, steps: order };
};
