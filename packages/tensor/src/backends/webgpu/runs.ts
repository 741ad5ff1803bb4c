// Runs of a compiled plan: where the tensors of each lie, and what becomes of its arguments.
import { describeSpec } from '../../errors.ts';
import type { Slot } from '../../graph/graph.ts';
import type { BufferPlan } from '../../graph/plan.ts';
import type { Spec } from '../../tensor.ts';
import type { Buffer, Program } from '../backend.ts';
import type { Ledger } from '../ledger.ts';
import { programDestroyed } from '../ledger.ts';
import type { GpuBuffers } from './buffers.ts';
import { storedForm } from './buffers.ts';
import type { JoinedGraph } from './joinUpdates.ts';
import type { Move, Place } from './places.ts';
import { bundleAt, placesOfParts, wholeOf } from './places.ts';
import type { ReadyPlan } from './program.ts';
import { bytesOf, describePlan, submit } from './program.ts';

/** What programs need of their backend. */
export interface RunContext {
  readonly device: GPUDevice;
  readonly buffers: GpuBuffers;
  readonly ledger: Ledger<Place>;
  /** A live buffer of the backend at a place. */
  readonly open: (slot: Slot, place: Place) => Buffer;
  /** Throws when the device is gone. */
  readonly requireDevice: () => void;
  /** Resolves to what `start` gives once few enough runs wait on the GPU; at once where they are few. */
  readonly inTurn: <T>(start: () => T) => T | Promise<T>;
  /** What `describe` says of the device. */
  readonly head: string;
}

/** A compiled plan, and how its arguments and results are those of the graph that was given. */
interface Compiled {
  readonly ready: ReadyPlan;
  readonly joined: Pick<JoinedGraph, 'args' | 'results'>;
}

/** The program of a plan. */
export const openProgram = (compiled: Compiled, context: RunContext): Program => {
  const { buffers, inTurn, head } = context;
  const { graph } = compiled.ready.plan;
  const constants = graph.constants.map(({ slot, data }) => {
    const spec = graph.specs[slot]!;
    const buffer = buffers.take(bytesOf(spec), () => `a constant ${describeSpec(spec)}`);
    buffers.write(buffer, storedForm(data, spec));
    return buffer;
  });
  const start = runOf(compiled, constants, context);
  let isDestroyed = false;
  return {
    run: (args) =>
      inTurn(() => {
        if (isDestroyed) throw programDestroyed('webgpu');
        return start(args);
      }),
    describe: () => describePlan(compiled.ready, head),
    profile: () => [],
    destroy: () => {
      if (isDestroyed) return;
      isDestroyed = true;
      constants.forEach(buffers.giveBack);
    },
  };
};

/** A function that submits a run on arguments and gives its results. */
const runOf = (
  compiled: Compiled,
  constants: readonly GPUBuffer[],
  context: RunContext,
): ((args: readonly Buffer[]) => Buffer[]) => {
  const { ready, joined } = compiled;
  const { device, buffers, ledger, open, requireDevice } = context;
  const { graph, storage } = ready.plan;
  const taken = new Set(storage.flatMap((place) => (place?.kind === 'taken' ? [place.argument] : [])));
  return (args) => {
    requireDevice();
    const moves: Move[] = [];
    const own: GPUBuffer[] = [];
    const take: Take = (spec, purpose) => {
      const buffer = buffers.take(bytesOf(spec), () => `${purpose} ${describeSpec(spec)}`);
      own.push(buffer);
      return wholeOf(buffer);
    };
    let given: readonly Given[];
    let places: readonly Place[];
    try {
      given = gather(compiled, taken, args.map(ledger.placeOf), moves, take);
      places = placesOf(ready.plan, given, constants, buffers, take);
    } catch (error) {
      own.forEach(buffers.giveBack);
      throw error;
    }
    submit(device, ready, places, moves);
    ledger.count(ready.dispatches.length, buffers.workspaceBytes());
    given.forEach(({ place: { buffer }, isCopy }, k) => {
      for (const { index } of joined.args[k]!) {
        if (taken.has(k) && !isCopy) ledger.handOver(args[index]!);
        else if (graph.args[k]!.donated) ledger.close(args[index]!, 'donated');
      }
      if (isCopy && !taken.has(k)) buffers.giveBack(buffer);
    });
    const results: Buffer[] = [];
    joined.results.forEach((parts, k) => {
      const at = placesOfParts(places[graph.results[k]!]!, parts);
      parts.forEach(({ index, slot }, i) => {
        results[index] = open(slot, at[i]!);
      });
    });
    return results;
  };
};

