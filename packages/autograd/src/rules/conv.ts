// Rules of convolution and its two adjoints. All three are faces of one trilinear form
// T(x, w, g) = ⟨conv2d(x, w), g⟩, so the gradient of each is made of the other two.
import type { FilterGradAttrs, InputGradAttrs, Tensor, WindowAttrs } from '@autoassign/tensor';
import { apply, primitives } from '@autoassign/tensor';
import type { VjpRule } from './rule.ts';

const convolve = (x: Tensor, weight: Tensor, window: WindowAttrs): Tensor =>
  apply(primitives.conv2d, [x, weight], window);

/** dT/dx, for images of the size of `like`. */
const inputGrad = (ct: Tensor, weight: Tensor, like: Tensor, window: WindowAttrs): Tensor =>
  apply(primitives.conv2dInputGrad, [ct, weight], { ...window, size: [like.shape[2]!, like.shape[3]!] });

/** dT/dw, for filters of the size of `like`. */
const filterGrad = (x: Tensor, ct: Tensor, like: Tensor, window: WindowAttrs): Tensor =>
  apply(primitives.conv2dFilterGrad, [x, ct], { ...window, kernel: [like.shape[2]!, like.shape[3]!] });

/** conv2d(x, w) paired with a cotangent g is T(x, w, g). */
export const conv2dRule: VjpRule<WindowAttrs> = (ct, [x, weight], window) => [
  inputGrad(ct, weight!, x!, window),
  filterGrad(x!, ct, weight!, window),
];

/** inputGrad(g, w) paired with an image u is T(u, w, g). */
export const conv2dInputGradRule: VjpRule<InputGradAttrs> = (u, [g, weight], { size: _, ...window }) => [
  convolve(u, weight!, window),
  filterGrad(u, g!, weight!, window),
];

/** filterGrad(x, g) paired with a filter u is T(x, u, g). */
export const conv2dFilterGradRule: VjpRule<FilterGradAttrs> = (u, [x, g], { kernel: _, ...window }) => [
  inputGrad(g!, u, x!, window),
  convolve(x!, u, window),
];
