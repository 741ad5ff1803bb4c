// What the containers allow beyond the usual: ZIP64, comments, byte orders, shared storages, windows of storages, other names of things.
import { describe, expect, it } from 'vitest';
import { sourceOfBytes } from '../../../src/weights/byteSource.ts';
import { readTorch } from '../../../src/weights/torch/readTorch.ts';
import { stateDictOf } from '../../../src/weights/torch/stateDict.ts';
import {
  type Code,
  call,
  dictionary,
  floats,
  global,
  legacyOf,
  number,
  storage,
  tensorIn,
  text,
  tuple,
  zipOf,
} from './pickles.ts';
import { expectRefusal, readAll } from './refusals.ts';

const value = dictionary([text('w'), tensorIn(4, 0, [2, 2], [1, 2])]);
const numbers = floats(1, 2, 3, 4);
const read = [[1, 3, 2, 4]];

/** The archive with all sizes and places in ZIP64 fields, as files beyond 4 GiB have them. */
const zip64Of = (archive: Uint8Array): Uint8Array => {
  const view = new DataView(archive.buffer);
  const end = archive.length - 22;
  const [count, from] = [view.getUint16(end + 10, true), view.getUint32(end + 16, true)];
  const parts: Uint8Array[] = [archive.subarray(0, from)];
  let at = from;
  for (let i = 0; i < count; i++) {
    const entry = archive.slice(at, at + 46 + view.getUint16(at + 28, true));
    const wide = new Uint8Array(28);
    const [fields, fixed] = [new DataView(wide.buffer), new DataView(entry.buffer)];
    fields.setUint16(0, 1, true);
    fields.setUint16(2, 24, true);
    for (const [j, place] of [24, 20, 42].entries()) {
      fields.setBigUint64(4 + 8 * j, BigInt(fixed.getUint32(place, true)), true);
      fixed.setUint32(place, 0xffffffff, true);
    }
    fixed.setUint16(30, wide.length, true);
    parts.push(entry, wide);
    at += entry.length;
  }
  const before = parts.reduce((sum, part) => sum + part.length, 0);
  const tail = new Uint8Array(56 + 20 + 22);
  const records = new DataView(tail.buffer);
  records.setUint32(0, 0x06064b50, true);
  records.setBigUint64(4, 44n, true);
  records.setBigUint64(24, BigInt(count), true);
  records.setBigUint64(32, BigInt(count), true);
  records.setBigUint64(40, BigInt(before - from), true);
  records.setBigUint64(48, BigInt(from), true);
  records.setUint32(56, 0x07064b50, true);
  records.setBigUint64(64, BigInt(before), true);
  records.setUint32(72, 1, true);
  records.setUint32(76, 0x06054b50, true);
  tail.fill(0xff, 84, 96);
  return Uint8Array.from([...parts, tail].flatMap((part) => [...part]));
};

describe('archives', () => {
  const archive = zipOf(value, { 0: numbers });

  it('may have ZIP64 fields', async () => {
    expect(await readAll(zip64Of(archive))).toEqual(read);
  });

  it('may not have ZIP64 records at places that are none', async () => {
    const wide = zip64Of(archive);
    for (const [place, message] of [
      [wide.length - 22 - 20 + 8, 'a ZIP64 record before its locator'],
      [wide.length - 22 - 20 - 56 + 48, 'a directory before its end'],
      [wide.length - 22 - 20 - 56 + 24 + 8, 'at most 100000 members'],
    ] as const)
      await expectRefusal(wide.slice().fill(0x7f, place, place + 6), message);
    await expectRefusal(wide.slice().fill(0, wide.length - 98, wide.length - 96), 'where its locator says');
  });

  it('may end with a comment, even one that looks like the end', async () => {
    for (const comment of [
      [0x61, 0x62],
      [0x50, 0x4b, 5, 6, ...Array<number>(30).fill(0)],
    ]) {
      const longer = Uint8Array.from([...archive, ...comment]);
      new DataView(longer.buffer).setUint16(archive.length - 2, comment.length, true);
      expect(await readAll(longer)).toEqual(read);
    }
  });

  it.each<[string, string, readonly number[]]>([
    ['DoubleStorage', '3ff8000000000000c000000000000000', [1.5, -2]],
    ['FloatStorage', '3fc00000c0000000', [1.5, -2]],
    ['LongStorage', '0000000000000102fffffffffffffffe', [258, -2]],
    ['IntStorage', '00000102fffffffe', [258, -2]],
    ['ShortStorage', '0102fffe', [258, -2]],
    ['CharStorage', '01fe', [1, -2]],
    ['HalfStorage', '3e00c000', [0x3e00, 0xc000]],
    ['BFloat16Storage', '3fc0c000', [0x3fc0, 0xc000]],
  ])('of big-endian machines are turned around: %s', async (type, bytes, found) => {
    const code = call(
      global('torch._utils', '_rebuild_tensor_v2'),
      tuple(storage('0', 2, type), number(0), tuple(number(2)), tuple(number(1)), [0x89], [0x4e]),
    );
    const file = (order: string): Uint8Array =>
      zipOf(
        dictionary([text('w'), code]),
        { 0: Uint8Array.from(Buffer.from(bytes, 'hex')) },
        { byteorder: new TextEncoder().encode(order) },
      );
    expect(await readAll(file('big'))).toEqual([found]);
    if (type !== 'CharStorage') expect(await readAll(file('little'))).not.toEqual([found]);
  });
});

