// A plan as a WebAssembly module: one exported function per distinct kernel, called step by step with addresses.
import { describeSpec, sentence, UnsupportedError } from '../../errors.ts';
import { isLoopOp } from '../../graph/fuse.ts';
import type { Graph, Slot, Step } from '../../graph/graph.ts';
import type { Plan } from '../../graph/plan.ts';
import { paddedBytes, planMemory } from '../../graph/plan.ts';
import { printStep } from '../../graph/print.ts';
import { viewOf } from '../../ops/views.ts';
import type { View } from '../../primitive.ts';
import { sizeOf } from '../../shape.ts';
import type { Spec } from '../../tensor.ts';
import type { KernelChoice } from '../backend.ts';
import { moduleBuilder } from './assembler/module.ts';
import type { Kernel, KernelOptions } from './kernels/kernel.ts';
import { tableEntry } from './kernelTable.ts';
import type { Address, BlockMemory } from './memory.ts';

/** Runs one step; `addresses` holds the address of every slot. */
type StepRunner = (addresses: ArrayLike<Address>, scratch: Address) => void;

/** A plan with a runner per step. */
export interface Executable {
  readonly plan: Plan & { readonly scratch: readonly number[] };
  readonly runners: readonly StepRunner[];
  readonly choices: readonly KernelChoice[];
}

/** Which kernel a step gets. */
export const choiceFor = (op: Step['op'], inputs: readonly Spec[], attrs: Step['attrs']): KernelChoice =>
  isLoopOp(op) || tableEntry(op, inputs, attrs) !== undefined
    ? { tier: 'tuned' }
    : { tier: 'reference', reason: `no WebAssembly kernel is written for ${op.name}` };

/**
 * The graph's kernels, compiled, and its memory plan.
 *
 * Throws  UnsupportedError under `strict` when a step would run its reference kernel
 */
export const buildExecutable = async (
  graph: Graph,
  blocks: BlockMemory,
  options: KernelOptions & { readonly strict?: boolean },
): Promise<Executable> => {
  const specsOf = (slots: readonly Slot[]): Spec[] => slots.map((slot) => graph.specs[slot]!);
  const choices = graph.steps.map((step) => choiceFor(step.op, specsOf(step.inputs), step.attrs));
  if (options.strict === true) requireTuned(graph, choices);
  const builder = moduleBuilder();
  const kernels = graph.steps.map((step): Kernel | undefined => {
    const inputs = specsOf(step.inputs);
    return tableEntry(step.op, inputs, step.attrs)?.(
      builder,
      inputs,
      graph.specs[step.output]!,
      step.attrs,
      options,
    );
  });
  const kernelOf = new Map(graph.steps.map((step, i) => [step, kernels[i]]));
  const plan = planMemory(graph, (step) => kernelOf.get(step)?.scratchBytes ?? 0);
  const { instance } = await WebAssembly.instantiate(builder.toBytes(), {
    env: { memory: blocks.memory },
    math: { pow: Math.pow },
  });
  const runners = graph.steps.map((step, i) => {
    if (plan.storage[step.output]?.kind === 'alias') return () => undefined;
    const kernel = kernels[i];
    if (kernel === undefined) return referenceRunner(graph, step, blocks);
    const call = instance.exports[kernel.func.exportName!] as (...addresses: number[]) => void;
    return kernelRunner(call, step);
  });
  return { plan, runners, choices };
};

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

const kernelRunner = (call: (...addresses: number[]) => void, step: Step): StepRunner => {
  const { inputs, output } = step;
  const [a, b] = inputs;
  if (inputs.length === 1) return (at, scratch) => call(at[a!]!, at[output]!, scratch);
  if (inputs.length === 2) return (at, scratch) => call(at[a!]!, at[b!]!, at[output]!, scratch);
  return (at, scratch) => call(...inputs.map((slot) => at[slot]!), at[output]!, scratch);
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
export const describeExecutable = ({ plan, choices }: Executable, name: string): string => {
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
  const head = `backend ${name}: ${choices.length} steps (${tuned} tuned, ${choices.length - tuned} reference), ${plan.bytes} bytes of plan memory`;
  return [head, ...lines].join('\n');
};
