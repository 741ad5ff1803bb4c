// Files that are damaged, or made to harm: each is one sentence that says what is wrong, and nothing in it is ever executed.
import { describe, expect, it } from 'vitest';
import { WeightsError } from '../../../src/errors.ts';
import type { ByteSource } from '../../../src/weights/byteSource.ts';
import { readTorch } from '../../../src/weights/torch/readTorch.ts';
import { stateDictOf } from '../../../src/weights/torch/stateDict.ts';
import type { TorchTensor } from '../../../src/weights/torch/values.ts';
import { zipArchive } from '../../../src/weights/torch/zipArchive.ts';
import {
  dictionary,
  floats,
  legacyOf,
  pickleOf,
  storage,
  tensorIn,
  text,
  tuple,
  withEntry,
  zipOf,
} from './pickles.ts';
import { expectRefusal, readAll } from './refusals.ts';

const bytesOf = (value: string): Uint8Array => new TextEncoder().encode(value);
const one = zipOf(dictionary([text('w'), tensorIn(4, 0, [2, 2], [2, 1])]), { 0: floats(1, 2, 3, 4) });
const legacy = legacyOf(dictionary([text('w'), tensorIn(4, 0, [2, 2], [2, 1])]), [
  ['0', 4, floats(1, 2, 3, 4)],
]);

it('reads the honest files that the others are made of', async () => {
  expect(await readAll(one)).toEqual([[1, 2, 3, 4]]);
  expect(await readAll(legacy)).toEqual([[1, 2, 3, 4]]);
});

describe('other formats', () => {
  it.each<[string, Uint8Array, string]>([
    ['nothing', new Uint8Array(0), 'an empty file'],
    ['a byte', Uint8Array.of(0x50), 'begins with the bytes 50'],
    ['a gzip archive', Uint8Array.of(0x1f, 0x8b, 8, 0), 'a gzip archive'],
    ['a web page', bytesOf('<!DOCTYPE html>'), 'a web page'],
    ['a pointer', bytesOf('version https://git-lfs.github.com/spec/v1'), 'a pointer of Git LFS'],
    ['a pickle alone', pickleOf(text('x')), 'a pickle that torch.save did not write'],
    [
      'an archive of other things',
      zipArchive([{ name: 'a/x', bytes: floats(1) }]),
      "needs one member 'data.pkl'",
    ],
    [
      'a TorchScript program',
      zipOf([0x7d], {}, { 'constants.pkl': pickleOf([0x29]) }),
      'a TorchScript program',
    ],
  ])('%s', async (_, bytes, message) => {
    await expectRefusal(bytes, message);
  });
});

describe('cut off', () => {
  it.each([
    ['zip', one],
    ['legacy', legacy],
  ])('%s at any byte', async (_, whole) => {
    for (let size = 0; size < whole.length; size++)
      await expect(readAll(whole.slice(0, size)), `at ${size}`).rejects.toThrow(WeightsError);
  });

  it('by a source that gives less than it said', async () => {
    const short = (from: number): ByteSource => ({
      size: one.length,
      read: async (start, end) => one.subarray(start, start <= from && end > from ? from : end),
    });
    const readShort = async (from: number): Promise<unknown> => {
      const file = await readTorch(short(from));
      return Promise.all([...stateDictOf(file).tensors.values()].map(file.arrayOf));
    };
    // bytes of the filling are missed by nobody
    const outcomes = await Promise.allSettled(
      Array.from({ length: one.length }, (_, from) => readShort(from)),
    );
    const failures = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
    expect(failures.length).toBeGreaterThan(one.length / 2);
    for (const failure of failures) expect(failure).toBeInstanceOf(WeightsError);
  });
});

