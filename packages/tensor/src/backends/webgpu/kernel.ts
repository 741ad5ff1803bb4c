// What a WebGPU kernel is: shader text, how many workgroups run it, and which buffers it is given.
import type { DType } from '../../tensor.ts';
import type { TileChoice } from './kernels/tiles.ts';

/** A buffer that a dispatch is given: an input of the step by its place, or the step's output. */
type Operand = { readonly kind: 'input'; readonly index: number } | { readonly kind: 'output' };

/** One run of one shader. */
export interface Dispatch {
  /** WGSL with the entry point `main`, and one storage buffer per operand as bindings 0, 1, ... of group 0. */
  readonly code: string;
  readonly workgroups: readonly [number, number, number];
  readonly operands: readonly Operand[];
}

/** The dispatches of a step, in order; none where there is nothing to compute. */
export interface GpuKernel {
  readonly dispatches: readonly Dispatch[];
}

/** What a kernel must know of the step besides its op. */
export interface KernelContext {
  /** The input whose buffer is also the output's; the step reads it only at the element that it writes. */
  readonly inPlace?: number;
  /** For every input the first one that is the same tensor: a tensor is bound once. Every input is its own first without it. */
  readonly firstOf?: readonly number[];
  readonly limits: Pick<GPUSupportedLimits, 'maxComputeWorkgroupsPerDimension'>;
  /** The tiles of products; those that are good everywhere without it. */
  readonly tiles?: TileChoice;
  /** The arithmetic of products; single precision without it. */
  readonly products?: ProductArithmetic;
  /** What is stored as halves; nothing without it. */
  readonly halves?: { readonly inputs: readonly boolean[]; readonly output: boolean };
}

/**
 * How operands of products are held: rounded to half precision where they lie in workgroup memory, as whole numbers of that type, or emulated by
 * rounded single ones; `units` where the device multiplies tiles of them at once. Sums are in single precision.
 */
export type ProductArithmetic = 'half' | 'emulated half' | 'units of half';

/** Threads of a workgroup where no kernel needs another number. */
const workgroupThreads = 64;

/** Workgroups for so many in a row, over two dimensions where one is too long. */
export const workgroupsFor = (
  count: number,
  { limits }: Pick<KernelContext, 'limits'>,
): readonly [number, number, number] => {
  const most = limits.maxComputeWorkgroupsPerDimension;
  const rows = Math.ceil(count / most);
  return [rows === 0 ? 0 : Math.ceil(count / rows), rows, 1];
};

/** The element type of a stored tensor: bools are integers 0 and 1. */
export const storedType = (dtype: DType): 'f32' | 'i32' => (dtype === 'f32' ? 'f32' : 'i32');

/** A storage buffer of a shader. */
export interface Binding {
  readonly name: string;
  /** Of its elements, such as `f32` or `vec4f`. */
  readonly type: string;
  readonly operand: Operand;
}

/** A shader under construction. */
export interface Shader {
  readonly bindings: readonly Binding[];
  /** Declarations: functions and workgroup memory. */
  readonly declarations?: readonly string[];
  readonly workgroupSize: readonly [number, number, number];
  /** Language extensions. */
  readonly enables?: readonly string[];
  /** Threads of a subgroup, where the body depends on it; it may then use `subgroup`, the number of the thread's own. */
  readonly subgroupSize?: number;
  /** Statements of `main`, which may use `local` (the thread within its workgroup), `group` (the workgroup) and `groups` (how many there are). */
  readonly body: readonly string[];
}

const isWritten = ({ operand }: Binding): boolean => operand.kind !== 'input';

/** The WGSL of a shader. */
const shaderText = ({
  bindings,
  declarations = [],
  workgroupSize,
  enables = [],
  subgroupSize,
  body,
}: Shader): string =>
  [
    ...enables.map((name) => `enable ${name};`),
    ...bindings.map(
      (binding, at) =>
        `@group(0) @binding(${at}) var<storage, ${isWritten(binding) ? 'read_write' : 'read'}> ${binding.name}: array<${binding.type}>;`,
    ),
    ...declarations,
    `@compute @workgroup_size(${workgroupSize.join(', ')})${subgroupSize === undefined ? '' : ` @subgroup_size(${subgroupSize})`}`,
    `fn main(@builtin(local_invocation_id) local: vec3u, @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u${subgroupSize === undefined ? '' : ', @builtin(subgroup_id) subgroup: u32'}) {`,
    ...(declarations.some((text) => text.includes('never')) ? ['  never = groups.z == 0u;'] : []),
    ...body.map((line) => `  ${line}`),
    '}',
    '',
  ].join('\n');

/** A dispatch of a shader. */
export const dispatchOf = (shader: Shader, workgroups: Dispatch['workgroups']): Dispatch => ({
  code: shaderText(shader),
  workgroups,
  operands: shader.bindings.map(({ operand }) => operand),
});

/**
 * The kernel of one dispatch in which thread `index` of `count` does what the body says; the body may read `index`. Under `anySize` the
 * count is that of the result's elements, and not part of the text: tensors of all sizes then share one shader.
 */
export const perElement = (
  count: number,
  shader: Pick<Shader, 'bindings' | 'declarations' | 'enables' | 'body'> & { readonly anySize?: boolean },
  context: KernelContext,
): GpuKernel => {
  if (count === 0) return { dispatches: [] };
  const bound = shader.anySize === true ? 'i32(arrayLength(&result))' : String(count);
  const body = [
    `let index = i32((group.y * groups.x + group.x) * ${workgroupThreads}u + local.x);`,
    `if (index >= ${bound}) { return; }`,
    ...shader.body,
  ];
  const workgroups = workgroupsFor(Math.ceil(count / workgroupThreads), context);
  return {
    dispatches: [dispatchOf({ ...shader, workgroupSize: [workgroupThreads, 1, 1], body }, workgroups)],
  };
};

/** The bindings of a step's inputs as `input0`, `input1`, ... and its output as `result`; what is read in place is read as `result`. */
export const stepBindings = (
  inputTypes: readonly string[],
  outputType: string,
  { inPlace, firstOf }: Pick<KernelContext, 'inPlace' | 'firstOf'> = {},
): { readonly bindings: readonly Binding[]; readonly nameOf: (input: number) => string } => {
  const first = (index: number): number => firstOf?.[index] ?? index;
  const bound = [...inputTypes.keys()].filter((index) => first(index) === index && index !== inPlace);
  return {
    bindings: [
      ...bound.map(
        (index): Binding => ({
          name: `input${index}`,
          type: inputTypes[index]!,
          operand: { kind: 'input', index },
        }),
      ),
      { name: 'result', type: outputType, operand: { kind: 'output' } },
    ],
    nameOf: (input) => (first(input) === inPlace ? 'result' : `input${first(input)}`),
  };
};
