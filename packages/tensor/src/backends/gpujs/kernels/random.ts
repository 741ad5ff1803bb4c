// Random bits: Threefry-2x32 on halves of words, which single precision holds exactly.
import type { RandomAttrs } from '../../../ops/random.ts';
import type { Spec } from '../../../tensor.ts';
import type { Pair } from '../integers.ts';
import { pairOf, unsigned } from '../integers.ts';
import type { ModeTraits } from '../modes.ts';
import type { KernelSource, Writer } from '../source.ts';
import { kernelSource } from '../source.ts';
import { assignPair } from './fold.ts';

const rotations = [13, 15, 26, 6, 17, 29, 16, 24] as const;

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

/** The bits of a half that a shift to the left pushes out, and those that stay. */
const shiftLeft = (writer: Writer, half: string, by: number): { out: string; stay: string } => {
  const out = writer.define(`Math.floor(${half} * ${2 ** by} / 65536)`);
  return { out, stay: writer.define(`${half} * ${2 ** by} - ${out} * 65536`) };
};

const rotate = (writer: Writer, { low, high }: Pair, by: number): Pair => {
  const [below, above] = by < 16 ? [low, high] : [high, low];
  if (by % 16 === 0) return pairOf(below, above);
  const [fromBelow, fromAbove] = [shiftLeft(writer, below, by % 16), shiftLeft(writer, above, by % 16)];
  return pairOf(
    writer.define(`${fromBelow.stay} + ${fromAbove.out}`),
    writer.define(`${fromAbove.stay} + ${fromBelow.out}`),
  );
};

const literal = (writer: Writer, value: number): Pair =>
  pairOf(writer.define(String(value & 0xffff)), writer.define(String(value >>> 16)));

/** A word shifted to the right, zeros coming in. */
const shiftRight = (writer: Writer, { low, high }: Pair, by: number): Pair => {
  if (by === 0) return pairOf(low, high);
  if (by >= 16)
    return pairOf(writer.define(`Math.floor(${high} / ${2 ** (by - 16)})`), writer.define('0'));
  const upper = writer.define(`Math.floor(${high} / ${2 ** by})`);
  const moved = writer.define(`(${high} - ${upper} * ${2 ** by}) * ${2 ** (16 - by)}`);
  return pairOf(writer.define(`Math.floor(${low} / ${2 ** by}) + ${moved}`), upper);
};

/** The kernel of `randomBits`. */
export const randomBitsKernel = (
  inputs: readonly Spec[],
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
    let x = add(writer, pairOf(writer.define(`${counter} - ${counterHigh} * 65536`), counterHigh), k0);
    let y = k1;
    for (let round = 0; round < 20; round++) {
      x = add(writer, x, y);
      y = xor(writer, rotate(writer, y, rotations[round % 8]!), x);
      if (round % 4 !== 3) continue;
      const injection = (round + 1) / 4;
      x = add(writer, x, keys[injection % 3]!);
      y = add(writer, add(writer, y, keys[(injection + 1) % 3]!), literal(writer, injection));
    }
    const word = pairOf(writer.define(x.low), writer.define(x.high));
    writer.when(`${isSecond} > 0.5`, () => assignPair(writer, word, y));
    const { low, high } = shiftRight(writer, word, 32 - bits);
    return pairOf(low, writer.define(`${high} >= 32768 ? ${high} - 65536 : ${high}`));
  });
