// The printer of scalar expressions for WebAssembly: one vector of results from vectors of inputs.

import type { Expression as Scalar } from '../../../expression.ts';
import { operandsOf } from '../../../expression.ts';
import type { Expression, Statement } from '../assembler/code.ts';
import type { Local, ModuleBuilder, NewLocal } from '../assembler/module.ts';
import { f32x4, v128 } from '../assembler/vector.ts';
import { binaryVector, castVector, fromMemory, literalVector, unaryVector } from './elementOps.ts';
import type { InlineCode } from './exponential.ts';
import { exponentialCode, logarithmCode } from './exponential.ts';

type V = Expression<'v128'>;

/** The code of an expression: statements that compute what is used more than once, and the value. */
interface PrintedExpression {
  readonly statements: readonly Statement[];
  readonly value: V;
}

/** Prints an expression for inputs loaded by `load`, which gives them as they lie in memory. */
export type ExpressionPrinter = (load: (input: number) => V) => PrintedExpression;

/**
 * The printer of one expression. It may print several times, for several vectors in turn; the locals that
 * hold shared values are the same every time.
 */
export function expressionPrinter(module: ModuleBuilder, local: NewLocal, root: Scalar): ExpressionPrinter {
  const shared = new Map(sharedNodes(root).map((node) => [node, local('v128')]));
  const inlined = inlineNodes(root, local);
  return (load) => {
    const statements: Statement[] = [];
    const ready = new Set<Local<'v128'>>();
    const printOnce = (node: Scalar): V => {
      const inline = inlined.get(node);
      if (inline === undefined || node.kind !== 'unary') return printNode(module, node, print, load);
      statements.push(inline.operand.set(print(node.operand)), ...inline.code.statements);
      return inline.code.value;
    };
    const print = (node: Scalar): V => {
      const holder = shared.get(node);
      if (holder === undefined) return printOnce(node);
      if (!ready.has(holder)) {
        const code = printOnce(node);
        statements.push(holder.set(code));
        ready.add(holder);
      }
      return holder;
    };
    const value = print(root);
    return { statements, value };
  };
}

/** A function whose code stands in the loop itself: a call would cost a quarter of its time. */
interface Inline {
  readonly operand: Local<'v128'>;
  readonly code: InlineCode;
}

/** The exponentials and logarithms of an expression. */
function inlineNodes(root: Scalar, local: NewLocal): ReadonlyMap<Scalar, Inline> {
  const found = new Map<Scalar, Inline>();
  const seen = new Set<Scalar>();
  const visit = (node: Scalar): void => {
    if (seen.has(node)) return;
    seen.add(node);
    operandsOf(node).forEach(visit);
    if (node.kind !== 'unary' || node.operand.dtype !== 'f32') return;
    const code = { exp: exponentialCode, log: logarithmCode }[node.name as string];
    if (code === undefined) return;
    const operand = local('v128');
    found.set(node, { operand, code: code(operand, local) });
  };
  visit(root);
  return found;
}

/** The operands as the printed code uses them: a square uses its base twice. */
function usesOf(node: Scalar): readonly Scalar[] {
  const exponent = literalExponent(node);
  if (exponent === undefined || node.kind !== 'binary') return operandsOf(node);
  return Array.from({ length: Math.max(1, Math.abs(exponent)) }, () => node.left);
}

/** The nodes other than literals that are used more than once. */
function sharedNodes(root: Scalar): readonly Scalar[] {
  const uses = new Map<Scalar, number>();
  const visit = (node: Scalar): void => {
    const before = uses.get(node) ?? 0;
    uses.set(node, before + 1);
    if (before === 0) usesOf(node).forEach(visit);
  };
  visit(root);
  return [...uses].filter(([node, count]) => count > 1 && node.kind !== 'literal').map(([node]) => node);
}

/** The exponent of a power that is printed as multiplications, if the node is one. */
function literalExponent(node: Scalar): number | undefined {
  if (node.kind !== 'binary' || node.name !== 'pow' || node.dtype !== 'f32') return undefined;
  const { right } = node;
  const isSmall = right.kind === 'literal' && [-1, 1, 2, 3].includes(right.value);
  return isSmall ? right.value : undefined;
}

function printNode(
  module: ModuleBuilder,
  node: Scalar,
  print: (operand: Scalar) => V,
  load: (input: number) => V,
): V {
  switch (node.kind) {
    case 'input':
      return fromMemory(load(node.index), node.dtype);
    case 'literal':
      return literalVector(node.value, node.dtype);
    case 'unary':
      return unaryVector(module, node.name, node.operand.dtype)(print(node.operand));
    case 'binary': {
      const exponent = literalExponent(node);
      if (exponent !== undefined) return smallPower(print(node.left), exponent);
      return binaryVector(module, node.name, node.left.dtype)(print(node.left), print(node.right));
    }
    case 'select':
      return v128.bitselect(
        print(node.whenTrue),
        print(node.whenFalse),
        castVector(print(node.condition), node.condition.dtype, 'bool'),
      );
    case 'cast':
      return castVector(print(node.operand), node.operand.dtype, node.dtype);
  }
}

function smallPower(base: V, exponent: number): V {
  if (exponent === -1) return f32x4.div(f32x4.const(1), base);
  const rest = Array.from({ length: exponent - 1 }, () => base);
  return rest.reduce((power, factor) => f32x4.mul(power, factor), base);
}

/** Text that is equal for equal expressions, sharing included. */
export function expressionKey(root: Scalar): string {
  const numbers = new Map<Scalar, number>();
  const parts: string[] = [];
  const visit = (node: Scalar): number => {
    const known = numbers.get(node);
    if (known !== undefined) return known;
    const operands = operandsOf(node).map(visit);
    parts.push(`${nodeKey(node)}(${operands.join()})`);
    numbers.set(node, numbers.size);
    return numbers.size - 1;
  };
  visit(root);
  return parts.join(' ');
}

function nodeKey(node: Scalar): string {
  switch (node.kind) {
    case 'input':
      return `input ${node.index} ${node.dtype}`;
    case 'literal':
      // Object.is(-0, 0) is false, and so are their bits.
      return `${Object.is(node.value, -0) ? '-0' : node.value} ${node.dtype}`;
    case 'unary':
    case 'binary':
      return `${node.name} ${node.dtype}`;
    case 'select':
    case 'cast':
      return `${node.kind} ${node.dtype}`;
  }
}
