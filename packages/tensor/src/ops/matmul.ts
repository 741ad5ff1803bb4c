// The matrix product, batched, with either operand transposed.
import { describeInputs, ShapeError, sentence } from '../errors.ts';
import type { Primitive } from '../primitive.ts';
import { broadcastShapes, sizeOf } from '../shape.ts';
import type { Shape, Tensor } from '../tensor.ts';
import { apply, requireDType } from '../tensor.ts';
import { broadcastTo } from './movement.ts';
import { elementsOf } from './views.ts';

/** Attrs of matmul. */
export type MatmulAttrs = { readonly transposeA: boolean; readonly transposeB: boolean };

/** The sizes of a batched product C[b,m,n] = sum over k of A[b,m,k] B[b,k,n]. */
export interface MatmulExtents {
  readonly batch: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

/** The sizes of the product of two shapes of equal batch dimensions. */
export const matmulExtents = (a: Shape, b: Shape, attrs: MatmulAttrs): MatmulExtents => {
  const [rows, columns] = [a.at(-2)!, a.at(-1)!];
  return {
    batch: sizeOf(a.slice(0, -2)),
    m: attrs.transposeA ? columns : rows,
    k: attrs.transposeA ? rows : columns,
    n: attrs.transposeB ? b.at(-2)! : b.at(-1)!,
  };
};

/** The primitive of `matmul`. */
export const matmulOp: Primitive<MatmulAttrs> = {
  name: 'matmul',
  infer: ([a, b], attrs) => {
    requireDType('matmul', a!, ['f32'], 'a');
    requireDType('matmul', b!, ['f32'], 'b');
    const { m, n, k } = matmulExtents(a!.shape, b!.shape, attrs);
    const inner = attrs.transposeB ? b!.shape.at(-1) : b!.shape.at(-2);
    const batch = a!.shape.slice(0, -2);
    if (k !== inner || batch.join() !== b!.shape.slice(0, -2).join())
      throw new ShapeError(
        sentence({
          where: 'matmul',
          needs: `equal inner sizes (${k} and ${inner}) and batch dimensions`,
          got: describeInputs({ a: a!, b: b! }),
          advice: 'Transpose or reshape one of them.',
        }),
      );
    return { shape: [...batch, m, n], dtype: 'f32' };
  },
  reference: ([a, b], out, attrs) => {
    const { batch, m, n, k } = matmulExtents(a!.shape, b!.shape, attrs);
    const [left, right] = [elementsOf(a!), elementsOf(b!)];
    const [aRow, aColumn] = attrs.transposeA ? [1, m] : [k, 1];
    const [bRow, bColumn] = attrs.transposeB ? [1, k] : [n, 1];
    let o = 0;
    for (let c = 0; c < batch; c++)
      for (let i = 0; i < m; i++)
        for (let j = 0; j < n; j++) {
          let total = 0;
          for (let p = 0; p < k; p++)
            total += left[c * m * k + i * aRow + p * aColumn]! * right[c * k * n + p * bRow + j * bColumn]!;
          out.data[o++] = total;
        }
  },
};

/** Options of matmul. */
export interface MatmulOptions {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
}

/**
 * The matrix product over the last two dimensions; leading dimensions broadcast.
 *
 * Shapes   a f32[...,M,K] ([...,K,M] when transposed), b f32[...,K,N] ([...,N,K] when transposed) -> f32[...,M,N]
 * Throws   ShapeError when inner sizes or batch dimensions disagree
 */
export const matmul = (a: Tensor, b: Tensor, options: MatmulOptions = {}): Tensor => {
  const attrs = { transposeA: options.transposeA ?? false, transposeB: options.transposeB ?? false };
  if (a.shape.length < 2 || b.shape.length < 2)
    throw new ShapeError(
      sentence({
        where: 'matmul',
        needs: 'inputs of rank 2 or more',
        got: describeInputs({ a, b }),
        advice: 'Reshape vectors to one row or column.',
      }),
    );
  const batch = broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2));
  if (batch === undefined) return apply(matmulOp, [a, b], attrs);
  return apply(
    matmulOp,
    [broadcastTo(a, [...batch, ...a.shape.slice(-2)]), broadcastTo(b, [...batch, ...b.shape.slice(-2)])],
    attrs,
  );
};
