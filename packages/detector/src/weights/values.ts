// Stored arrays as numbers: half-width floats widened, integers refused where parameters are wanted.
import { sentence } from '@autoassign/tensor';
import { WeightsError } from '../errors.ts';
import type { StoredTensor } from './safetensors.ts';

/** The value of the bits of a half-precision float (IEEE 754 binary16). */
const halfValue = (bits: number): number => {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
};

/**
 * The elements of a stored floating-point array: F64 as Float64Array, all others as Float32Array, exactly.
 *
 * Throws   WeightsError for integers, naming the array
 */
export const floatsOf = (name: string, { dtype, data }: StoredTensor): Float32Array | Float64Array => {
  if (data instanceof Float32Array || data instanceof Float64Array) return data;
  if (dtype === 'F16') return Float32Array.from(data as Uint16Array, halfValue);
  // the upper half of a single-precision float
  if (dtype === 'BF16')
    return new Float32Array(Uint32Array.from(data as Uint16Array, (bits) => bits << 16).buffer);
  throw new WeightsError(
    sentence({
      where: 'loadWeights',
      label: name,
      needs: 'floating-point values',
      got: dtype,
      advice: 'Convert the array before it is stored.',
    }),
  );
};
