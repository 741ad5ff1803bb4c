// Tensors as arrays of single-precision numbers, and back.
import { sizeOf } from '../../shape.ts';
import type { Data, Spec } from '../../tensor.ts';
import { numbersOf } from './source.ts';

/** The numbers of the array that holds a tensor. */
export const encode = (data: Data, spec: Spec): Float32Array => {
  const numbers = new Float32Array(numbersOf(spec));
  if (spec.dtype !== 'i32') {
    numbers.set(data);
    return numbers;
  }
  for (let i = 0; i < data.length; i++) {
    numbers[i] = data[i]! & 0xffff;
    numbers[data.length + i] = data[i]! >> 16;
  }
  return numbers;
};

/** The tensor that an array holds. */
export const decode = (numbers: Float32Array, { shape, dtype }: Spec): Data => {
  const size = sizeOf(shape);
  if (dtype === 'f32') return numbers.slice(0, size);
  if (dtype === 'bool') return Uint8Array.from(numbers.subarray(0, size));
  return Int32Array.from({ length: size }, (_, i) => numbers[size + i]! * 65536 + numbers[i]!);
};
