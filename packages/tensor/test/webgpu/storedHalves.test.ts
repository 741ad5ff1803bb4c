// Values stored as halves: the same bits as where products round when they load, in fewer bytes.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { webgpuBackend } from '../../src/backends/webgpu/index.ts';
import type { Backend, Tensor } from '../../src/index.ts';
import { add, compile, lessEqual, matmul, mul, read, select, sum, tensor } from '../../src/index.ts';
import { random } from '../randomTensor.ts';
import type { Build } from './smallTraining.ts';
import { small, smallTraining } from './smallTraining.ts';

let stored: Backend;
let loaded: Backend;
beforeAll(async () => {
  stored = await webgpuBackend({ precision: 'emulated mixed' });
  loaded = await webgpuBackend({ precision: 'emulated mixed' }, { halves: false });
});
afterAll(async () => {
  await stored.destroy();
  await loaded.destroy();
});

interface Outcome {
  readonly bits: readonly Uint32Array[];
  readonly plan: string;
}

const outcomeOn = async (backend: Backend, build: Build, args: readonly Tensor[]): Promise<Outcome> => {
  const program = compile(build, { backend });
  const bits: Uint32Array[] = [];
  for (const result of await program(...args)) bits.push(new Uint32Array((await read(result)).buffer));
  const plan = program.describe();
  program.destroy();
  return { bits, plan };
};

/** Compares bits, and gives the plan with halves and the bytes of both. */
const sameBits = async (
  build: Build,
  args: readonly Tensor[],
): Promise<{ plan: string; bytes: number[] }> => {
  const [with_, without] = [await outcomeOn(stored, build, args), await outcomeOn(loaded, build, args)];
  expect(without.plan).not.toContain('halves');
  with_.bits.forEach((bits, i) => {
    expect(bits.findIndex((each, at) => each !== without.bits[i]![at])).toBe(-1);
  });
  const bytes = [with_, without].map(({ plan }) => Number(/(\d+) bytes of plan memory/.exec(plan)![1]));
  return { plan: with_.plan, bytes };
};

/** Halves (all subnormal ones, every seventh of the others, of both signs), the middles between neighbours, and the numbers next to a middle. */
const roundedNumbers = (): Float32Array => {
  const chosen = Array.from({ length: 2 ** 15 }, (_, half) => half).filter(
    (half) => half <= 0x400 || half % 7 === 0,
  );
  const bits = chosen.flatMap((half) => {
    const isSubnormal = half < 0x400; // then the spacing is 2^-24
    const single = isSubnormal ? singleBits(half * 2 ** -24) : (half << 13) + 0x38000000;
    const middle = isSubnormal ? singleBits((half + 0.5) * 2 ** -24) : single + 0x1000;
    return [single, middle - 1, middle, middle + 1].flatMap((each) => [each, (each | 0x80000000) >>> 0]);
  });
  const special = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN, 65519];
  return Float32Array.of(...new Float32Array(Uint32Array.from(bits).buffer), ...special);
};

const singleBits = (x: number): number => new Uint32Array(Float32Array.of(x).buffer)[0]!;

test('rounding and the signs of all halves, read one by one and by four', async () => {
  const numbers = roundedNumbers().map((x) => x / 2);
  const column = tensor(numbers, { shape: [numbers.length, 1] });
  const row = tensor(numbers, { shape: [1, numbers.length] });
  const { plan } = await sameBits(
    (x, y, one) => {
      const [singly, byFour] = [mul(x!, 2), mul(y!, 2)];
      const masked = select(lessEqual(singly, 0), 0, add(x!, 1));
      return [matmul(singly, one!), matmul(byFour, one!, { transposeA: true }), masked];
    },
    [column, row, tensor([1], { shape: [1, 1] })],
  );
  expect(plan.match(/mul.*, halves;/g)).toHaveLength(2);
  const bytes = 2 * numbers.byteLength;
  expect(plan).toContain(`2 values are stored as halves, which saves ${bytes / 2} bytes of ${bytes}`);
});

test.each([
  { scale: 1, what: 'ordinary numbers' },
  { scale: 2 ** -23, what: 'activations of which most round to zero, whose masks must not' },
])('a training step: $what', async ({ scale }) => {
  const { plan, bytes } = await sameBits(smallTraining, small(scale));
  const values = plan.split('\n').filter((line) => line.includes(', halves;'));
  expect(values.map((line) => /= (\w+)/.exec(line)![1])).toEqual(['conv2d', 'loop', 'conv2dInputGrad']);
  expect(bytes[0]).toBeLessThan(0.75 * bytes[1]!);
});

test('results, what is added up, and rows that are not of whole fours stay single', async () => {
  const build: Build = (x, w, v) => {
    const tripled = mul(x!, 3);
    return [matmul(matmul(tripled, w!), v!), sum(tripled)];
  };
  const valuesOf = async (columns: number): Promise<number> => {
    const args = [random(1, 4, 8), random(2, 8, columns), random(3, columns, 4)];
    const { plan } = await sameBits(build, args);
    return [...plan.matchAll(/, halves;/g)].length;
  };
  expect([await valuesOf(8), await valuesOf(5)]).toEqual([1, 0]);
});
