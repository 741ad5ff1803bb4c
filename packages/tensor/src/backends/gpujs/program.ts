// A graph with a kernel per step, and a schedule of arrays: who writes which, and when each may be used again.
import { describeSpec, sentence, UnsupportedError } from '../../errors.ts';
import { isLoopOp } from '../../graph/fuse.ts';
import type { Graph, Slot, Step } from '../../graph/graph.ts';
import { planBuffers } from '../../graph/plan.ts';
import { printStep } from '../../graph/print.ts';
import { viewOf } from '../../ops/views.ts';
import { sizeOf } from '../../shape.ts';
import type { Data, Spec } from '../../tensor.ts';
import type { KernelChoice } from '../backend.ts';
import { decode, encode } from './contents.ts';
import type { Handle, Host, HostKernel, Layout } from './host.ts';
import type { KernelStore, Loan } from './kernelStore.ts';
import { tableEntry } from './kernelTable.ts';
import { mostNumbers, traitsOf } from './modes.ts';
import { contentsBySlot } from './packed/ops.ts';
import type { Demand } from './pool.ts';
import { layoutKey } from './pool.ts';
import type { Queue } from './queue.ts';
import type { Contents, KernelSource } from './source.ts';
import { arraysOf, blockRows, lanes, numbersOf, operandsOf } from './source.ts';

/** Runs one step on the arrays of all slots. */
type StepRunner = (handles: readonly Handle[]) => void;

/** What happens at one step. */
interface Move {
  readonly step: Step;
  /** The slot that owns the written array, which is taken before the step; none for aliases. */
  readonly takes: Slot | undefined;
  /** Slots whose arrays nobody needs after the step. */
  readonly frees: readonly Slot[];
  /** Arguments whose arrays nobody needs after the step, by number: those that are donated are given back then. */
  readonly endsArguments: readonly number[];
}

/** A graph that is ready to run. */
export interface Executable {
  readonly graph: Graph;
  readonly moves: readonly Move[];
  readonly runners: readonly StepRunner[];
  readonly choices: readonly KernelChoice[];
  /** By slot, the slot whose array holds it. */
  readonly owners: readonly Slot[];
  /** By slot, what its array is. */
  readonly layouts: readonly Layout[];
  readonly demand: Demand;
  /** Bytes of arrays that are alive at once, besides arguments and constants. */
  readonly bytes: number;
  readonly release: () => void;
}

/** What programs run on. */
export interface Machine {
  readonly host: Host;
  readonly queue: Queue;
  readonly kernels: KernelStore;
}

/** Which kernel an op gets. */
export const choiceFor = (op: Step['op']): KernelChoice =>
  isLoopOp(op) || tableEntry(op) !== undefined
    ? { tier: 'tuned' }
    : { tier: 'reference', reason: `no GPU.js kernel is written for ${op.name}` };

/** Bytes of the array that holds a tensor. */
export const bytesOf = (spec: Spec): number => 4 * numbersOf(spec);

/** The layout of an array of numbers that holds a tensor. */
export const layoutOf = (spec: Spec): Layout => ({ length: numbersOf(spec), contents: 'numbers' });

/** Numbers of what arrays are made of. */
const numbersIn: Readonly<Record<Contents, number>> = {
  numbers: 1,
  texels: lanes,
  blocks: lanes * blockRows,
};

const layoutsOf = (graph: Graph): readonly Layout[] =>
  contentsBySlot(graph).map((contents, slot) => ({
    length: numbersOf(graph.specs[slot]!) / numbersIn[contents],
    contents,
  }));

/** The text of the kernel of a step, or undefined for steps without one. */
export const kernelOf = (graph: Graph, step: Step, mode: Host['mode']): KernelSource | undefined =>
  tableEntry(step.op)?.(
    operandsOf(step.inputs, graph.specs, contentsBySlot(graph)),
    graph.specs[step.output]!,
    step.attrs,
    traitsOf[mode],
  );

/**
 * The graph's kernels, and its schedule.
 *
 * Throws  UnsupportedError under `strict` when a step would run its reference loops, and for tensors that are too large
 */