describe('archives', () => {
  const entries = { flags: 8, method: 10, crc: 16, compressed: 20, size: 24, header: 42 };
  const end = (place: number, value: number): Uint8Array => {
    const changed = one.slice();
    new DataView(changed.buffer).setUint32(changed.length - 22 + place, value, true);
    return changed;
  };
  const withCount = (count: number): Uint8Array => {
    const changed = one.slice();
    new DataView(changed.buffer).setUint16(changed.length - 22 + 10, count, true);
    return changed;
  };
  const flipped = (archive: Uint8Array, at: number): Uint8Array =>
    archive.slice().fill(archive[at]! ^ 1, at, at + 1);
  const secondHeader = [...one.keys()].findLast(
    (i) => one[i] === 0x50 && one[i + 2] === 3 && one[i + 3] === 4,
  )!;
  const dataAt = new DataView(one.buffer).getUint32(one.length - 22 + 16, true) - 16;
  it.each<[string, Uint8Array, string]>([
    [
      'compressed',
      withEntry(one, 1, { [entries.method]: 8 }),
      "'a/data/0' stored without compression, got method 8 (deflate)",
    ],
    ['bombs', withEntry(one, 1, { [entries.method]: 8, [entries.size]: 0xfffffffe }), 'without compression'],
    [
      'that grow',
      withEntry(one, 1, { [entries.size]: 0xfffffffe }),
      'of one size, got 16 bytes that become 4294967294',
    ],
    ['encrypted', withEntry(one, 1, { [entries.flags]: 1 }), 'without encryption'],
    ['overlapping', withEntry(one, 1, { [entries.header]: 1 }), "needs 'a/data.pkl' to end before byte 1"],
    ['on top of each other', withEntry(one, 1, { [entries.header]: 0 }), 'to end before byte 0'],
    [
      'reaching into the directory',
      withEntry(one, 1, { [entries.size]: 400, [entries.compressed]: 400 }),
      "needs 'a/data/0' to end before byte",
    ],
    ['reaching beyond the file', withEntry(one, 1, { [entries.header]: 0x7fffffff }), 'to end before byte'],
    ['with damaged numbers', flipped(one, dataAt), "'a/data/0' with the checksum"],
    ['with a damaged pickle', flipped(one, 66), "'a/data.pkl' with the checksum"],
    ['with a directory elsewhere', end(16, 3), 'members in the directory, got 0'],
    ['with a directory beyond the end', end(16, 0x7fffffff), 'a directory before its end'],
    ['with too large a directory', end(12, 0x7fffffff), 'a directory before its end'],
    ['with more members than there are', withCount(9), 'needs 9 members in the directory, got 2'],
    [
      'without the header of a member',
      one.slice().fill(0, secondHeader, secondHeader + 4),
      "the header of 'a/data/0'",
    ],
  ])('%s', async (_, bytes, message) => {
    await expectRefusal(bytes, message);
  });

  it('with members of one name', async () => {
    const twice = zipOf([0x7d], { 0: floats(1), 1: floats(1) });
    const bytes = Uint8Array.from([...twice]);
    const places = [...bytes.keys()].filter((i) => bytes[i] === 0x31 && bytes[i - 1] === 0x2f);
    for (const place of places) bytes[place] = 0x30;
    await expectRefusal(bytes, 'members of different names');
  });

  it('without checksums are read, as PyTorch can be told to write none', async () => {
    expect(await readAll(withEntry(one, 1, { [entries.crc]: 0 }))).toEqual([[1, 2, 3, 4]]);
  });

  it.each(['middle', 'x'.repeat(200)])('with byte order %s', async (order) => {
    await expectRefusal(
      zipOf([0x7d], {}, { byteorder: bytesOf(order) }),
      order.length > 100 ? 'a short text' : "got 'middle'",
    );
  });
});

describe('storages', () => {
  const inZip = (code: Parameters<typeof zipOf>[0], bytes = floats(1, 2, 3, 4)): Uint8Array =>
    zipOf(dictionary([text('w'), code]), { 0: bytes });
  it.each<[string, Uint8Array, string]>([
    [
      'not there',
      zipOf(dictionary([text('w'), tensorIn(4, 0, [4], [1])])),
      "16 bytes in 'a/data/0', got none",
    ],
    ['too short', inZip(tensorIn(5, 0, [4], [1])), "20 bytes in 'a/data/0', got 16 bytes"],
    ['too long', inZip(tensorIn(3, 0, [3], [1])), "12 bytes in 'a/data/0', got 16 bytes"],
    ['longer than all memory', inZip(tensorIn(2 ** 52, 0, [4], [1])), 'got 16 bytes'],
    ['of a negative size', inZip(tensorIn(-4, 0, [4], [1])), 'the persistent id of a storage'],
    [
      'of an unknown type',
      inZip(storage('0', 4, 'QUInt8Storage')),
      "the Python object 'torch.QUInt8Storage'",
    ],
    ['of two types', inZip(tuple(storage('0', 4), storage('0', 4, 'IntStorage'))), 'F32[4] and I32[4]'],
    ['with another id', inZip([...text('0'), 0x51]), 'a persistent id that is a tuple'],
    ['outside their folder', zipOf(dictionary([text('w'), tensorIn(4, 0, [4], [1], '../x')])), 'got none'],
  ])('%s', async (_, bytes, message) => {
    await expectRefusal(bytes, message);
  });

  const inLegacy = (count: number, storages: Parameters<typeof legacyOf>[1]): Uint8Array =>
    legacyOf(dictionary([text('w'), tensorIn(count, 0, [2], [1])]), storages);
  it.each<[string, Uint8Array, string]>([
    ['not there', inLegacy(4, []), "the storage '0', got none"],
    [
      'too many',
      inLegacy(4, [
        ['0', 4, floats(1, 2, 3, 4)],
        ['1', 1, floats(1)],
      ]),
      "each once, got '1'",
    ],
    [
      'twice',
      inLegacy(4, [
        ['0', 4, floats(1, 2, 3, 4)],
        ['0', 4, floats(1, 2, 3, 4)],
      ]),
      "each once, got '0'",
    ],
    ['of another size', inLegacy(4, [['0', 3, floats(1, 2, 3, 4)]]), "4 elements in the storage '0', got 3"],
    ['of a negative size', inLegacy(4, [['0', -1, floats(1, 2, 3, 4)]]), 'got 18446744073709551615'],
    ['too short', inLegacy(5, [['0', 5, floats(1, 2, 3, 4)]]), "bytes for the storage '0'"],
    ['with something behind', inLegacy(4, [['0', 4, floats(1, 2, 3, 4, 5)]]), 'needs a file of'],
    ['in pickles without any', legacyOf(dictionary([text('w'), [0x4e]]), []).slice(), 'with tensors'],
  ])('legacy: %s', async (_, bytes, message) => {
    await expectRefusal(bytes, message);
  });
});

