// A plan with functions of WebAssembly: one per distinct kernel, called step by step with addresses. Steps that are worth it
// are divided, and their parts become jobs of the thread pool.
import { describeSpec, sentence, UnsupportedError } from '../../errors.ts';
import { isLoopOp } from '../../graph/fuse.ts';
import type { Graph, Slot, Step } from '../../graph/graph.ts';
import type { Plan } from '../../graph/plan.ts';
import { alignment, paddedBytes, planMemory } from '../../graph/plan.ts';
import { printStep } from '../../graph/print.ts';
import { viewOf } from '../../ops/views.ts';
import type { View } from '../../primitive.ts';
import { sizeOf } from '../../shape.ts';
import type { Spec } from '../../tensor.ts';
import type { KernelChoice } from '../backend.ts';
import type { ModuleBuilder } from './assembler/module.ts';
import type { Keeper, KeptStore, KeptValue } from './kept.ts';
import { keeperOf, keptValues } from './kept.ts';
import { roundUp } from './kernels/blockProduct.ts';
import type { KernelOptions } from './kernels/kernel.ts';
import { tableEntry } from './kernelTable.ts';
import type { KernelFunction, Library, StepFunctions, StepKernels } from './library.ts';
import type { Address, BlockMemory } from './memory.ts';
import type { Division, StepPart, WholeStep } from './split.ts';
import { splitStep } from './split.ts';
import type { Pool } from './threads/pool.ts';
import { mostTasks } from './threads/pool.ts';

/** Runs one step; `addresses` holds the address of every slot. */
type StepRunner = (addresses: ArrayLike<Address>, scratch: Address) => void;

/** A plan with a runner per step. */
export interface Executable {
  readonly plan: Plan & { readonly scratch: readonly number[] };
  readonly runners: readonly StepRunner[];
  readonly choices: readonly KernelChoice[];
  /** What each step needs for its output and scratch memory. */
  readonly stepBytes: readonly number[];
  /** What outlives a run, and its bytes. */
  readonly keeper: Keeper;
  readonly keptBytes: number;
  /** Gives the kernels back to the library, and what is kept to the store. */
  readonly release: () => void;
}

/** What programs run on: a memory, threads that share it, and the kernels compiled so far. */
export interface Machine {
  readonly blocks: BlockMemory;
  readonly kept: KeptStore;
  readonly division: Division;
  /** Absent with a single thread. */
  readonly pool?: Pool;
  readonly library: Library;
}

/** Which kernel a step gets. */
export const choiceFor = (op: Step['op']): KernelChoice =>
  isLoopOp(op) || tableEntry(op) !== undefined
    ? { tier: 'tuned' }
    : { tier: 'reference', reason: `no WebAssembly kernel is written for ${op.name}` };

/**
 * The graph's kernels, compiled, and its memory plan.
 *
 * Throws  UnsupportedError under `strict` when a step would run its reference kernel
 */
export const buildExecutable = async (
  graph: Graph,
  { blocks, kept, division, pool, library }: Machine,
  { strict = false }: { readonly strict?: boolean },
): Promise<Executable> => {
  const specsOf = (slots: readonly Slot[]): Spec[] => slots.map((slot) => graph.specs[slot]!);
  const choices = graph.steps.map((step) => choiceFor(step.op));
  if (strict) requireTuned(graph, choices);
  const { kernels, functions, release } = library.borrow(
    graph.steps.map((step) => ({ ...step, inputs: specsOf(step.inputs), output: graph.specs[step.output]! })),
  );
  try {
    const { plan, values, scratchOf } = planProgram(graph, kernels, division, kept.nameOf);
    const stepBytes = graph.steps.map((step) => bytesOf(graph.specs[step.output]!) + scratchOf(step));
    const ready = await functions();
    const runners = graph.steps.map((step, i) => {
      if (plan.storage[step.output]?.kind === 'alias') return () => undefined;
      const found = ready[i];
      if (found === undefined) return referenceRunner(graph, step, blocks);
      if (pool !== undefined && found.job !== undefined) return jobRunner(pool, found.job, kernels[i]!, step);
      return kernelRunner(found.functions[0]!, step);
    });
    const keeper = keeperOf(values, kept);
    const end = (): void => {
      keeper.release();
      release();
    };
    const keptBytes = values.reduce((sum, { bytes }) => sum + bytes, 0);
    return { plan, runners, choices, stepBytes, keeper, keptBytes, release: end };
  } catch (error) {
    release();
    throw error;
  }
};

/** The places of a program's values, and the values that outlive a run. */
export interface ProgramPlan {
  readonly plan: Executable['plan'];
  readonly values: readonly (KeptValue & { readonly bytes: number })[];
  readonly scratchOf: (step: Step) => number;
}

/** The memory plan of a graph whose steps have these kernels. */
export const planProgram = (
  graph: Graph,
  kernels: readonly (Pick<StepKernels, 'parts' | 'scratchBytes'> | undefined)[],
  { threads }: Division,
  nameOf: KeptStore['nameOf'],
): ProgramPlan => {
  const kernelsFor = new Map(graph.steps.map((step, i) => [step, kernels[i]]));
  const scratchOf = (step: Step): number => {
    const { parts, scratchBytes } = kernelsFor.get(step) ?? { parts: [], scratchBytes: 0 };
    return parts.length > 1 ? threads * scratchStride(scratchBytes) : scratchBytes;
  };
  const values = keptValues(graph, nameOf).map((value) => ({
    ...value,
    bytes: bytesOf(graph.specs[value.slot]!),
  }));
  const slots = values.map(({ slot }) => slot);
  return { plan: planMemory(graph, scratchOf, slots), values, scratchOf };
};

