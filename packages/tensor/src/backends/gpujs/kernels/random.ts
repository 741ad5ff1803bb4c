// Random bits: Threefry-2x32 on halves of words, which single precision holds exactly.
import type { RandomAttrs } from '../../../ops/random.ts';
import type { Spec } from '../../../tensor.ts';
import type { Pair } from '../integers.ts';
import { pairOf, unsigned } from '../integers.ts';
import type { ModeTraits } from '../modes.ts';
import type { KernelSource, Operand, Writer } from '../source.ts';
import { kernelSource } from '../source.ts';
import { assignPair } from './fold.ts';

/** Bits by which words rotate, in groups of four rounds of even and of odd number. */
const rotations = { even: [13, 15, 26, 6], odd: [17, 29, 16, 24] } as const;
const groups = 5;

// here both halves of a word are in [0, 65536)
const add = (writer: Writer, a: Pair, b: Pair): Pair => {
  const low = writer.define(`${a.low} + ${b.low}`);
  const carry = writer.define(`${low} >= 65536 ? 1 : 0`);
  const high = writer.define(`${a.high} + ${b.high} + ${carry}`);
  return pairOf(
    writer.define(`${low} - ${carry} * 65536`),
    writer.define(`${high} >= 65536 ? ${high} - 65536 : ${high}`),
  );
};

const xor = (writer: Writer, a: Pair, b: Pair): Pair =>
  pairOf(writer.define(`${a.low} ^ ${b.low}`), writer.define(`${a.high} ^ ${b.high}`));

/** A word rotated to the left, by one number of bits or by another. */
const rotate = (writer: Writer, { low, high }: Pair, isOdd: string, even: number, odd: number): Pair => {
  const choose = (a: string | number, b: string | number): string =>
    a === b ? String(a) : writer.define(`${isOdd} > 0.5 ? ${b} : ${a}`);
  const halves = (by: number): readonly [string, string] => (by < 16 ? [low, high] : [high, low]);
  const [evenHalves, oddHalves] = [halves(even), halves(odd)];
  const factor = choose(2 ** (even % 16), 2 ** (odd % 16));
  const [below, above] = [0, 1].map((i) => {
    const shifted = writer.define(`${choose(evenHalves[i]!, oddHalves[i]!)} * ${factor}`);
    const out = writer.define(`Math.floor(${shifted} / 65536)`);
    return { out, stay: writer.define(`${shifted} - ${out} * 65536`) };
  }) as [{ out: string; stay: string }, { out: string; stay: string }];
  return pairOf(writer.define(`${below.stay} + ${above.out}`), writer.define(`${above.stay} + ${below.out}`));
};

const literal = (writer: Writer, value: number): Pair =>
  pairOf(writer.define(String(value & 0xffff)), writer.define(String(value >>> 16)));

/** A word shifted to the right, zeros coming in. */
const shiftRight = (writer: Writer, { low, high }: Pair, by: number): Pair => {
  if (by === 0) return pairOf(low, high);
  if (by >= 16) return pairOf(writer.define(`Math.floor(${high} / ${2 ** (by - 16)})`), writer.define('0'));
  const upper = writer.define(`Math.floor(${high} / ${2 ** by})`);
  const moved = writer.define(`(${high} - ${upper} * ${2 ** by}) * ${2 ** (16 - by)}`);
  return pairOf(writer.define(`Math.floor(${low} / ${2 ** by}) + ${moved}`), upper);
};

/** The kernel of `randomBits`. */
export const randomBitsKernel = (
  inputs: readonly Operand[],
  output: Spec,
  { bits }: RandomAttrs,
  traits: ModeTraits,
): KernelSource =>
  kernelSource(inputs, output, traits, (writer, element) => {
    const pairIndex = writer.define(`Math.floor(${element} / 2)`);
    const isSecond = writer.define(`${element} - ${pairIndex} * 2`);
    const counter = writer.define(`${pairIndex} * 2`);
    const counterHigh = writer.define(`Math.floor(${counter} / 65536)`);
    const key = (position: string): Pair => {
      const { low, high } = writer.read(0, position) as Pair;
      return pairOf(low, unsigned(writer, high));
    };
    const [k0, k1] = [key('0'), key('1')];
    const parity = xor(writer, xor(writer, k0, k1), literal(writer, 0x1bd11bda));
    const keys = [k0, k1, parity] as const;
    const start = add(writer, pairOf(writer.define(`${counter} - ${counterHigh} * 65536`), counterHigh), k0);
    const variable = ({ low, high }: Pair): Pair => pairOf(writer.define(low), writer.define(high));
    const [x, y] = [variable(start), variable(k1)];
    const turning = keys.map(variable) as [Pair, Pair, Pair];
    // a loop, as shaders of twenty rounds take long to compile
    writer.repeat(groups, (group) => {
      const isOdd = writer.define(`${group} - Math.floor(${group} / 2) * 2`);
      rotations.even.forEach((even, i) => {
        assignPair(writer, x, add(writer, x, y));
        assignPair(writer, y, xor(writer, rotate(writer, y, isOdd, even, rotations.odd[i]!), x));
      });
      const [first, second, third] = turning;
      assignPair(writer, x, add(writer, x, second));
      const injected = pairOf(writer.define(`${group} + 1`), writer.define('0'));
      assignPair(writer, y, add(writer, add(writer, y, third), injected));
      const before = variable(first);
      assignPair(writer, first, second);
      assignPair(writer, second, third);
      assignPair(writer, third, before);
    });
    const word = pairOf(writer.define(x.low), writer.define(x.high));
    writer.when(`${isSecond} > 0.5`, () => assignPair(writer, word, y));
    const { low, high } = shiftRight(writer, word, 32 - bits);
    return pairOf(low, writer.define(`${high} >= 32768 ? ${high} - 65536 : ${high}`));
  });
