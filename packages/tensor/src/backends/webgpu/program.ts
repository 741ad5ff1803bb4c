// A plan as dispatches: pipelines made once, bind groups kept while their buffers stay, one command encoder per run.
import { describeSpec, sentence, UnsupportedError } from '../../errors.ts';
import { isLoopOp } from '../../graph/fuse.ts';
import type { Graph, Slot, Step } from '../../graph/graph.ts';
import { storedBytes } from '../../graph/graph.ts';
import type { BufferPlan } from '../../graph/plan.ts';
import { printStep } from '../../graph/print.ts';
import { sizeOf } from '../../shape.ts';
import type { Spec } from '../../tensor.ts';
import type { KernelChoice } from '../backend.ts';
import type { Dispatch, GpuKernel, KernelContext, ProductArithmetic } from './kernel.ts';
import type { TileChoice } from './kernels/tiles.ts';
import { tableEntry } from './kernelTable.ts';
import type { Move, Place } from './places.ts';

/** The bytes of a tensor's elements; bools are integers. */
export const bytesOf = ({ shape }: Spec): number => 4 * sizeOf(shape);

/** Which kernel an op gets. */
export const choiceFor = (op: Step['op']): KernelChoice =>
  isLoopOp(op) || tableEntry(op) !== undefined
    ? { tier: 'tuned' }
    : { tier: 'reference', reason: `no WebGPU kernel is written for ${op.name}` };

/** A dispatch made ready: its pipeline, and the bind group of its last run. */
interface ReadyDispatch {
  readonly pipeline: GPUComputePipeline;
  readonly workgroups: Dispatch['workgroups'];
  /** The slots of its operands. */
  readonly slots: readonly Slot[];
  /** The bytes of those slots: shaders may ask how long a buffer is. */
  readonly bytes: readonly number[];
  bound?: { readonly places: readonly Place[]; readonly group: GPUBindGroup };
}

/** A plan whose shaders are compiled. */
export interface ReadyPlan {
  readonly plan: BufferPlan;
  readonly dispatches: readonly ReadyDispatch[];
  /** Text of a step's shaders, for people and snapshots. */
  readonly sources: readonly (readonly string[])[];
}

/** Makes pipelines; equal shaders share one. */
export type PipelineFor = (code: string, step: string) => Promise<GPUComputePipeline>;

/** The pipelines of a device by their code, none yet. */
export const openPipelines = (device: GPUDevice): PipelineFor => {
  const known = new Map<string, Promise<GPUComputePipeline>>();
  const make = async (code: string, step: string): Promise<GPUComputePipeline> => {
    device.pushErrorScope('validation');
    const module = device.createShaderModule({ code });
    const made = device.createComputePipelineAsync({
      layout: 'auto',
      compute: { module, entryPoint: 'main' },
    });
    const fault = await device.popErrorScope();
    const pipeline = await made.catch((error: unknown) => error as Error);
    if (!(pipeline instanceof Error)) return pipeline;
    throw new UnsupportedError(shaderFault(step, fault?.message ?? pipeline.message, code));
  };
  return (code, step) => {
    const found = known.get(code);
    if (found !== undefined) return found;
    const made = make(code, step);
    known.set(code, made);
    made.catch(() => known.delete(code));
    return made;
  };
};

const shaderFault = (step: string, fault: string, code: string): string =>
  `${sentence({
    where: 'compile',
    label: step,
    needs: 'a shader that this adapter compiles',
    got: fault,
    advice: 'Please report it with the source below; backend wasm computes the same.',
  })}\n${code}`;

/** The limits of an adapter that kernels depend on. */
export type KernelLimits = KernelContext['limits'] &
  Pick<GPUSupportedLimits, 'maxStorageBuffersPerShaderStage'>;

/** What an adapter's products are made of, as far as it is not what is good everywhere. */
export interface ProductChoice {
  readonly tiles?: TileChoice | undefined;
  readonly products?: ProductArithmetic | undefined;
}

/** Kernels of a plan's steps; none for aliases. Throws UnsupportedError for an op without one. */
export const kernelsOf = (
  plan: BufferPlan,
  limits: KernelLimits,
  { tiles, products }: ProductChoice = {},
): (GpuKernel | undefined)[] =>
  plan.graph.steps.map((step) => {
    if (plan.storage[step.output]?.kind === 'alias') return undefined;
    const { specs } = plan.graph;
    const emit = tableEntry(step.op);
    const inputs = step.inputs.map((slot) => specs[slot]!);
    if (emit === undefined) throw new UnsupportedError(noKernel(step, inputs));
    const place = inPlaceInput(plan, step);
    const firstOf = step.inputs.map((slot) => step.inputs.indexOf(slot));
    const halved = (slot: Slot): boolean => plan.graph.halves?.has(slot) === true;
    const context: KernelContext = {
      limits,
      firstOf,
      halves: { inputs: step.inputs.map(halved), output: halved(step.output) },
      ...(place === undefined ? {} : { inPlace: place }),
      ...(tiles === undefined ? {} : { tiles }),
      ...(products === undefined ? {} : { products }),
    };
    const kernel = emit(inputs, specs[step.output]!, step.attrs, context);
    const bindings = Math.max(0, ...kernel.dispatches.map(({ operands }) => operands.length));
    if (bindings > limits.maxStorageBuffersPerShaderStage)
      throw new UnsupportedError(tooManyBindings(step, bindings, limits.maxStorageBuffersPerShaderStage));
    return kernel;
  });