/** Emits the kernels of a step, divided where that is worth it. */
export const emitStep = (
  builder: ModuleBuilder,
  step: WholeStep,
  division: Division,
  options: KernelOptions,
): StepKernels | undefined => {
  const emit = tableEntry(step.op);
  if (emit === undefined) return undefined;
  const whole: StepPart = { ...step, offsets: [] };
  const divided = splitStep(step, division) ?? [whole];
  const parts = divided.length > mostTasks(step.inputs.length + 1) ? [whole] : divided;
  const kernels = parts.map(({ inputs, output, attrs, range }) =>
    emit(builder, inputs, output, attrs, { ...options, ...range }),
  );
  return { kernels, parts, scratchBytes: Math.max(...kernels.map((kernel) => kernel.scratchBytes)) };
};

/** Bytes from one thread's scratch memory to the next: whole lines of the cache, so that no two threads write into one. */
const scratchStride = (scratchBytes: number): number => roundUp(scratchBytes, alignment);

const requireTuned = (graph: Graph, choices: readonly KernelChoice[]): void => {
  const at = choices.findIndex(({ tier }) => tier === 'reference');
  if (at < 0) return;
  const step = graph.steps[at]!;
  throw new UnsupportedError(
    sentence({
      where: 'compile',
      label: step.label,
      needs: 'a tuned kernel for every step (strict)',
      got: `${step.op.name}(${step.inputs.map((slot) => describeSpec(graph.specs[slot]!)).join(', ')}): ${choices[at]!.reason}`,
      advice: 'Compile without strict, or use another backend.',
    }),
  );
};

/** Runs one kernel. Up to four inputs, which most steps have, no list of arguments is made. */
const kernelRunner = (call: KernelFunction, { inputs, output }: Step): StepRunner => {
  const [a, b, c, d] = inputs as readonly [Slot, Slot, Slot, Slot];
  if (inputs.length === 1) return (at, scratch) => call(at[a]!, at[output]!, scratch);
  if (inputs.length === 2) return (at, scratch) => call(at[a]!, at[b]!, at[output]!, scratch);
  if (inputs.length === 3) return (at, scratch) => call(at[a]!, at[b]!, at[c]!, at[output]!, scratch);
  if (inputs.length === 4) return (at, scratch) => call(at[a]!, at[b]!, at[c]!, at[d]!, at[output]!, scratch);
  const slots = [...inputs, output];
  const given = slots.map(() => 0).concat(0);
  return (at, scratch) => {
    for (let i = 0; i < slots.length; i++) given[i] = at[slots[i]!]!;
    given[slots.length] = scratch;
    call(...given);
  };
};

/** Runs the parts of a step as one job of the pool. */
const jobRunner = (
  pool: Pool,
  { program, functions }: NonNullable<StepFunctions['job']>,
  { parts, scratchBytes }: StepKernels,
  { inputs, output }: Step,
): StepRunner => {
  const slots = [...inputs, output];
  const arity = slots.length;
  const tasks = new Int32Array(parts.length * (arity + 1));
  functions.forEach((func, i) => {
    tasks[i * (arity + 1)] = func;
  });
  return (at, scratch) => {
    parts.forEach(({ offsets }, i) => {
      slots.forEach((slot, k) => {
        tasks[i * (arity + 1) + 1 + k] = at[slot]! + offsets[k]!;
      });
    });
    pool.run({ program, tasks, arity, scratch, scratchStride: scratchStride(scratchBytes) });
  };
};

/** Runs the op's reference loops on views of the memory. Bools are i32 there, which the loops cannot tell. */
const referenceRunner = (graph: Graph, step: Step, blocks: BlockMemory): StepRunner => {
  const view = (slot: Slot, address: Address): View => {
    const { shape, dtype } = graph.specs[slot]!;
    const whole = dtype === 'f32' ? blocks.floats() : blocks.integers();
    return viewOf(whole.subarray(address / 4, address / 4 + sizeOf(shape)), shape);
  };
  return (addresses) => {
    const inputs = step.inputs.map((slot) => view(slot, addresses[slot]!));
    step.op.reference(inputs, view(step.output, addresses[step.output]!), step.attrs);
  };
};

/** The bytes that a value of the spec takes in memory. */
export const bytesOf = (spec: Spec): number => paddedBytes(sizeOf(spec.shape));

/** The program as text: memory, then every step with its place and kernel. */
export const describeExecutable = (
  { plan, choices, keptBytes }: Executable,
  name: string,
  threads: string,
): string => {
  const { graph } = plan;
  const place = (slot: Slot): string => {
    const storage = plan.storage[slot];
    if (storage === undefined) return '';
    if (storage.kind === 'block') return `@${storage.offset}`;
    return storage.kind === 'alias' ? `is %${storage.of}` : storage.kind;
  };
  const lines = graph.steps.map((step, i) => {
    const { tier, reason } = choices[i]!;
    return `${printStep(graph, step)}  [${place(step.output)}; ${tier}${reason === undefined ? '' : `: ${reason}`}]`;
  });
  const tuned = choices.filter(({ tier }) => tier === 'tuned').length;
  const kept = keptBytes === 0 ? '' : `, ${keptBytes} bytes of filters kept from run to run`;
  const head = `backend ${name}: ${choices.length} steps (${tuned} tuned, ${choices.length - tuned} reference), ${plan.bytes} bytes of plan memory${kept}, ${threads}`;
  return [head, ...lines].join('\n');
};
