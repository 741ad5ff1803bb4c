// Reverse mode maps a graph to a graph: there is no tape, and the result can be differentiated again.
import type { Spec, Tensor } from '@autoassign/tensor';
import { add, DTypeError, describeSpec, ShapeError, sentence } from '@autoassign/tensor';
import { ruleFor } from './rules/index.ts';

/** What `backward` differentiates. */
export interface BackwardRequest {
  /** Tensors of the graph, f32. */
  readonly outputs: readonly Tensor[];
  /** One cotangent per output, of its shape. */
  readonly cotangents: readonly Tensor[];
  /** The nodes whose gradients are wanted. */
  readonly wrt: readonly Tensor[];
}

/**
 * The gradients of Σ ⟨output, cotangent⟩ with respect to nodes of the graph; null where no gradient flows.
 *
 * Nodes are told apart by object identity. Gradients are total: a wanted node below another wanted node gets what flows through both.
 *
 * Throws  ShapeError or DTypeError when a cotangent does not match its output, UnsupportedError at a primitive without a rule
 */
export const backward = ({ outputs, cotangents, wrt }: BackwardRequest): readonly (Tensor | null)[] => {
  const total = new Map<Tensor, Tensor>();
  const give = (t: Tensor, ct: Tensor): void => {
    const soFar = total.get(t);
    total.set(t, soFar === undefined ? ct : add(soFar, ct));
  };
  const { order, reaches } = pathsTo(wrt, outputs);
  outputs.forEach((output, i) => {
    requireMatch('backward', `cotangent ${i}`, cotangents[i]!, output);
    if (reaches.has(output)) give(output, cotangents[i]!);
  });
  for (let i = order.length - 1; i >= 0; i--) {
    const node = order[i]!;
    const ct = total.get(node);
    if (ct === undefined) continue;
    inputCotangents(node, ct).forEach(([input, gradient]) => {
      if (reaches.has(input)) give(input, gradient);
    });
  }
  return wrt.map((t) => total.get(t) ?? null);
};

/** The nodes between the outputs and the wanted nodes: those that depend on a wanted one, inputs before users. */
const pathsTo = (
  wrt: readonly Tensor[],
  outputs: readonly Tensor[],
): { order: readonly Tensor[]; reaches: ReadonlySet<Tensor> } => {
  const reaches = new Set<Tensor>(wrt);
  const order: Tensor[] = [];
  const seen = new Set<Tensor>();
  // whatever depends on a wanted node is deeper than it, so shallower nodes need no visit
  const shallowest = wrt.reduce((depth, t) => Math.min(depth, t.depth), Number.POSITIVE_INFINITY);
  const stack: { readonly node: Tensor; readonly inputs: readonly Tensor[]; next: number }[] = [];
  const enter = (node: Tensor): void => {
    if (seen.has(node) || node.depth <= shallowest) return;
    seen.add(node);
    stack.push({ node, inputs: differentiableInputs(node), next: 0 });
  };
  for (const output of outputs) {
    enter(output);
    while (stack.length > 0) {
      const top = stack[stack.length - 1]!;
      if (top.next < top.inputs.length) enter(top.inputs[top.next++]!);
      else {
        stack.pop();
        if (!top.inputs.some((input) => reaches.has(input))) continue;
        reaches.add(top.node);
        order.push(top.node);
      }
    }
  }
  return { order, reaches };
};

const differentiableInputs = ({ source, dtype }: Tensor): readonly Tensor[] =>
  source.kind !== 'apply' || dtype !== 'f32' || ruleFor(source.op) === 'nondifferentiable'
    ? []
    : source.inputs.filter((input) => input.dtype === 'f32');

/** What the rule of a node gives to its inputs, checked: rules may come from users. */
const inputCotangents = (node: Tensor, ct: Tensor): readonly (readonly [Tensor, Tensor])[] => {
  const { source } = node;
  if (source.kind !== 'apply') return [];
  const rule = ruleFor(source.op);
  if (rule === 'nondifferentiable') return [];
  const gradients = rule(ct, source.inputs, source.attrs, node);
  const name = source.op.name;
  if (gradients.length !== source.inputs.length)
    throw new ShapeError(
      sentence({
        where: name,
        label: node.label,
        needs: 'a rule that gives one cotangent (or null) per input',
        got: `${gradients.length} for ${source.inputs.length} inputs (the value counts as one in withRule)`,
        advice: 'Return null for inputs without a gradient.',
      }),
    );
  return gradients.flatMap((gradient, i) => {
    if (gradient === null) return [];
    requireMatch(name, `the rule's cotangent ${i}`, gradient, source.inputs[i]!);
    return [[source.inputs[i]!, gradient] as const];
  });
};

const requireMatch = (where: string, what: string, ct: Spec, value: Spec): void => {
  const isFloat = ct.dtype === 'f32' && value.dtype === 'f32';
  if (isFloat && ct.shape.join() === value.shape.join()) return;
  const ErrorType = isFloat ? ShapeError : DTypeError;
  throw new ErrorType(
    sentence({
      where,
      needs: `${what} to match an f32 value`,
      got: `${describeSpec(ct)} for ${describeSpec(value)}`,
      advice: 'Cotangents have the shape of what they belong to.',
    }),
  );
};
