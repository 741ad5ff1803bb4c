// Tensors of one repeated value.
import { broadcastTo } from '../ops/movement.ts';
import type { DType, Shape, Tensor } from '../tensor.ts';
import { scalar } from '../tensor.ts';

/** A tensor with every element equal to `value`; stored as one number. */
export const full = (shape: Shape, value: number, dtype: DType = 'f32'): Tensor =>
  broadcastTo(scalar(value, dtype), shape);

/** A tensor of zeros. */
export const zeros = (shape: Shape, dtype: DType = 'f32'): Tensor => full(shape, 0, dtype);

/** A tensor of ones. */
export const ones = (shape: Shape, dtype: DType = 'f32'): Tensor => full(shape, 1, dtype);