/** The input whose buffer the output takes over, of a donated argument. */
const inPlaceInput = ({ storage }: BufferPlan, step: Step): number | undefined => {
  const place = storage[step.output];
  if (place?.kind !== 'taken') return undefined;
  const at = step.inputs.findIndex((slot) => {
    const own = storage[slot];
    return own?.kind === 'argument' && own.index === place.argument;
  });
  return at < 0 ? undefined : at;
};

const noKernel = (step: Step, inputs: readonly Spec[]): string =>
  sentence({
    where: 'compile',
    label: step.label,
    needs: 'ops with a WebGPU kernel',
    got: `${step.op.name}(${inputs.map(describeSpec).join(', ')})`,
    advice: 'Use another backend.',
  });

const tooManyBindings = (step: Step, bindings: number, most: number): string =>
  sentence({
    where: 'compile',
    label: step.label,
    needs: `${bindings} storage buffers for ${step.op.name}`,
    got: `an adapter that allows ${most}`,
    advice: 'Use another backend.',
  });

/** Compiles a plan's shaders, all at the same time. */
export const preparePlan = async (
  plan: BufferPlan,
  kernels: readonly (GpuKernel | undefined)[],
  pipelineFor: PipelineFor,
): Promise<ReadyPlan> => {
  const waiting = plan.graph.steps.flatMap((step, i) =>
    (kernels[i]?.dispatches ?? [])
      .filter(({ workgroups }) => !workgroups.includes(0))
      .map(async ({ code, workgroups, operands }): Promise<ReadyDispatch> => {
        const slots = operands.map((operand) =>
          operand.kind === 'input' ? step.inputs[operand.index]! : step.output,
        );
        const name = step.label === undefined ? step.op.name : `${step.op.name} ${step.label}`;
        const bytes = slots.map((slot) => storedBytes(plan.graph, slot));
        return { pipeline: await pipelineFor(code, name), workgroups, slots, bytes };
      }),
  );
  const dispatches = await Promise.all(waiting);
  return {
    plan,
    dispatches,
    sources: kernels.map((kernel) => kernel?.dispatches.map(({ code }) => code) ?? []),
  };
};

/** Encodes and submits all dispatches over the slots' places, after the moves. */
export const submit = (
  device: GPUDevice,
  { dispatches }: ReadyPlan,
  places: readonly Place[],
  moves: readonly Move[],
): void => {
  const encoder = device.createCommandEncoder();
  for (const { from, to, offset, bytes } of moves)
    encoder.copyBufferToBuffer(from.buffer, from.offset, to, offset, bytes);
  const pass = encoder.beginComputePass();
  for (const dispatch of dispatches) {
    pass.setPipeline(dispatch.pipeline);
    pass.setBindGroup(0, groupOf(device, dispatch, places));
    pass.dispatchWorkgroups(...dispatch.workgroups);
  }
  pass.end();
  device.queue.submit([encoder.finish()]);
};

const groupOf = (device: GPUDevice, dispatch: ReadyDispatch, places: readonly Place[]): GPUBindGroup => {
  const { bound, slots } = dispatch;
  const isSame = ({ buffer, offset }: Place, at: Place): boolean =>
    buffer === at.buffer && offset === at.offset;
  if (bound !== undefined && slots.every((slot, i) => isSame(places[slot]!, bound.places[i]!)))
    return bound.group;
  const given = slots.map((slot) => places[slot]!);
  const group = device.createBindGroup({
    layout: dispatch.pipeline.getBindGroupLayout(0),
    entries: given.map(({ buffer, offset }, binding) => ({
      binding,
      resource: { buffer, offset, size: Math.max(4, dispatch.bytes[binding]!) },
    })),
  });
  dispatch.bound = { places: given, group };
  return group;
};

/** How many loops do the work of how many updates, as text; nothing where none are joined. */
const joinedUpdates = ({ results, pieces = new Map() }: Graph): string => {
  const bundles = new Set([...pieces.values()].map(({ of }) => of).filter((of) => results.includes(of)));
  const updates = [...pieces.values()].filter(({ of }) => bundles.has(of));
  return bundles.size === 0 ? '' : `; ${updates.length} updates are ${bundles.size} loops`;
};

/** The plan as text: memory, then every step with its place and kernel. */
export const describePlan = ({ plan }: ReadyPlan, head: string): string => {
  const { graph, storage, pool } = plan;
  const place = (slot: Slot): string => {
    const own = storage[slot];
    if (own === undefined) return '';
    if (own.kind === 'pooled')
      return `buffer ${own.index}${graph.halves?.has(slot) === true ? ', halves' : ''}`;
    if (own.kind === 'piece') return `at ${own.offset} of %${own.of}`;
    return own.kind === 'alias' ? `is %${own.of}` : own.kind;
  };
  const bytes = pool.reduce((sum, size) => sum + size, 0);
  const lines = graph.steps.map((step) => `${printStep(graph, step)}  [${place(step.output)}; tuned]`);
  const saved = [...(graph.halves ?? [])].reduce((sum, slot) => sum + storedBytes(graph, slot), 0);
  const halved =
    saved === 0
      ? ''
      : `; ${graph.halves!.size} values are stored as halves, which saves ${saved} bytes of ${2 * saved}`;
  return [
    `${head}: ${graph.steps.length} steps, ${bytes} bytes of plan memory in ${pool.length} buffers${halved}${joinedUpdates(graph)}`,
    ...lines,
  ].join('\n');
};
