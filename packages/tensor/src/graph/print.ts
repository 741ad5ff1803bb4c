// Graphs as text, for snapshots, describe() and people.
import { describeSpec } from '../errors.ts';
import type { Expression } from '../expression.ts';
import { operandsOf } from '../expression.ts';
import type { Attrs } from '../primitive.ts';
import type { Graph, Step } from './graph.ts';
import type { Loop } from './loop.ts';

/** Whether the attributes are those of a fused loop. */
export const isLoop = (attrs: Attrs): attrs is { loop: Loop } => 'loop' in attrs;

/** One step as a line: `%7 f32[2,3] = add %3 %5`. */
export const printStep = (graph: Graph, step: Step): string => {
  const inputs = step.inputs.map((slot) => `%${slot}`).join(' ');
  const details = isLoop(step.attrs) ? printLoop(step.attrs.loop) : printAttrs(step.attrs);
  const label = step.label === undefined ? '' : `  # ${step.label}`;
  const head = `%${step.output} ${describeSpec(graph.specs[step.output]!)} = ${step.op.name} ${inputs}`;
  return `${head}${details === '' ? '' : ` ${details}`}${label}`;
};

const printAttrs = (attrs: Attrs): string => {
  const { label: _label, epilogue, ...rest } = attrs;
  const plain = Object.keys(rest).length === 0 ? '' : JSON.stringify(rest);
  if (epilogue === undefined) return plain;
  return `${plain} then ${printExpression((epilogue as { readonly expression: Expression }).expression)}`;
};

const printLoop = (loop: Loop): string => {
  const fold =
    loop.reduction === undefined ? '' : ` ${loop.reduction.name} over last ${loop.reduction.rank} of`;
  return `${fold}[${loop.extents}] ${printExpression(loop.expression)}`.trim();
};

/**
 * An expression as text: inputs are a, b, c …; a node that is used again is named where it first stands and by its name after that.
 * Equal texts mean equal expressions.
 */
export const printExpression = (root: Expression): string => {
  const uses = new Map<Expression, number>();
  const count = (node: Expression): void => {
    const before = uses.get(node) ?? 0;
    uses.set(node, before + 1);
    if (before === 0) operandsOf(node).forEach(count);
  };
  count(root);
  const names = new Map<Expression, string>();
  const print = (node: Expression): string => {
    const name = names.get(node);
    if (name !== undefined) return name;
    const text = printNode(node, operandsOf(node).map(print));
    if (uses.get(node) === 1 || node.kind === 'input' || node.kind === 'literal') return text;
    names.set(node, `t${names.size}`);
    return `${names.get(node)}=${text}`;
  };
  return print(root);
};

const printNode = (node: Expression, operands: readonly string[]): string => {
  const list = operands.join(', ');
  switch (node.kind) {
    case 'input':
      return node.index < 20 ? String.fromCharCode(97 + node.index) : `in${node.index}`;
    case 'literal':
      return `${Object.is(node.value, -0) ? '-0' : node.value}${node.dtype === 'f32' ? '' : node.dtype}`;
    case 'unary':
    case 'binary':
      return `${node.name}(${list})`;
    case 'select':
      return `select(${list})`;
    case 'cast':
      return `${node.dtype}(${list})`;
  }
};

/** A graph as text: arguments, constants, steps, results. */
export const printGraph = (graph: Graph): string => {
  const spec = (slot: number): string => `%${slot} ${describeSpec(graph.specs[slot]!)}`;
  return [
    ...graph.args.map(({ slot, donated }) => `${spec(slot)} = argument${donated ? ' (donated)' : ''}`),
    ...graph.constants.map(({ slot, data }) =>
      data.length === 1 ? `${spec(slot)} = ${data[0]}` : `${spec(slot)} = constant`,
    ),
    ...graph.steps.map((step) => printStep(graph, step)),
    `return ${graph.results.map((slot) => `%${slot}`).join(' ')}`,
  ].join('\n');
};