describe('legacy files', () => {
  it('are little-endian whatever their head says, as PyTorch writes and reads them on every machine', async () => {
    const file = legacyOf(value, [['0', 4, numbers]]);
    const at = [...file.keys()].find(
      (i) => new TextDecoder().decode(file.subarray(i, i + 13)) === 'little_endian',
    )!;
    file[at + 13] = 0x89;
    expect(await readAll(file)).toEqual(read);
  });

  const windowed = (view: Code): Uint8Array =>
    legacyOf(
      dictionary([
        text('w'),
        call(
          global('torch._utils', '_rebuild_tensor'),
          tuple(storage('0', 4, 'FloatStorage', [view]), number(0), tuple(number(2)), tuple(number(1))),
        ),
      ]),
      [['0', 4, numbers]],
    );

  it('may have storages that are windows of others', async () => {
    expect(await readAll(windowed(tuple(text('view'), number(2), number(2))))).toEqual([[3, 4]]);
    expect(await readAll(windowed([0x4e]))).toEqual([[1, 2]]);
  });

  it('may not have windows beyond what they look at, or tensors beyond their window', async () => {
    await expectRefusal(
      windowed(tuple(text('view'), number(3), number(2))),
      "within the storage '0' of 4 elements",
    );
    await expectRefusal(windowed(tuple(text('view'), number(-1), number(2))), 'a window within');
    await expectRefusal(windowed(tuple(text('view'), number(3), number(1))), "its storage '0' of 1 elements");
  });

  it('of a pickle of megabytes are read in pieces', async () => {
    const long = dictionary([text('meta'), text('x'.repeat(1_100_000))], [text('model'), value]);
    const bytes = legacyOf(long, [['0', 4, numbers]]);
    const reads: number[] = [];
    const source = sourceOfBytes(bytes);
    const file = await readTorch({
      ...source,
      read: (from, to) => {
        reads.push(to - from);
        return source.read(from, to);
      },
    });
    expect(stateDictOf(file).place).toBe('model');
    expect(reads).toContain(2 ** 20);
    expect(reads.filter((length) => length > 2 ** 20)).toEqual([bytes.length]);
  });
});

describe('storages', () => {
  it('that several tensors share are read once', async () => {
    const two = dictionary([text('a'), tensorIn(4, 0, [2], [1])], [text('b'), tensorIn(4, 2, [2], [1])]);
    const file = await readTorch(zipOf(two, { 0: numbers }));
    const [a, b] = await Promise.all([...stateDictOf(file).tensors.values()].map(file.arrayOf));
    expect([a!.data, b!.data]).toEqual([Float32Array.of(1, 2), Float32Array.of(3, 4)]);
    expect(a!.data.buffer).toBe(b!.data.buffer);
  });

  it('do not change with the bytes that they came from', async () => {
    for (const bytes of [zipOf(value, { 0: numbers }), legacyOf(value, [['0', 4, numbers]])]) {
      const file = await readTorch(bytes);
      const [array] = await Promise.all([...stateDictOf(file).tensors.values()].map(file.arrayOf));
      bytes.fill(0);
      expect(array!.data).toEqual(Float32Array.of(1, 3, 2, 4));
    }
  });
});

describe('the state dictionary', () => {
  const at = (place: string): Code => dictionary([text('epoch'), number(3)], [text(place), value]);
  it.each(['state_dict', 'model', 'state_dict_ema'])('is found at %s', async (place) => {
    const file = await readTorch(zipOf(at(place), { 0: numbers }));
    expect(stateDictOf(file).place).toBe(place);
  });

  it('is the whole file where it stands in none of these, and elsewhere when that is said', async () => {
    const bare = await readTorch(zipOf(value, { 0: numbers }));
    expect(stateDictOf(bare)).toMatchObject({ place: undefined, plain: [] });
    const other = await readTorch(zipOf(at('ema_state_dict'), { 0: numbers }));
    expect(stateDictOf(other, { place: 'ema_state_dict' }).tensors.size).toBe(1);
    expect(() => stateDictOf(other)).toThrow('needs a state dictionary with tensors, got a dictionary of 2');
    expect(() => stateDictOf(other, { place: 'model' })).toThrow("The file has 'epoch', 'ema_state_dict'.");
  });

  it('prefers the weights to averages beside them, and names entries that are no tensors', async () => {
    const both = dictionary(
      [text('state_dict_ema'), value],
      [text('state_dict'), dictionary([text('_extra'), [0x4e]], [text('v'), tensorIn(4, 0, [4], [1])])],
    );
    const found = stateDictOf(await readTorch(zipOf(both, { 0: numbers })));
    expect([found.place, [...found.tensors.keys()], found.plain]).toEqual(['state_dict', ['v'], ['_extra']]);
  });

  it('has names that are texts', async () => {
    const file = await readTorch(zipOf(dictionary([number(1), tensorIn(4, 0, [4], [1])]), { 0: numbers }));
    expect(() => stateDictOf(file)).toThrow('needs names of tensors, got 1');
    expect(() => stateDictOf({ ...file, value: [] })).toThrow('needs a dictionary, got a list of 0');
  });
});
