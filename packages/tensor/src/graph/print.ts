// Graphs as text, for snapshots, describe() and people.
import { describeSpec } from '../errors.ts';
import type { Expression } from '../expression.ts';
import type { Attrs } from '../primitive.ts';
import type { Graph, Step } from './graph.ts';
import type { Loop } from './loop.ts';

const isLoop = (attrs: Attrs): attrs is { loop: Loop } => 'loop' in attrs;

/** One step as a line: `%7 f32[2,3] = add %3 %5`. */
export const printStep = (graph: Graph, step: Step): string => {
  const inputs = step.inputs.map((slot) => `%${slot}`).join(' ');
  const details = isLoop(step.attrs) ? printLoop(step.attrs.loop) : printAttrs(step.attrs);
  const label = step.label === undefined ? '' : `  # ${step.label}`;
  const head = `%${step.output} ${describeSpec(graph.specs[step.output]!)} = ${step.op.name} ${inputs}`;
  return `${head}${details === '' ? '' : ` ${details}`}${label}`;
};

const printAttrs = (attrs: Attrs): string => {
  const { label: _label, ...rest } = attrs;
  return Object.keys(rest).length === 0 ? '' : JSON.stringify(rest);
};

const printLoop = (loop: Loop): string => {
  const fold =
    loop.reduction === undefined ? '' : ` ${loop.reduction.name} over last ${loop.reduction.rank} of`;
  return `${fold}[${loop.extents}] ${printExpression(loop.expression)}`.trim();
};

/** An expression as text: inputs are a, b, c …; shared nodes are written out at each use. */
export const printExpression = (node: Expression): string => {
  switch (node.kind) {
    case 'input':
      return node.index < 26 ? String.fromCharCode(97 + node.index) : `in${node.index}`;
    case 'literal':
      return String(node.value);
    case 'unary':
      return `${node.name}(${printExpression(node.operand)})`;
    case 'binary':
      return `${node.name}(${printExpression(node.left)}, ${printExpression(node.right)})`;
    case 'select':
      return `select(${[node.condition, node.whenTrue, node.whenFalse].map(printExpression).join(', ')})`;
    case 'cast':
      return `${node.dtype}(${printExpression(node.operand)})`;
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
