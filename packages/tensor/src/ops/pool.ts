// Where the maximum of every pooling window lies. Max pooling gathers there, so its gradients of any order come for free.
import { describeInputs, ShapeError, sentence } from '../errors.ts';
import type { Primitive } from '../primitive.ts';
import { windowCount } from '../shape.ts';
import { requireDType } from '../tensor.ts';
import { elementsOf } from './views.ts';

/** Attrs of pooling. Positions outside the image never win. */
export type PoolAttrs = {
  readonly window: readonly [number, number];
  readonly stride: readonly [number, number];
  /** Top, left, bottom, right. */
  readonly padding: readonly [number, number, number, number];
};

/** The primitive of `maxPool2d`. */
export const poolArgMax2dOp: Primitive<PoolAttrs> = {
  name: 'poolArgMax2d',
  infer: ([x], { window, stride, padding }) => {
    requireDType('maxPool2d', x!, ['f32']);
    const [top, left, bottom, right] = padding;
    const tooWide = Math.max(top, bottom) >= window[0] || Math.max(left, right) >= window[1];
    if (x!.shape.length !== 4 || tooWide)
      throw new ShapeError(
        sentence({
          where: 'maxPool2d',
          needs: `x [N,C,H,W] and padding smaller than the window [${window}]`,
          got: `${describeInputs({ x: x! })}, padding [${padding}]`,
          advice: 'Check window and padding.',
        }),
      );
    const [n, c, h, w] = x!.shape as [number, number, number, number];
    const rows = windowCount(h, window[0], stride[0], top + bottom);
    const columns = windowCount(w, window[1], stride[1], left + right);
    return { shape: [n, c, rows, columns], dtype: 'i32' };
  },
  reference: ([x], out, { window, stride, padding }) => {
    const [planes, height, width] = [x!.shape[0]! * x!.shape[1]!, x!.shape[2]!, x!.shape[3]!];
    const from = elementsOf(x!);
    let o = 0;
    for (let p = 0; p < planes; p++)
      for (let oy = 0; oy < out.shape[2]!; oy++)
        for (let ox = 0; ox < out.shape[3]!; ox++) {
          const top = oy * stride[0] - padding[0];
          const left = ox * stride[1] - padding[1];
          let best = Math.max(top, 0) * width + Math.max(left, 0);
          for (let y = Math.max(top, 0); y < Math.min(top + window[0], height); y++)
            for (let i = Math.max(left, 0); i < Math.min(left + window[1], width); i++) {
              const candidate = y * width + i;
              const plane = p * height * width;
              if (from[plane + candidate]! > from[plane + best]!) best = candidate;
            }
          out.data[o++] = best;
        }
  },
};
