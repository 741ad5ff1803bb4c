// The kernel of a fused loop: a thread per element, or per fold where those are short, or a workgroup per fold.
import type { Loop, LoopAttrs } from '../../../graph/loop.ts';
import { sizeOf } from '../../../shape.ts';
import type { Spec } from '../../../tensor.ts';
import { expressionText, toStored } from '../expressionText.ts';
import type { FunctionName } from '../functions.ts';
import { declarationsOf } from '../functions.ts';
import type { GpuKernel, KernelContext } from '../kernel.ts';
import { dispatchOf, perElement, stepBindings, storedType, workgroupsFor } from '../kernel.ts';
import { halfExtensions, signReads, storeHalves } from './halves.ts';
import { coordinates, position } from './indices.ts';

/** Threads that share a long fold. */
const foldThreads = 128;

/** Longest fold of one thread where there are enough folds to keep the others busy. */
const longestAlone = 64;

/** The kernel of a loop step. */
export const emitLoop = (
  inputs: readonly Spec[],
  output: Spec,
  { loop }: LoopAttrs,
  context: KernelContext,
): GpuKernel => {
  if (loop.reduction === undefined || loop.reduction.rank === 0)
    return isCopy(loop) && context.halves?.output !== true
      ? emitMove(loop, inputs, output, context)
      : emitElementwise(loop, inputs, output, context);
  const folds = sizeOf(output.shape);
  const length = sizeOf(loop.extents.slice(loop.extents.length - loop.reduction.rank));
  const isShort = length <= longestAlone || (length <= 8 * longestAlone && folds >= 4096);
  return isShort ? emitFolds(loop, inputs, output, context) : emitSharedFolds(loop, inputs, output, context);
};

const isCopy = ({ expression }: Loop): boolean => expression.kind === 'input';

/** Elements as bare words: a copy keeps every bit. */
const emitMove = (loop: Loop, inputs: readonly Spec[], output: Spec, context: KernelContext): GpuKernel => {
  if (loop.expression.kind !== 'input')
    throw new RangeError('emitMove: needs a loop that only moves elements.');
  const { index } = loop.expression;
  const anySize = isFlat(loop);
  const { bindings, nameOf } = stepBindings(
    inputs.map(() => 'u32'),
    'u32',
    context,
  );
  const body = [
    ...coordinates('index', loop.extents, 'i'),
    `result[index] = ${nameOf(index)}[${position(loop.strides[index]!, loop.offsets[index]!, 'i')}];`,
  ];
  return perElement(sizeOf(output.shape), { bindings, body, anySize }, context);
};

/** Whether nothing but the number of elements tells the loop from others: all inputs go along, or stand still. */
const isFlat = ({ extents, strides }: Loop): boolean =>
  extents.length === 1 && strides.every(([stride]) => stride === 0 || stride === 1);

/** What every form of loop is written with. */
interface LoopText {
  readonly bindings: ReturnType<typeof stepBindings>['bindings'];
  readonly value: { readonly statements: readonly string[]; readonly value: string };
  readonly declarations: (more?: readonly FunctionName[]) => readonly string[];
}

const loopText = (loop: Loop, inputs: readonly Spec[], output: Spec, context: KernelContext): LoopText => {
  const { inputs: halved = [], output: isHalved = false } = context.halves ?? {};
  const types = inputs.map(({ dtype }, input) =>
    halved[input] === true ? signReads.type : storedType(dtype),
  );
  const { bindings, nameOf } = stepBindings(types, isHalved ? 'vec2u' : storedType(output.dtype), context);
  const used = new Set<FunctionName>();
  const value = expressionText(
    loop.expression,
    (input) => {
      const place = position(loop.strides[input]!, loop.offsets[input]!, 'i');
      const name = nameOf(input);
      return halved[input] === true ? signReads.element(name, place) : `${name}[${place}]`;
    },
    (name) => used.add(name),
  );
  const signs = halved.includes(true) ? signReads.declarations : [];
  return { bindings, value, declarations: (more = []) => [...declarationsOf([...used, ...more]), ...signs] };
};

const emitElementwise = (
  loop: Loop,
  inputs: readonly Spec[],
  output: Spec,
  context: KernelContext,
): GpuKernel => {
  if (context.halves?.output === true) return emitHalves(loop, inputs, output, context);
  const { bindings, value, declarations } = loopText(loop, inputs, output, context);
  const body = [
    ...coordinates('index', loop.extents, 'i'),
    ...value.statements,
    `result[index] = ${toStored(value.value, output.dtype)};`,
  ];
  const anySize = isFlat(loop);
  return perElement(sizeOf(output.shape), { bindings, declarations: declarations(), body, anySize }, context);
};