export const buildExecutable = async (
  graph: Graph,
  machine: Machine,
  { strict = false }: { readonly strict?: boolean },
): Promise<Executable> => {
  requireSizes(graph);
  const { owners, moves } = scheduleOf(graph);
  const layouts = layoutsOf(graph);
  // all at once: some places compile on other threads
  const made = await Promise.allSettled(moves.map((move) => runnerOf(graph, move, owners, layouts, machine)));
  const ready = made.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const release = (): void => {
    for (const { loan } of ready) loan?.giveBack();
  };
  try {
    for (const result of made) if (result.status === 'rejected') throw result.reason;
    if (strict)
      moves.forEach(({ step }, i) => {
        requireTuned(graph, step, ready[i]!.choice);
      });
  } catch (error) {
    release();
    throw error;
  }
  const runners = ready.map(({ run }) => run);
  const choices = ready.map(({ choice }) => choice);
  return { graph, moves, runners, choices, owners, layouts, ...demandOf(layouts, moves), release };
};

/** How a step runs. */
interface StepChoice {
  readonly choice: KernelChoice;
  readonly run: StepRunner;
  readonly loan?: Loan;
}

const runnerOf = async (
  graph: Graph,
  { step, takes }: Move,
  owners: readonly Slot[],
  layouts: readonly Layout[],
  machine: Machine,
): Promise<StepChoice> => {
  if (takes === undefined || isEmpty(graph, takes))
    return { choice: choiceFor(step.op), run: () => undefined };
  const source = kernelOf(graph, step, machine.host.mode);
  const loops = (choice: KernelChoice): StepChoice => ({
    choice,
    run: referenceRunner(graph, step, owners, machine),
  });
  if (source === undefined) return loops(choiceFor(step.op));
  const lengths = arraysOf(step.inputs).map((slot) => layouts[slot]!.length);
  const loan = await machine.kernels.borrow(source, lengths, layouts[step.output]!.length);
  const { kernel } = loan;
  return typeof kernel === 'string'
    ? { ...loops({ tier: 'reference', reason: kernel }), loan }
    : { choice: { tier: 'tuned' }, run: kernelRunner(kernel, step, owners, machine.queue), loan };
};

const requireSizes = ({ specs }: Graph): void => {
  for (const spec of specs) requireSize(spec);
};

/** Throws UnsupportedError for tensors whose positions are not exact in single precision. */
export const requireSize = (spec: Spec): void => {
  if (numbersOf(spec) <= mostNumbers) return;
  throw new UnsupportedError(
    sentence({
      where: 'gpujs',
      needs: `tensors of at most ${mostNumbers} numbers (an i32 is two), up to which positions are exact`,
      got: describeSpec(spec),
      advice: 'Use smaller tensors, or another backend.',
    }),
  );
};

const requireTuned = (graph: Graph, step: Step, { tier, reason }: KernelChoice): void => {
  if (tier === 'tuned') return;
  throw new UnsupportedError(
    sentence({
      where: 'compile',
      label: step.label,
      needs: 'a tuned kernel for every step (strict)',
      got: `${step.op.name}(${step.inputs.map((slot) => describeSpec(graph.specs[slot]!)).join(', ')}): ${reason}`,
      advice: 'Compile without strict, or use another backend.',
    }),
  );
};

/** Whether a slot has no elements: its array of one number is never written. */
const isEmpty = ({ specs }: Graph, slot: Slot): boolean => sizeOf(specs[slot]!.shape) === 0;

