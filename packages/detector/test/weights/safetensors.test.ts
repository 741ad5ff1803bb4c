// Round trips of the safetensors container, and damaged files.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WeightsError } from '../../src/errors.ts';
import type { StoredDType } from '../../src/weights/safetensors.ts';
import { elementTypes, readSafetensors, writeSafetensors } from '../../src/weights/safetensors.ts';
import { bytesOf, storedArray } from './storedArrays.ts';

const stored = storedArray(Object.keys(elementTypes) as StoredDType[]);
const name = fc.string({ minLength: 1, unit: 'grapheme' }).filter((text) => text !== '__metadata__');

describe('round trip', () => {
  it('keeps every name, type, shape, byte and metadata entry', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(name, stored), { maxLength: 6 }),
        fc.dictionary(fc.string(), fc.string(), { maxKeys: 3 }),
        (entries, metadata) => {
          const tensors = Object.fromEntries(entries);
          const file = writeSafetensors(tensors, metadata);
          const found = readSafetensors(file);
          expect(new Set(Object.keys(found.tensors))).toEqual(new Set(Object.keys(tensors)));
          expect({ ...found.metadata }).toEqual({ ...metadata });
          for (const [key, expected] of Object.entries(tensors)) {
            const actual = found.tensors[key]!;
            expect([actual.dtype, actual.shape]).toEqual([expected.dtype, expected.shape]);
            expect(bytesOf(actual)).toEqual(bytesOf(expected));
          }
        },
      ),
      { seed: 1, numRuns: 200 },
    );
  });

  it('reads bytes that start anywhere in a larger buffer', () => {
    const file = writeSafetensors({ x: { dtype: 'F64', shape: [2], data: Float64Array.of(1, 2) } });
    const shifted = new Uint8Array(file.length + 3);
    shifted.set(file, 3);
    for (const bytes of [shifted.subarray(3), Buffer.from(shifted.buffer, 3)]) {
      const { data } = readSafetensors(bytes).tensors.x!;
      shifted.fill(0);
      expect(data).toEqual(Float64Array.of(1, 2));
      shifted.set(file, 3);
    }
  });

  it('aligns every array to its element size', () => {
    const file = writeSafetensors({
      a: { dtype: 'U8', shape: [3], data: Uint8Array.of(1, 2, 3) },
      b: { dtype: 'F64', shape: [1], data: Float64Array.of(4) },
    });
    const length = Number(new DataView(file.buffer).getBigUint64(0, true));
    expect((8 + length) % 8).toBe(0);
    const header = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + length)));
    expect(header.b.data_offsets).toEqual([0, 8]);
  });
});

/** A file with this header text and this many bytes of data. */
const fileOf = (header: string, dataLength: number): Uint8Array => {
  const text = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + text.length + dataLength);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
};
const entry = (dtype: string, sizes: unknown, offsets: unknown): object => ({
  dtype,
  shape: sizes,
  data_offsets: offsets,
});
const withEntries = (entries: object, dataLength: number): Uint8Array =>
  fileOf(JSON.stringify(entries), dataLength);
const hugeHeader = (): Uint8Array => {
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setBigUint64(0, 2n ** 63n, true);
  return bytes;
};

describe('damaged files', () => {
  const cases: [string, Uint8Array, string][] = [
    ['too short', new Uint8Array(7), 'at least 8 bytes, got 7 bytes'],
    ['header longer than the file', hugeHeader(), 'a header length of 9223372036854775808'],
    ['not JSON', fileOf('{"a": ', 0), 'a header of JSON'],
    ['not UTF-8', fileOf('{"a": 1}', 0).fill(0xff, 9, 10), 'a header of JSON in UTF-8'],
    ['an array', fileOf('[1]', 0), 'a JSON object, got [1]'],
    ['an entry that is no object', fileOf('{"a": 3}', 0), "an object for 'a', got 3"],
    ['an unknown type', withEntries({ a: entry('F8', [1], [0, 1]) }, 1), "'a' of dtype F64"],
    ['an inherited name as type', withEntries({ a: entry('toString', [1], [0, 1]) }, 1), 'got "toString"'],
    ['a negative size', withEntries({ a: entry('U8', [-1], [0, 1]) }, 1), 'non-negative integers'],
    ['a fractional size', withEntries({ a: entry('U8', [1.5], [0, 1]) }, 1), 'non-negative integers'],
    ['one offset', withEntries({ a: entry('U8', [1], [0]) }, 1), "two data offsets for 'a', got [0]"],
    ['reversed offsets', withEntries({ a: entry('U8', [1], [1, 0]) }, 1), 'offsets [1,0]'],
    ['bytes that do not fill the shape', withEntries({ a: entry('F32', [2], [0, 4]) }, 4), '8 bytes for'],
    [
      'a shape beyond all memory',
      withEntries({ a: entry('F64', [2 ** 50, 2 ** 50], [0, 8]) }, 8),
      'bytes for',
    ],
    ['data cut off', withEntries({ a: entry('U8', [4], [0, 4]) }, 3), '4 bytes of data, got 3 bytes'],
    ['data left over', withEntries({ a: entry('U8', [4], [0, 4]) }, 5), '4 bytes of data, got 5 bytes'],
    [
      'overlapping arrays',
      withEntries({ a: entry('U8', [4], [0, 4]), b: entry('U8', [4], [2, 6]) }, 6),
      "'b' to start at byte 4",
    ],
    [
      'a gap',
      withEntries({ a: entry('U8', [1], [0, 1]), b: entry('U8', [1], [2, 3]) }, 3),
      "'b' to start at byte 1",
    ],
    [
      'a repeated name',
      fileOf(
        '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}',
        2,
      ),
      "'a' to start at byte 0",
    ],
    ['metadata of numbers', fileOf('{"__metadata__":{"a":1}}', 0), 'metadata of strings'],
    ['metadata that is a list', fileOf('{"__metadata__":["a"]}', 0), 'metadata of strings'],
  ];
  it.each(cases)('%s', (_, bytes, message) => {
    expect(() => readSafetensors(bytes, 'file.safetensors')).toThrow(WeightsError);
    expect(() => readSafetensors(bytes, 'file.safetensors')).toThrow(message);
    expect(() => readSafetensors(bytes, 'file.safetensors')).toThrow(
      'readSafetensors(file.safetensors): needs',
    );
  });

  it('never fails in another way, whatever byte is changed', () => {
    const file = writeSafetensors(
      { a: { dtype: 'F32', shape: [2], data: Float32Array.of(1, 2) } },
      { step: '3' },
    );
    const change = fc.tuple(fc.nat(file.length - 1), fc.integer({ min: 0, max: 255 }));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), fc.nat(file.length), (changes, cut) => {
        const damagedFile = file.slice(0, cut === 0 ? file.length : cut);
        for (const [at, value] of changes) if (at < damagedFile.length) damagedFile[at] = value;
        try {
          readSafetensors(damagedFile);
        } catch (error) {
          expect(error).toBeInstanceOf(WeightsError);
        }
      }),
      { seed: 2, numRuns: 500 },
    );
  });
});

describe('writeSafetensors', () => {
  it('refuses data of another type or length, and the reserved name', () => {
    const data = new Float32Array(2);
    expect(() => writeSafetensors({ a: { dtype: 'F64', shape: [2], data } })).toThrow('in a Float64Array');
    expect(() => writeSafetensors({ a: { dtype: 'F32', shape: [3], data } })).toThrow('3 elements');
    expect(() => writeSafetensors({ __metadata__: { dtype: 'F32', shape: [2], data } })).toThrow('Rename');
  });
});
