// The kernel of random bits: a thread per pair of words.
import type { RandomAttrs } from '../../../ops/random.ts';
import { sizeOf } from '../../../shape.ts';
import type { Spec } from '../../../tensor.ts';
import type { GpuKernel, KernelContext } from '../kernel.ts';
import { perElement, stepBindings } from '../kernel.ts';

const rotations = [13, 15, 26, 6, 17, 29, 16, 24] as const;

/** Twenty rounds of Threefry-2x32 on `x` and `y`, as the op's reference says. */
const rounds: readonly string[] = Array.from({ length: 20 }, (_, round) => {
  const by = rotations[round % 8]!;
  const injection = (round + 1) / 4;
  return [
    'x += y;',
    `y = ((y << ${by}u) | (y >> ${32 - by}u)) ^ x;`,
    ...(round % 4 === 3
      ? [`x += keys[${injection % 3}];`, `y += keys[${(injection + 1) % 3}] + ${injection}u;`]
      : []),
  ];
}).flat();

/** The kernel of `randomBits`. */
export const emitRandomBits = (
  _inputs: readonly Spec[],
  output: Spec,
  { bits }: RandomAttrs,
  context: KernelContext,
): GpuKernel => {
  const count = sizeOf(output.shape);
  const { bindings } = stepBindings(['u32'], 'u32');
  const body = [
    'let keys = array<u32, 3>(input0[0], input0[1], input0[0] ^ input0[1] ^ 0x1bd11bdau);',
    'let counter = 2u * u32(index);',
    'var x = counter + keys[0];',
    'var y = keys[1];',
    ...rounds,
    `result[counter] = x >> ${32 - bits}u;`,
    `if (counter + 1u < ${count}u) { result[counter + 1u] = y >> ${32 - bits}u; }`,
  ];
  return perElement(Math.ceil(count / 2), { bindings, body }, context);
};
