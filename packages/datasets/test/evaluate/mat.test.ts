// MATLAB files: the lists in those of SciPy, big-endian ones and odd types, and damaged ones of every kind.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatasetError, readWiderFaceMats } from '@autoassign/datasets';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readMat } from '../../src/evaluate/widerFace/mat.ts';

const fixture = (name: string): Uint8Array =>
  readFileSync(join(import.meta.dirname, '../fixtures/eval', `${name}_val.mat`));

/** One array in a file of either byte order: class, dimensions, and the element that holds its data. */
const matOf = (
  isLittle: boolean,
  kind: number,
  shape: readonly number[],
  type: number,
  data: Uint8Array,
): Uint8Array => {
  const element = (elementType: number, bytes: Uint8Array): number[] => [
    ...wordOf(elementType, isLittle),
    ...wordOf(bytes.length, isLittle),
    ...bytes,
    ...new Array<number>((8 - (bytes.length % 8)) % 8).fill(0),
  ];
  const content = [
    ...element(6, Uint8Array.from([...wordOf(kind, isLittle), 0, 0, 0, 0])),
    ...element(5, Uint8Array.from(shape.flatMap((length) => wordOf(length, isLittle)))),
    ...element(1, new TextEncoder().encode('x')),
    ...element(type, data),
  ];
  const head = [...new Array<number>(124).fill(32), ...(isLittle ? [0, 1, 0x49, 0x4d] : [1, 0, 0x4d, 0x49])];
  return Uint8Array.from([...head, ...element(14, Uint8Array.from(content))]);
};

const wordOf = (value: number, isLittle: boolean): number[] => {
  const bytes = new DataView(new ArrayBuffer(4));
  bytes.setUint32(0, value, isLittle);
  return [...new Uint8Array(bytes.buffer)];
};

describe('readMat', () => {
  test.each([true, false])('reads numbers and text in either byte order (little: %s)', async (isLittle) => {
    const shorts = new DataView(new ArrayBuffer(4));
    shorts.setInt16(0, -3, isLittle);
    shorts.setInt16(2, 500, isLittle);
    const numbers = await readMat(matOf(isLittle, 6, [1, 2], 3, new Uint8Array(shorts.buffer)), 'a.mat');
    expect(numbers.get('x')).toEqual({ kind: 'numbers', shape: [1, 2], data: Float64Array.of(-3, 500) });
    const text = await readMat(matOf(isLittle, 4, [1, 3], 16, new TextEncoder().encode('abc')), 'a.mat');
    expect(text.get('x')).toEqual({ kind: 'text', text: 'abc' });
  });

  test('passes over what it does not know', async () => {
    expect((await readMat(matOf(true, 2, [1, 1], 1, new Uint8Array(8)), 'a.mat')).get('x')).toEqual({
      kind: 'other',
    });
  });

  test.each([
    [new Uint8Array(10), /a\.mat\): needs a MATLAB file of version 5, got another header at byte 0/],
    [new Uint8Array(200), /another header/],
    [matOf(true, 6, [1, 3], 2, new Uint8Array(2)), /needs 3 numbers, got 2 at byte/],
    [matOf(true, 6, [2 ** 31 - 1, 2 ** 31 - 1], 2, new Uint8Array(2)), /dimensions that fit the data/],
    [matOf(true, 1, [1, 1], 2, new Uint8Array(8)), /needs a cell, got type 2/],
    [matOf(true, 6, [1, 1], 99, new Uint8Array(8)), /needs numbers, got type 99/],
  ])('refuses file %#', async (bytes, message) => {
    await expect(readMat(bytes, 'a.mat')).rejects.toThrow(message);
  });
});

describe('readWiderFaceMats', () => {
  const faces = fixture('wider_logits_face');
  const easy = fixture('wider_logits_easy');

  test.each(['wider_logits', 'wider_probabilities'])('reads %s, compressed or not', async (name) => {
    const settings = { easy: fixture(`${name}_easy`), hard: fixture(`${name}_hard`) };
    const truth = await readWiderFaceMats({ faces: fixture(`${name}_face`), settings });
    expect([...new Set(truth.images.map(({ event }) => event))]).toEqual([
      '0--Parade',
      '11--Meeting',
      '61--Street_Battle',
    ]);
    for (const { name: image, event, faces: boxes, counted } of truth.images) {
      expect(image).toMatch(new RegExp(`^${event.replace('--', '_')}_\\d+_\\d$`));
      // The lists of these files were made from the heights.
      const taller = (least: number): number[] => [...boxes.keys()].filter((i) => boxes[i]![3] >= least);
      expect(counted).toEqual({ easy: taller(70), hard: taller(12) });
    }
  });

  test('says what does not fit', async () => {
    await expect(readWiderFaceMats({ faces: easy, settings: {} })).rejects.toThrow(
      /readWiderFaceMats\(faces\): needs a cell array as event_list/,
    );
    await expect(readWiderFaceMats({ faces, settings: { easy: faces } })).rejects.toThrow(
      /readWiderFaceMats\(easy\): needs a cell array as gt_list/,
    );
  });

  test.each(['wider_logits_face', 'wider_probabilities_face'])(
    'flipped and missing bytes of %s give lists or an error that names the file',
    async (name) => {
      const whole = fixture(name);
      const anyDamage = fc.tuple(
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 3 }),
        fc.oneof(fc.constant(whole.length), fc.nat(whole.length)),
      );
      await fc.assert(
        fc.asyncProperty(anyDamage, async ([flips, length]) => {
          const bytes = Uint8Array.from(whole);
          for (const [place, value] of flips) bytes[place] = value;
          try {
            await readWiderFaceMats({ faces: bytes.subarray(0, length), settings: { easy } });
          } catch (error) {
            expect(error).toBeInstanceOf(DatasetError);
            expect((error as DatasetError).file).toMatch(/^(faces|easy)$/);
          }
        }),
        { seed: 61, numRuns: 150 },
      );
    },
  );
});
