// The text of a kernel: GPU.js compiles functions written in a small part of JavaScript, which this writer emits as strings.
//
// Every variable is a number in single precision. GPU.js guesses types from the way a value is written; one operation per
// variable leaves it nothing to guess, and the compilers behind it do not mind.

import { sizeOf } from '../../shape.ts';
import type { DType, Spec } from '../../tensor.ts';
import { functionsUsed } from './functions.ts';
import type { ModeTraits } from './modes.ts';

/** A kernel as GPU.js takes it. */
export interface KernelSource {
  /** A JavaScript function of the arrays `a0`, `a1` … and, where `special` is set, the numbers `infinity` and `nan`. */
  readonly text: string;
  /** Functions that the text calls. */
  readonly functions: readonly string[];
  /** Whether infinity and NaN are arguments: no shading language has literals for them. */
  readonly special: boolean;
}

/** The names of the variables that hold one element. */
export type Value =
  | { readonly dtype: 'f32' | 'bool'; readonly name: string }
  /** An i32 as `high * 65536 + low`: low in [0, 65536), high in [-32768, 32768). Single precision holds no 32-bit integer. */
  | { readonly dtype: 'i32'; readonly low: string; readonly high: string };

/** An input of a kernel: what it holds, and the number of the array that holds it. Inputs of one tensor share an array. */
export interface Operand extends Spec {
  readonly array: number;
}

/** The slots of a kernel's arrays: those that it reads, each once. */
export const arraysOf = (slots: readonly number[]): readonly number[] => [...new Set(slots)];

/** The operands of a kernel that reads the given slots. */
export const operandsOf = (slots: readonly number[], specs: readonly Spec[]): readonly Operand[] => {
  const arrays = arraysOf(slots);
  return slots.map((slot) => ({ ...specs[slot]!, array: arrays.indexOf(slot) }));
};

/** Writes the body of a kernel. */
export interface Writer {
  readonly traits: ModeTraits;
  /** A new variable with the given value; its name. */
  define(expression: string): string;
  assign(name: string, expression: string): void;
  /** Statements that run while the counter, a variable named in `body`, goes from 0 to below `count`. */
  repeat(count: number, body: (counter: string) => void): void;
  /** Statements that run where the condition holds. */
  when(condition: string, body: () => void): void;
  /** The element of array number `index` at a position. */
  read(index: number, position: string): Value;
}

/** Numbers that hold one element of a dtype. */
const numbersPerElement = (dtype: DType): number => (dtype === 'i32' ? 2 : 1);

/** Numbers in the array that holds a tensor; there is no empty array. */
export const numbersOf = (spec: Spec): number =>
  Math.max(1, sizeOf(spec.shape) * numbersPerElement(spec.dtype));

/** A number as text; negative ones in brackets, as two signs in a row would be an operator. */
export const printNumber = (value: number): string => {
  if (Number.isNaN(value)) return 'nan';
  if (value === Number.POSITIVE_INFINITY) return 'infinity';
  if (value === Number.NEGATIVE_INFINITY) return '(-infinity)';
  const single = Math.fround(value);
  return single < 0 || Object.is(single, -0) ? `(-${Math.abs(single)})` : String(single);
};

/**
 * The kernel that gives one element of the output: `body` writes it for the element of the given number. An i32 output is an array
 * of all low halves, then all high halves.
 */
export const kernelSource = (
  inputs: readonly Operand[],
  output: Spec,
  traits: ModeTraits,
  body: (writer: Writer, element: string) => Value,
): KernelSource => {
  const lines: string[] = [];
  let names = 0;
  let indent = '  ';
  const line = (text: string): void => {
    lines.push(`${indent}${text}`);
  };
  const block = (head: string, inner: () => void): void => {
    line(`${head} {`);
    indent += '  ';
    inner();
    indent = indent.slice(2);
    line('}');
  };
  const define = (expression: string): string => {
    const name = `v${names++}`;
    line(`let ${name} = ${expression};`);
    return name;
  };
  const writer: Writer = {
    traits,
    define,
    assign: (name, expression) => line(`${name} = ${expression};`),
    repeat: (count, inner) => {
      if (count === 0) return;
      const counter = `r${names++}`;
      block(`for (let ${counter} = 0; ${counter} < ${count}; ${counter}++)`, () => {
        inner(define(counter));
      });
    },
    when: (condition, inner) => block(`if (${condition})`, inner),
    read: (index, position) => {
      const { dtype, shape, array } = inputs[index]!;
      if (dtype !== 'i32') return { dtype, name: define(`a${array}[${position}]`) };
      const low = define(`a${array}[${position}]`);
      const second = define(`${position} + ${sizeOf(shape)}`);
      return { dtype, low, high: define(`a${array}[${second}]`) };
    },
  };
  const thread = define('this.thread.x');
  if (output.dtype === 'i32') {
    const elements = Math.max(1, sizeOf(output.shape));
    const isHigh = define(`${thread} >= ${elements} ? 1 : 0`);
    const result = body(writer, define(`${thread} - ${isHigh} * ${elements}`));
    if (result.dtype !== 'i32') throw new TypeError(`an i32 kernel gives ${result.dtype}`);
    line(`return ${define(`${isHigh} > 0.5 ? ${result.high} : ${result.low}`)};`);
  } else {
    const result = body(writer, thread);
    if (result.dtype !== output.dtype)
      throw new TypeError(`a kernel of ${output.dtype} gives ${result.dtype}`);
    line(`return ${result.name};`);
  }
  const statements = lines.join('\n');
  const { functions, special: inFunctions } = functionsUsed(statements);
  const special = inFunctions || /\b(?:infinity|nan)\b/.test(statements);
  const arrays = Math.max(-1, ...inputs.map(({ array }) => array)) + 1;
  const parameters = Array.from({ length: arrays }, (_, i) => `a${i}`).concat(
    special ? ['infinity', 'nan'] : [],
  );
  return { text: `function (${parameters.join(', ')}) {\n${statements}\n}`, functions, special };
};
