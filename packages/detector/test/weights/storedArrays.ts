// Arbitrary stored arrays: any type, shape and bytes, so NaN payloads and negative zeros are among them.
import fc from 'fast-check';
import type { StoredDType, StoredTensor } from '../../src/weights/safetensors.ts';
import { elementTypes } from '../../src/weights/safetensors.ts';

/** The element types that PyTorch has classes of storages for. */
export const torchTypes: readonly StoredDType[] = [
  'F64',
  'F32',
  'F16',
  'BF16',
  'I64',
  'I32',
  'I16',
  'I8',
  'U8',
  'BOOL',
];

const shape = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 });

/** Arrays of one of the types. */
export const storedArray = (types: readonly StoredDType[]): fc.Arbitrary<StoredTensor> =>
  fc.tuple(fc.constantFrom(...types), shape).chain(([dtype, sizes]) => {
    const Kind = elementTypes[dtype];
    const length = sizes.reduce((product, n) => product * n, 1) * Kind.BYTES_PER_ELEMENT;
    return fc.uint8Array({ minLength: length, maxLength: length }).map((bytes) => ({
      dtype,
      shape: sizes,
      // a truth value is 0 or 1
      data: new Kind((dtype === 'BOOL' ? bytes.map((x) => x & 1) : bytes).slice().buffer),
    }));
  });

/** The bytes of an array's elements. */
export const bytesOf = ({ data }: StoredTensor): Uint8Array =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
