// Scalar expressions printed as ONNX operators: the meaning of every elementwise primitive.
import type { BinaryName, Expression, UnaryName } from '../expression.ts';
import type { DType } from '../tensor.ts';
import type { OnnxWriter } from './writer.ts';

const unaryOperators: Readonly<Record<UnaryName, string>> = {
  neg: 'Neg',
  abs: 'Abs',
  floor: 'Floor',
  sqrt: 'Sqrt',
  exp: 'Exp',
  log: 'Log',
  not: 'Not',
};

const binaryOperators: Readonly<Record<BinaryName, string>> = {
  add: 'Add',
  sub: 'Sub',
  mul: 'Mul',
  div: 'Div',
  pow: 'Pow',
  minimum: 'Min',
  maximum: 'Max',
  less: 'Less',
  lessEqual: 'LessOrEqual',
  equal: 'Equal',
};

/** The number of a dtype in the attribute of a cast. */
export const castTarget: Readonly<Record<DType, number>> = { f32: 1, i32: 6, bool: 9 };

/** Adds the operators of an expression; gives the name of its value. */
export const expressionNodes = (writer: OnnxWriter, root: Expression, inputs: readonly string[]): string => {
  const done = new Map<Expression, string>();
  const visit = (node: Expression): string => {
    const known = done.get(node) ?? print(node);
    done.set(node, known);
    return known;
  };
  const print = (node: Expression): string => {
    switch (node.kind) {
      case 'input':
        return inputs[node.index]!;
      case 'literal':
        return writer.floats(node.value);
      case 'unary':
        return writer.add(unaryOperators[node.name], [visit(node.operand)]);
      case 'binary':
        return writer.add(binaryOperators[node.name], [visit(node.left), visit(node.right)]);
      case 'select':
        return writer.add('Where', [node.condition, node.whenTrue, node.whenFalse].map(visit));
      case 'cast':
        return writer.add('Cast', [visit(node.operand)], { attributes: { to: castTarget[node.dtype] } });
    }
  };
  return visit(root);
};
