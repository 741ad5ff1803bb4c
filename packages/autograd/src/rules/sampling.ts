// Rules of bilinear sampling and its two adjoints. They are faces of forms T(x, g, m; p) = ⟨sampleBilinear(x, p, m), g⟩, one per
// order of derivative, linear in image, cotangent and mask: derivatives with respect to the points p are forms of the next orders.
import type { SampleAttrs, SampleInputGradAttrs, Tensor } from '@autoassign/tensor';
import { add, apply, mul, primitives, reshape, slice } from '@autoassign/tensor';
import type { VjpRule } from './rule.ts';

type Order = SampleAttrs['order'];

/** dT/dg */
const sample = (x: Tensor, points: Tensor, mask: Tensor, order: Order): Tensor =>
  apply(primitives.sampleBilinear, [x, points, mask], { order });

/** dT/dx, for images of the size of `like`. */
const inputGrad = (g: Tensor, points: Tensor, mask: Tensor, order: Order, like: Tensor): Tensor =>
  apply(primitives.sampleBilinearInputGrad, [g, points, mask], {
    order,
    size: [like.shape[2]!, like.shape[3]!],
  });

/** dT/dm and its slopes along y and x: [N,G,K,3,P]. */
const pointGrad = (x: Tensor, g: Tensor, points: Tensor, order: Order): Tensor =>
  apply(primitives.sampleBilinearPointGrad, [x, g, points], { order });

/** So many components of [N,G,K,D,P], from one on. */
const components = (t: Tensor, from: number, count: number): Tensor =>
  slice(t, [0, 0, 0, from, 0], [-1, -1, -1, count, -1]);

/** dT/dp and dT/dm */
const pointGradients = (
  x: Tensor,
  g: Tensor,
  points: Tensor,
  mask: Tensor,
  order: Order,
): readonly [Tensor, Tensor] => {
  const gradient = pointGrad(x, g, points, order);
  const [images, groups, taps, places] = mask.shape as readonly [number, number, number, number];
  const perPoint = reshape(mask, [images, groups, taps, 1, places]);
  return [mul(components(gradient, 1, 2), perPoint), reshape(components(gradient, 0, 1), mask.shape)];
};

/** sampleBilinear(x, p, m) paired with a cotangent g is T(x, g, m; p). */
export const sampleBilinearRule: VjpRule<SampleAttrs> = (g, [x, points, mask], { order }) => [
  inputGrad(g, points!, mask!, order, x!),
  ...pointGradients(x!, g, points!, mask!, order),
];

/** inputGrad(g, p, m) paired with an image u is T(u, g, m; p). */
export const sampleBilinearInputGradRule: VjpRule<SampleInputGradAttrs> = (
  u,
  [g, points, mask],
  { order },
) => [sample(u, points!, mask!, order), ...pointGradients(u, g!, points!, mask!, order)];

/** pointGrad(x, g, p) paired with u is the sum of T(x, g, u₀; p) and its slopes T′(x, g, u₁; p), T″(x, g, u₂; p). */
export const sampleBilinearPointGradRule: VjpRule<SampleAttrs> = (u, [x, g, points], { order }) => {
  const [y, along] = order;
  const [images, groups, taps, , places] = u.shape as readonly [number, number, number, number, number];
  // twice along one axis the interpolation has no derivative left
  const forms = (
    [
      [y, along],
      [y + 1, along],
      [y, along + 1],
    ] as const
  )
    .map((orders, i) => ({ orders, part: components(u, i, 1) }))
    .filter(({ orders }) => Math.max(...orders) < 2)
    .map(({ orders, part }) => ({ orders, mask: reshape(part, [images, groups, taps, places]) }));
  const total = (term: (mask: Tensor, orders: Order) => Tensor): Tensor =>
    forms.map(({ mask, orders }) => term(mask, orders)).reduce(add);
  return [
    total((mask, orders) => inputGrad(g!, points!, mask, orders, x!)),
    total((mask, orders) => sample(x!, points!, mask, orders)),
    total((mask, orders) => pointGradients(x!, g!, points!, mask, orders)[0]),
  ];
};