/** Who owns every slot's array, and when arrays begin and end. */
const scheduleOf = (graph: Graph): { readonly owners: readonly Slot[]; readonly moves: readonly Move[] } => {
  const { storage } = planBuffers(graph);
  const ownerOf = (slot: Slot): Slot => {
    const place = storage[slot];
    return place?.kind === 'alias' ? ownerOf(place.of) : slot;
  };
  const owners = graph.specs.map((_, slot) => ownerOf(slot));
  const last = new Map<Slot, number>();
  graph.steps.forEach(({ inputs, output }, i) => {
    for (const slot of [...inputs, output]) last.set(owners[slot]!, i);
  });
  const kept = new Set(
    [...graph.results, ...graph.constants.map(({ slot }) => slot)].map((slot) => owners[slot]!),
  );
  const numbers = new Map(graph.args.map(({ slot }, i) => [slot, i]));
  const moves = graph.steps.map((step, i): Move => {
    const { inputs, output } = step;
    const ended = [...new Set([...inputs, output].map((slot) => owners[slot]!))].filter(
      (slot) => last.get(slot) === i && !kept.has(slot),
    );
    return {
      step,
      takes: owners[output] === output ? output : undefined,
      frees: ended.filter((slot) => !numbers.has(slot)),
      endsArguments: ended.flatMap((slot) => numbers.get(slot) ?? []),
    };
  });
  return { owners, moves };
};

/** How many arrays of every layout are alive at once, and the bytes of all. */
const demandOf = (
  layouts: readonly Layout[],
  moves: readonly Move[],
): { readonly demand: Demand; readonly bytes: number } => {
  const demand = new Map<string, number>();
  const alive = new Map<string, number>();
  let bytes = 0;
  let most = 0;
  const change = (slot: Slot, by: number): void => {
    const layout = layouts[slot]!;
    const key = layoutKey(layout);
    const count = (alive.get(key) ?? 0) + by;
    alive.set(key, count);
    demand.set(key, Math.max(demand.get(key) ?? 0, count));
    bytes += 4 * layout.length * numbersIn[layout.contents] * by;
    most = Math.max(most, bytes);
  };
  for (const { takes, frees } of moves) {
    if (takes !== undefined) change(takes, 1);
    for (const slot of frees) change(slot, -1);
  }
  return { demand, bytes: most };
};

const kernelRunner = (
  kernel: HostKernel,
  { inputs, output }: Step,
  owners: readonly Slot[],
  queue: Queue,
): StepRunner => {
  const from = arraysOf(inputs).map((slot) => owners[slot]!);
  return (handles) => {
    const given = from.map((slot) => handles[slot]!);
    const target = handles[output]!;
    queue.add(() => kernel.run(given, target));
  };
};

/** Runs the op's reference loops on copies of the arrays. */
const referenceRunner = (
  { specs }: Graph,
  { op, attrs, inputs, output }: Step,
  owners: readonly Slot[],
  { host, queue }: Machine,
): StepRunner => {
  const spec = specs[output]!;
  const compute = (contents: readonly Float32Array[], target: Handle): void => {
    const views = inputs.map((slot, i) => viewOf(decode(contents[i]!, specs[slot]!), specs[slot]!.shape));
    const out = emptyData(spec);
    op.reference(views, viewOf(out, spec.shape), attrs);
    host.write(target, encode(out, spec));
  };
  return (handles) => {
    const given = inputs.map((slot) => handles[owners[slot]!]!);
    const target = handles[output]!;
    queue.add(() => {
      const contents = given.map(host.read);
      if (contents.every((numbers) => numbers instanceof Float32Array)) {
        compute(contents, target);
        return undefined;
      }
      return Promise.all(contents).then((numbers) => compute(numbers, target));
    });
  };
};

const emptyData = ({ dtype, shape }: Spec): Data => {
  const size = sizeOf(shape);
  if (dtype === 'f32') return new Float32Array(size);
  return dtype === 'i32' ? new Int32Array(size) : new Uint8Array(size);
};

/** The program as text: memory, then every step with its kernel. */
export const describeExecutable = ({ graph, choices, bytes }: Executable, name: string): string => {
  const lines = graph.steps.map((step, i) => {
    const { tier, reason } = choices[i]!;
    return `${printStep(graph, step)}  [${tier}${reason === undefined ? '' : `: ${reason}`}]`;
  });
  const tuned = choices.filter(({ tier }) => tier === 'tuned').length;
  const head = `backend ${name}: ${choices.length} steps (${tuned} tuned, ${choices.length - tuned} reference), ${bytes} bytes of plan memory`;
  return [head, ...lines].join('\n');
};