/** Elements that are stored as halves, four by a thread: no two threads write to one word. */
const emitHalves = (loop: Loop, inputs: readonly Spec[], output: Spec, context: KernelContext): GpuKernel => {
  const { bindings, value, declarations } = loopText(loop, inputs, output, context);
  const lines = [...coordinates('index', loop.extents, 'i'), ...value.statements, `return ${value.value};`];
  const element = ['fn element(index: i32) -> f32 {', ...lines.map((line) => `  ${line}`), '}'].join('\n');
  const elements = [0, 1, 2, 3].map((lane) => `element(4 * index + ${lane})`);
  const shader = {
    bindings,
    enables: halfExtensions(context.products),
    declarations: [...declarations(), ...storeHalves(context.products), element],
    body: [`result[index] = toHalves(vec4f(${elements.join(', ')}));`],
    anySize: isFlat(loop),
  };
  return perElement(sizeOf(output.shape) / 4, shader, context);
};

/** How the values of a fold are put together. */
interface Fold {
  readonly start: string;
  readonly combine: (soFar: string, value: string) => string;
  readonly calls: readonly FunctionName[];
}

const foldOf = ({ reduction }: Loop, { dtype }: Spec): Fold => {
  if (reduction?.name === 'sum')
    return { start: dtype === 'f32' ? '0.0' : '0', combine: (a, b) => `${a} + ${b}`, calls: [] };
  return dtype === 'f32'
    ? { start: '-infinity()', combine: (a, b) => `maximumOf(${a}, ${b})`, calls: ['maximumOf', 'infinity'] }
    : { start: '(-2147483647 - 1)', combine: (a, b) => `max(${a}, ${b})`, calls: [] };
};

/** The coordinates of element `at` of fold `index`: kept dimensions from the one, folded ones from the other. */
const foldCoordinates = (
  { extents, reduction }: Loop,
  index: string,
  at: string,
): { kept: readonly string[]; folded: readonly string[] } => {
  const boundary = extents.length - reduction!.rank;
  const kept = coordinates(index, extents.slice(0, boundary), 'i');
  const folded = coordinates(at, extents.slice(boundary), 'f');
  const renamed = extents.slice(boundary).map((_, d) => `let i${boundary + d} = f${d};`);
  return { kept, folded: [...folded, ...renamed] };
};

const emitFolds = (loop: Loop, inputs: readonly Spec[], output: Spec, context: KernelContext): GpuKernel => {
  const { bindings, value, declarations } = loopText(loop, inputs, output, context);
  const { start, combine, calls } = foldOf(loop, output);
  const length = sizeOf(loop.extents.slice(loop.extents.length - loop.reduction!.rank));
  const { kept, folded } = foldCoordinates(loop, 'index', 'at');
  const body = [
    ...kept,
    `var total = ${start};`,
    `for (var at = 0; at < ${length}; at++) {`,
    ...[...folded, ...value.statements, `total = ${combine('total', value.value)};`].map(
      (line) => `  ${line}`,
    ),
    '}',
    'result[index] = total;',
  ];
  return perElement(sizeOf(output.shape), { bindings, declarations: declarations(calls), body }, context);
};

/** A workgroup per fold: every thread takes each so-manieth element, then the threads' totals are put together in pairs. */
const emitSharedFolds = (
  loop: Loop,
  inputs: readonly Spec[],
  output: Spec,
  context: KernelContext,
): GpuKernel => {
  const folds = sizeOf(output.shape);
  if (folds === 0) return { dispatches: [] };
  const { bindings, value, declarations } = loopText(loop, inputs, output, context);
  const { start, combine, calls } = foldOf(loop, output);
  const length = sizeOf(loop.extents.slice(loop.extents.length - loop.reduction!.rank));
  const { kept, folded } = foldCoordinates(loop, 'index', 'at');
  const body = [
    'let index = i32(group.y * groups.x + group.x);',
    `if (index >= ${folds}) { return; }`,
    'let thread = i32(local.x);',
    ...kept,
    `var total = ${start};`,
    `for (var at = thread; at < ${length}; at += ${foldThreads}) {`,
    ...[...folded, ...value.statements, `total = ${combine('total', value.value)};`].map(
      (line) => `  ${line}`,
    ),
    '}',
    'totals[thread] = total;',
    `for (var half = ${foldThreads / 2}; half > 0; half >>= 1u) {`,
    '  workgroupBarrier();',
    `  if (thread < half) { totals[thread] = ${combine('totals[thread]', 'totals[thread + half]')}; }`,
    '}',
    'if (thread == 0) { result[index] = totals[0]; }',
  ];
  const shader = {
    bindings,
    declarations: [
      ...declarations(calls),
      `var<workgroup> totals: array<${storedType(output.dtype)}, ${foldThreads}>;`,
    ],
    workgroupSize: [foldThreads, 1, 1] as const,
    body,
  };
  return { dispatches: [dispatchOf(shader, workgroupsFor(folds, context))] };
};

/** A loop that copies a tensor as it is. */
const copyLoop = (spec: Spec): Loop => ({
  extents: [sizeOf(spec.shape)],
  strides: [[1]],
  offsets: [0],
  expression: { kind: 'input', index: 0, dtype: spec.dtype },
});

/** The kernel of steps whose result is their input's elements in order. */
export const emitCopy = (inputs: readonly Spec[], output: Spec, context: KernelContext): GpuKernel =>
  emitMove(copyLoop(output), inputs.slice(0, 1), output, context);
