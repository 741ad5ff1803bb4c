// Deformable convolution: the formula of the paper, summed over all pixels, and the convolutions that it contains.
import type { Shape, Tensor } from '@autoassign/tensor';
import {
  add,
  apply,
  broadcastTo,
  conv2d,
  createBackend,
  deformableConv2d,
  evaluate,
  full,
  key,
  normal,
  ones,
  pad,
  primitives,
  read,
  reshape,
  ShapeError,
  sampleBilinear,
  slice,
  tensor,
  uniform,
  zeros,
} from '@autoassign/tensor';
import fc from 'fast-check';
import { expect, test } from 'vitest';

const backend = await createBackend('cpu', { precision: 'f64' });
const valuesOf = async (t: Tensor): Promise<number[]> =>
  Array.from(await read(await evaluate(t, { backend })));

const side = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max });
const pair = (min: number, max: number): fc.Arbitrary<[number, number]> =>
  fc.tuple(side(min, max), side(min, max));

const convolutions = fc.record({
  images: side(1, 2),
  groups: side(1, 2),
  inGroup: side(1, 2),
  outGroup: side(1, 2),
  deformableGroups: fc.constantFrom(1, 2),
  size: pair(4, 6),
  kernel: pair(1, 3),
  stride: pair(1, 2),
  dilation: pair(1, 2),
  padding: pair(0, 2),
  seed: fc.nat(1000),
});
type Convolution = typeof convolutions extends fc.Arbitrary<infer T> ? T : never;

/** Channels that both kinds of groups divide. */
const channelsOf = (c: Convolution): number => c.groups * c.inGroup * c.deformableGroups;

const countAlong = (c: Convolution, axis: 0 | 1): number =>
  Math.floor(
    (c.size[axis] + 2 * c.padding[axis] - c.dilation[axis] * (c.kernel[axis] - 1) - 1) / c.stride[axis],
  ) + 1;

const drawn = (c: Convolution) => {
  const [taps, out] = [c.kernel[0] * c.kernel[1], [countAlong(c, 0), countAlong(c, 1)] as const];
  const random = (shape: Shape, purpose: number): Tensor => normal(key(4 * c.seed + purpose), shape);
  return {
    out,
    x: random([c.images, channelsOf(c), ...c.size], 0),
    weight: random([c.groups * c.outGroup, channelsOf(c) / c.groups, ...c.kernel], 1),
    offset: random([c.images, 2 * c.deformableGroups * taps, ...out], 2),
    mask: uniform(key(4 * c.seed + 3), [c.images, c.deformableGroups * taps, ...out]),
  };
};

/** y(p) = Σₖ wₖ · x(p + pₖ + Δpₖ) · Δmₖ, with x(p) = Σ_q max(0, 1 − |q_y − p_y|) · max(0, 1 − |q_x − p_x|) · x(q) over all pixels q. */
const fromTheFormula = async (c: Convolution): Promise<number[]> => {
  const d = drawn(c);
  const [x, weight, offset, mask] = await Promise.all([d.x, d.weight, d.offset, d.mask].map(valuesOf));
  const [height, width] = c.size;
  const [rows, columns] = d.out;
  const taps = c.kernel[0] * c.kernel[1];
  const [channels, inGroup] = [channelsOf(c), channelsOf(c) / c.groups];
  const tent = (t: number): number => Math.max(0, 1 - Math.abs(t));
  const interpolated = (plane: number, y: number, at: number): number => {
    let total = 0;
    for (let qy = 0; qy < height; qy++)
      for (let qx = 0; qx < width; qx++)
        total += tent(qy - y) * tent(qx - at) * x![(plane * height + qy) * width + qx]!;
    return total;
  };
  const result: number[] = [];
  for (let n = 0; n < c.images; n++)
    for (let o = 0; o < c.groups * c.outGroup; o++)
      for (let place = 0; place < rows * columns; place++) {
        let total = 0;
        for (let i = 0; i < inGroup; i++)
          for (let k = 0; k < taps; k++) {
            const channel = Math.floor(o / c.outGroup) * inGroup + i;
            const tap = Math.floor(channel / (channels / c.deformableGroups)) * taps + k;
            const moved = (part: 0 | 1): number =>
              offset![((n * c.deformableGroups * taps + tap) * 2 + part) * rows * columns + place]!;
            const y =
              Math.floor(place / columns) * c.stride[0] -
              c.padding[0] +
              Math.floor(k / c.kernel[1]) * c.dilation[0] +
              moved(0);
            const along =
              (place % columns) * c.stride[1] - c.padding[1] + (k % c.kernel[1]) * c.dilation[1] + moved(1);
            const scale = mask![(n * c.deformableGroups * taps + tap) * rows * columns + place]!;
            total +=
              weight![(o * inGroup + i) * taps + k]! * scale * interpolated(n * channels + channel, y, along);
          }
        result.push(total);
      }
  return result;
};

