// The law of convolution's gradients: they are its adjoints, whatever the stride, padding, dilation and groups.
import { vjp } from '@autoassign/autograd';
import type { Shape, Tensor } from '@autoassign/tensor';
import { conv2d, key, mul, normal, sum } from '@autoassign/tensor';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { numberOf } from './values.ts';

const side = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max });

const convolutions = fc.record({
  images: side(1, 2),
  groups: side(1, 3),
  inGroup: side(1, 2),
  outGroup: side(1, 2),
  height: side(5, 8),
  width: side(5, 8),
  kernel: fc.tuple(side(1, 3), side(1, 3)),
  stride: fc.tuple(side(1, 3), side(1, 3)),
  dilation: fc.tuple(side(1, 2), side(1, 2)),
  padding: fc.tuple(side(0, 2), side(0, 2), side(0, 2), side(0, 2)),
  seed: fc.nat(),
});

test('⟨conv2d(x, w), g⟩ = ⟨x, dx⟩ = ⟨w, dw⟩', async () => {
  const law = fc.asyncProperty(convolutions, async (c) => {
    const random = (shape: Shape, purpose: number): Tensor => normal(key(c.seed * 3 + purpose), shape);
    const x = random([c.images, c.groups * c.inGroup, c.height, c.width], 0);
    const w = random([c.groups * c.outGroup, c.inGroup, ...c.kernel], 1);
    const { value, pullback } = vjp((image: Tensor, filter: Tensor) => conv2d(image, filter, c), x, w);
    const g = random(value.shape, 2);
    const [dx, dw] = pullback(g);
    const paired = await numberOf(sum(mul(value, g)));
    expect(await numberOf(sum(mul(x, dx)))).toBeCloseTo(paired, 9);
    expect(await numberOf(sum(mul(w, dw)))).toBeCloseTo(paired, 9);
  });
  await fc.assert(law, { seed: 7, numRuns: 40 });
});