/** A new buffer for a tensor. */
type Take = (spec: Spec, purpose: string) => Place;

/** Where an argument of the plan is for one run: what was given, or a copy of it. */
interface Given {
  readonly place: Place;
  readonly isCopy: boolean;
}

/** Where the arguments of the plan are; what must be copied for that is added to `moves`. */
const gather = (
  { ready, joined }: Compiled,
  taken: ReadonlySet<number>,
  given: readonly Place[],
  moves: Move[],
  take: Take,
): Given[] => {
  const { args, specs } = ready.plan.graph;
  return joined.args.map((parts, k) => {
    const places = parts.map(({ index }) => given[index]!);
    // what is overwritten must be alone in its buffer: a launch may read others that lie there
    const isFree = parts.length === 1 && !(taken.has(k) && places[0]!.sharers !== undefined);
    const found = isFree ? places[0] : bundleAt(places, parts);
    if (found !== undefined) return { place: found, isCopy: false };
    const place = take(specs[args[k]!.slot]!, 'a copy of arguments');
    parts.forEach(({ slot, offset }, i) => {
      const bytes = bytesOf(specs[slot]!);
      if (bytes > 0) moves.push({ from: places[i]!, to: place.buffer, offset: 4 * offset, bytes });
    });
    return { place, isCopy: true };
  });
};

/** Where every slot lies. */
const placesOf = (
  plan: BufferPlan,
  given: readonly Given[],
  constants: readonly GPUBuffer[],
  buffers: GpuBuffers,
  take: Take,
): Place[] => {
  const { graph, storage, pool } = plan;
  const workspace = buffers.workspace(pool, (index) => largestOf(plan, index));
  const places: Place[] = [];
  const placeOf = (slot: Slot): Place => {
    const at = storage[slot]!;
    switch (at.kind) {
      case 'argument':
        return given[at.index]!.place;
      case 'constant':
        return wholeOf(constants[at.index]!);
      case 'pooled':
        return wholeOf(workspace[at.index]!);
      case 'taken':
        return given[at.argument]!.place;
      case 'alias':
        return places[at.of] ?? placeOf(at.of);
      case 'piece': {
        const { buffer, offset } = places[at.of]!;
        return { buffer, offset: offset + 4 * at.offset };
      }
      default:
        return take(graph.specs[slot]!, 'a result');
    }
  };
  // those that lie where others lie come last
  const isDerived = (slot: Slot): boolean => ['alias', 'piece'].includes(storage[slot]!.kind);
  const slots = [...storage.keys()].filter((slot) => storage[slot] !== undefined);
  for (const slot of slots) if (!isDerived(slot)) places[slot] = placeOf(slot);
  for (const slot of slots) if (isDerived(slot)) places[slot] = placeOf(slot);
  return places;
};

/** The largest tensor of a buffer of the plan's own, and the step that makes it. */
const largestOf = ({ graph: { specs, steps }, storage }: BufferPlan, index: number): string => {
  const slots = storage.flatMap((place, slot) =>
    place?.kind === 'pooled' && place.index === index ? [slot] : [],
  );
  const largest = slots.reduce((a, b) => (bytesOf(specs[b]!) > bytesOf(specs[a]!) ? b : a));
  const maker = steps.find(({ output }) => output === largest);
  return `${describeSpec(specs[largest]!)} of ${maker?.op.name ?? 'a step'}${maker?.label === undefined ? '' : ` (${maker.label})`}`;
};
