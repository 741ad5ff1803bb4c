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
  /** What the arrays and the output are made of; numbers where this is left out. */
  readonly contents?: { readonly arrays: readonly Contents[]; readonly output: Contents };
}

/** What an array is made of: numbers, texels of four numbers, or blocks of four texels in as many textures. */
export type Contents = 'numbers' | 'texels' | 'blocks';

/** Numbers of a texel. */
export const lanes = 4;

/** Texels of a block. */
export const blockRows = 4;

/** The numbers of one texel, as text. */
export type Texel = readonly [string, string, string, string];

/** The names of the variables that hold one element. */
export type Value =
  | { readonly dtype: 'f32' | 'bool'; readonly name: string }
  /** An i32 as `high * 65536 + low`: low in [0, 65536), high in [-32768, 32768). Single precision holds no 32-bit integer. */
  | { readonly dtype: 'i32'; readonly low: string; readonly high: string };

/** An input of a kernel: what it holds, and the number of the array that holds it. Inputs of one tensor share an array. */
export interface Operand extends Spec {
  readonly array: number;
  readonly contents: Contents;
}

/** The slots of a kernel's arrays: those that it reads, each once. */
export const arraysOf = (slots: readonly number[]): readonly number[] => [...new Set(slots)];

/** The operands of a kernel that reads the given slots. */
export const operandsOf = (
  slots: readonly number[],
  specs: readonly Spec[],
  contents: readonly Contents[],
): readonly Operand[] => {
  const arrays = arraysOf(slots);
  return slots.map((slot) => ({
    ...specs[slot]!,
    array: arrays.indexOf(slot),
    contents: contents[slot]!,
  }));
};

/** Writes the body of a kernel. */
export interface Writer {
  readonly traits: ModeTraits;
  /** A new variable with the given value; its name. */
  define(expression: string): string;
  assign(name: string, expression: string): void;
  /** Calls a function for its effect. */
  call(text: string): void;
  /** Statements that run while the counter, a variable named in `body`, goes from 0 to below `count`. */
  repeat(count: number, body: (counter: string) => void): void;
  /** Statements that run where the condition holds. */
  when(condition: string, body: () => void): void;
  /** The element of array number `index` at a position. */
  read(index: number, position: string): Value;
  /** The texel of array number `index` at a position; of a block the one of the given number. */
  readTexel(index: number, position: string, row?: number): Texel;
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
): KernelSource =>
  writeKernel(inputs, traits, 'numbers', (writer, thread) => {
    const { define } = writer;
    if (output.dtype === 'i32') {
      const elements = Math.max(1, sizeOf(output.shape));
      const isHigh = define(`${thread} >= ${elements} ? 1 : 0`);
      const result = body(writer, define(`${thread} - ${isHigh} * ${elements}`));
      if (result.dtype !== 'i32') throw new TypeError(`an i32 kernel gives ${result.dtype}`);
      return define(`${isHigh} > 0.5 ? ${result.high} : ${result.low}`);
    }
    const result = body(writer, thread);
    if (result.dtype !== output.dtype)
      throw new TypeError(`a kernel of ${output.dtype} gives ${result.dtype}`);
    return result.name;
  });

/** The kernel that gives one texel of four numbers: `body` writes them for the texel of the given number. */
export const texelKernelSource = (
  inputs: readonly Operand[],
  traits: ModeTraits,
  body: (writer: Writer, texel: string) => Texel,
): KernelSource =>
  writeKernel(inputs, traits, 'texels', (writer, thread) => `[${body(writer, thread).join(', ')}]`);

/** The functions that a kernel of blocks gives the second, third and fourth texel to. */
export const rowFunctions: readonly string[] = [1, 2, 3].map(
  (row) => `function row${row}(a, b, c, d) { return [a, b, c, d]; }`,
);

/** The kernel that gives one block of four texels: `body` writes them for the block of the given number. */
export const blockKernelSource = (
  inputs: readonly Operand[],
  traits: ModeTraits,
  body: (writer: Writer, block: string) => readonly Texel[],
): KernelSource =>
  writeKernel(inputs, traits, 'blocks', (writer, thread) => {
    const [first, ...rest] = body(writer, thread);
    rest.forEach((texel, i) => {
      writer.call(`row${i + 1}(${texel.join(', ')})`);
    });
    return `[${first!.join(', ')}]`;
  });

const parameterOf = (array: number, row?: number): string =>
  row === undefined ? `a${array}` : `a${array}row${row}`;

/** The kernel whose body gives what it returns, for the thread of the given number. */
const writeKernel = (
  inputs: readonly Operand[],
  traits: ModeTraits,
  output: Contents,
  body: (writer: Writer, thread: string) => string,
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
    call: (text) => line(`${text};`),
    readTexel: (index, position, row) => {
      const name = define(`${parameterOf(inputs[index]!.array, row)}[${position}]`);
      return [`${name}[0]`, `${name}[1]`, `${name}[2]`, `${name}[3]`];
    },
  };
  line(`return ${body(writer, define('this.thread.x'))};`);
  const statements = lines.join('\n');
  const { functions, special: inFunctions } = functionsUsed(statements);
  const special = inFunctions || /\b(?:infinity|nan)\b/.test(statements);
  const arrays: Contents[] = [];
  for (const { array, contents } of inputs) arrays[array] = contents;
  const parameters = arrays.flatMap((contents, i) =>
    contents === 'blocks' ? [0, 1, 2, 3].map((row) => parameterOf(i, row)) : [parameterOf(i)],
  );
  if (special) parameters.push('infinity', 'nan');
  const isPlain = [output, ...arrays].every((contents) => contents === 'numbers');
  return {
    text: `function (${parameters.join(', ')}) {\n${statements}\n}`,
    functions,
    special,
    ...(isPlain ? {} : { contents: { arrays, output } }),
  };
};