describe('tensors', () => {
  const withTensor = (offset: number, shape: readonly number[], stride: readonly number[]): Uint8Array =>
    zipOf(dictionary([text('w'), tensorIn(4, offset, shape, stride)]), { 0: floats(1, 2, 3, 4) });
  it.each<[string, Uint8Array, string]>([
    [
      'with a negative stride',
      withTensor(3, [4], [-1]),
      'strides of at most 64 non-negative integers, got [-1]',
    ],
    ['with a negative size', withTensor(0, [-4], [1]), 'a shape of at most 64'],
    ['with a negative offset', withTensor(-1, [1], [1]), 'a non-negative offset of a tensor, got -1'],
    ['with a fraction', withTensor(0, [1.5], [1]), 'got [1.5]'],
    [
      'beyond its storage',
      withTensor(1, [2, 2], [2, 1]),
      "within its storage '0' of 4 elements, got offset 1",
    ],
    ['far beyond it', withTensor(0, [2], [2 ** 52]), 'strides [4503599627370496]'],
    ['beyond all numbers', withTensor(0, [2 ** 52, 2 ** 52], [2 ** 52, 2 ** 52]), 'within its storage'],
    ['empty, but beyond it', withTensor(5, [0], [1]), 'within its storage'],
    ['with too few strides', withTensor(0, [2, 2], [1]), '2 strides for the shape [2,2], got 1'],
    ['of 65 dimensions', withTensor(0, Array<number>(65).fill(1), Array<number>(65).fill(1)), 'at most 64'],
    ['far larger than the file', withTensor(0, [2 ** 40], [0]), 'for a file of this size, got 4398046511104'],
    ['larger than all numbers', withTensor(0, [2 ** 50, 2 ** 50], [0, 0]), 'for a file of this size'],
  ])('%s', async (_, bytes, message) => {
    await expectRefusal(bytes, message);
  });

  it('that are many and together far larger than the file', async () => {
    const entries = Array.from(
      { length: 100 },
      (_, i) => [text(`w${i}`), tensorIn(4, 0, [2 ** 20], [0])] as const,
    );
    await expectRefusal(zipOf(dictionary(...entries), { 0: floats(1, 2, 3, 4) }), 'tensors of at most');
  });

  it('alone are measured too', async () => {
    const file = await readTorch(withTensor(0, [2 ** 40], [0]));
    const tensor = (file.value as Map<string, TorchTensor>).get('w')!;
    await expect(file.arrayOf(tensor)).rejects.toThrow('needs a tensor of at most');
  });

  it.each<[string, readonly number[], readonly number[], number, readonly number[]]>([
    ['transposed', [2, 2], [1, 2], 0, [1, 3, 2, 4]],
    ['every second', [2], [2], 1, [2, 4]],
    ['expanded', [3, 2], [0, 1], 2, [3, 4, 3, 4, 3, 4]],
    ['expanded inside', [2, 3], [1, 0], 0, [1, 1, 1, 2, 2, 2]],
    ['0-dimensional', [], [], 3, [4]],
    ['of size 1 with any stride', [1, 2], [99, 1], 1, [2, 3]],
    ['empty', [2, 0], [1, 1], 4, []],
    ['overlapping windows', [2, 2, 2], [1, 1, 1], 0, [1, 2, 2, 3, 2, 3, 3, 4]],
  ])('%s are read as they are seen', async (_, shape, stride, offset, values) => {
    expect(await readAll(withTensor(offset, shape, stride))).toEqual([values]);
  });
});
