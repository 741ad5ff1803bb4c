// Values that are stored as halves: products round their operands in any case, so nothing changes but the bytes that are moved.
//
// Rounded where it is written, a value is what it would have been, rounded where it is read. Besides products, masks of rectifiers may read
// it: they ask for the sign alone, which halves keep (kernels/halves.ts).
import type { Expression } from '../../expression.ts';
import { operandsOf } from '../../expression.ts';
import type { Epilogue } from '../../graph/epilogues.ts';
import type { Graph, Slot, Step } from '../../graph/graph.ts';
import type { LoopAttrs } from '../../graph/loop.ts';
import { sizeOf } from '../../shape.ts';
import type { Spec } from '../../tensor.ts';

/** The same graph with a note of the values that only products and masks of rectifiers read. */
export const storeHalves = (graph: Graph): Graph => {
  const { specs, results, steps } = graph;
  const refused = new Set<Slot>(results);
  for (const step of steps)
    step.inputs.forEach((slot, input) => {
      if (!isProductOperand(step, input) && !asksForSign(step, input)) refused.add(slot);
    });
  const read = new Set(steps.flatMap(({ inputs }) => inputs));
  const makers = steps.filter(
    ({ output }) => read.has(output) && !refused.has(output) && specs[output]!.dtype === 'f32',
  );
  const halves = new Set(makers.filter((step) => canStore(step, specs)).map(({ output }) => output));
  return halves.size === 0 ? graph : { ...graph, halves };
};

const products: ReadonlySet<string> = new Set(['matmul', 'conv2d', 'conv2dInputGrad', 'conv2dFilterGrad']);

const isProductOperand = ({ op }: Step, input: number): boolean => input < 2 && products.has(op.name);

/** Whether a step wants to know of this input only where it is positive. */
const asksForSign = ({ op, attrs }: Step, input: number): boolean => {
  if (op.name === 'loop') {
    const { loop } = attrs as LoopAttrs;
    return isOnlyMask(loop.expression, (index) => index === input);
  }
  const { epilogue } = attrs as { readonly epilogue?: Epilogue };
  if (epilogue === undefined || input < 2) return false;
  return isOnlyMask(epilogue.expression, (index) => {
    const read = epilogue.reads[index]!;
    return read.kind !== 'result' && read.operand === input - 2;
  });
};

/** Whether inputs of an expression occur nowhere but in `x <= 0`. */
const isOnlyMask = (root: Expression, isAsked: (index: number) => boolean): boolean => {
  const isInput = (node: Expression): boolean => node.kind === 'input' && isAsked(node.index);
  const seen = new Set<Expression>();
  const isFree = (node: Expression): boolean => {
    if (isInput(node)) return false;
    if (seen.has(node)) return true;
    seen.add(node);
    return isMask(node) || operandsOf(node).every(isFree);
  };
  const isMask = (node: Expression): boolean =>
    node.kind === 'binary' &&
    node.name === 'lessEqual' &&
    isInput(node.left) &&
    node.right.kind === 'literal' &&
    node.right.value === 0;
  return isFree(root);
};

/** Whether the kernel of a step stores its elements by four, and each group once. */
const canStore = ({ op, attrs, inputs, output }: Step, specs: readonly Spec[]): boolean => {
  const { shape } = specs[output]!;
  if (sizeOf(shape) === 0 || inputs.some((slot) => sizeOf(specs[slot]!.shape) === 0)) return false;
  if (op.name === 'loop') return (attrs as LoopAttrs).loop.reduction === undefined && sizeOf(shape) % 4 === 0;
  if (op.name === 'matmul') return shape.at(-1)! % 4 === 0;
  return (op.name === 'conv2d' || op.name === 'conv2dInputGrad') && sizeOf(shape.slice(2)) % 4 === 0;
};