const isPossible = (c: Convolution): boolean => countAlong(c, 0) > 0 && countAlong(c, 1) > 0;
const close = (actual: readonly number[], expected: readonly number[], digits: number): void => {
  expect(actual.length).toBe(expected.length);
  actual.forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i]!, digits);
  });
};

test('is what the formula of the paper says', async () => {
  const law = fc.asyncProperty(convolutions.filter(isPossible), async (c) => {
    const { x, weight, offset, mask } = drawn(c);
    close(await valuesOf(deformableConv2d(x, weight, offset, mask, c)), await fromTheFormula(c), 5);
  });
  await fc.assert(law, { seed: 11, numRuns: 15 });
});

test('with no offsets and a mask of one is conv2d', async () => {
  const law = fc.asyncProperty(convolutions.filter(isPossible), async (c) => {
    const { x, weight, offset, mask } = drawn(c);
    const deformed = deformableConv2d(x, weight, zeros(offset.shape), ones(mask.shape), c);
    close(await valuesOf(deformed), await valuesOf(conv2d(x, weight, c)), 12);
  });
  await fc.assert(law, { seed: 12, numRuns: 15 });
});

test('with whole offsets for all taps is conv2d of the image moved', async () => {
  const law = fc.asyncProperty(convolutions.filter(isPossible), pair(-2, 2), async (c, [down, right]) => {
    const { x, weight, offset, mask } = drawn(c);
    const pairs = offset.shape[1]! / 2;
    const moves = reshape(tensor(new Array(pairs).fill([down, right]).flat()), [1, 2 * pairs, 1, 1]);
    const deformed = deformableConv2d(x, weight, broadcastTo(moves, offset.shape), full(mask.shape, 0.5), c);
    const [top, left] = c.padding;
    const around = pad(x, [
      [0, 0],
      [0, 0],
      [4, 4],
      [4, 4],
    ]);
    const begin = [0, 0, 4 - top + down, 4 - left + right];
    const moved = slice(around, begin, [-1, -1, c.size[0] + 2 * top, c.size[1] + 2 * left]);
    const expected = conv2d(moved, weight, { ...c, padding: 0 });
    close(await valuesOf(add(deformed, deformed)), await valuesOf(expected), 12);
  });
  await fc.assert(law, { seed: 13, numRuns: 15 });
});

test('at whole coordinates slopes are those of the larger side, and nothing where nothing is read', async () => {
  const x = tensor([1, 10, 100, 1000], { shape: [1, 1, 4, 1] });
  const ys = [0, 1.5, 2, 3, -1, -0.5, 4];
  const points = tensor([...ys, ...ys.map(() => 0)], { shape: [1, 1, 1, 2, ys.length] });
  const columns = ones([1, 1, 1, ys.length]);
  const gradient = apply(primitives.sampleBilinearPointGrad, [x, columns, points], { order: [0, 0] });
  const [values, slopes] = [0, 1].map((part) => slice(gradient, [0, 0, 0, part, 0], [1, 1, 1, 1, -1]));
  expect(await valuesOf(values!)).toEqual([1, 55, 100, 1000, 0, 0.5, 0]);
  expect(await valuesOf(slopes!)).toEqual([9, 90, 900, -1000, 0, 1, 0]);
});

test('offsets of another size, and points in the wrong order, are errors', () => {
  const x = ones([1, 4, 5, 5]);
  const weight = ones([2, 4, 3, 3]);
  expect(() =>
    deformableConv2d(x, weight, zeros([1, 18, 5, 5]), ones([1, 9, 5, 5]), { label: 'conv2' }),
  ).toThrow(ShapeError);
  expect(() =>
    deformableConv2d(x, weight, zeros([1, 18, 3, 3]), ones([1, 18, 3, 3]), { label: 'conv2' }),
  ).toThrow(/deformableConv2d\(conv2\): needs offset \[1,18,3,3\], mask \[1,9,3,3\]/);
  expect(() => sampleBilinear(x, zeros([1, 3, 9, 2, 7]), ones([1, 3, 9, 7]))).toThrow(
    /groups G that divide C/,
  );
  expect(() => sampleBilinear(x, zeros([1, 1, 9, 7, 2]), ones([1, 1, 9, 7]))).toThrow(ShapeError);
});
