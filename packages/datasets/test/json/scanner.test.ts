// The scanner of JSON files against JSON.parse: the same entries from valid files, errors with their place from all others,
// and no difference by where a file is cut into pieces.
import { DatasetError } from '@autoassign/datasets';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { largestEntry } from '../../src/json/reading.ts';
import { jsonScanner } from '../../src/json/scanner.ts';

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const names = ['images', 'annotations'];

/** What came of a file: its entries, or its error. */
type Outcome =
  | { readonly entries: unknown[][] }
  | { readonly error: string; readonly field: string | undefined };

const read = (pieces: readonly Uint8Array[]): Outcome => {
  const entries: unknown[][] = names.map(() => []);
  const scanner = jsonScanner({
    label: 'read',
    file: 'x.json',
    names,
    entry: (section, index, { bytes, start, end, isObject, members, memberCount }) => {
      const text = (from: number, to: number): string => new TextDecoder().decode(bytes.subarray(from, to));
      const whole = text(start, end);
      expect(index).toBe(entries[section]!.length);
      expect(isObject).toBe(whole.startsWith('{'));
      if (!isObject) {
        entries[section]!.push(JSON.parse(whole));
        return;
      }
      const found: [string, unknown][] = [];
      for (let i = 0; i < 3 * memberCount; i += 3)
        found.push([
          JSON.parse(text(members[i]!, members[i + 1]!)) as string,
          JSON.parse(text(members[i + 1]! + 1, members[i + 2]!)),
        ]);
      entries[section]!.push(Object.fromEntries(found));
    },
  });
  try {
    for (const piece of pieces) scanner.push(piece);
    scanner.finish();
    return { entries };
  } catch (error) {
    if (!(error instanceof DatasetError)) throw error;
    return { error: error.message, field: error.field };
  }
};

/** Bytes cut at the given places. */
const cut = (bytes: Uint8Array, places: readonly number[]): Uint8Array[] => {
  const ends = [...places.map((place) => Math.floor(place * bytes.length)), bytes.length].sort(
    (a, b) => a - b,
  );
  return ends.map((end, i) => bytes.slice(i === 0 ? 0 : ends[i - 1], end));
};
const anyCuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 });

/** Files with both arrays in any order among other members, spelled with blanks of several kinds. */
const anyFile = fc
  .record({
    images: fc.array(fc.oneof(fc.dictionary(fc.string(), fc.jsonValue()), fc.jsonValue()), { maxLength: 5 }),
    annotations: fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { maxLength: 5 }),
    others: fc.dictionary(
      fc.string().filter((name) => !names.includes(name)),
      fc.jsonValue(),
      { maxKeys: 3 },
    ),
    seed: fc.infiniteStream(fc.nat()),
    indent: fc.constantFrom('', ' ', '\t'),
    lineEnd: fc.constantFrom('\n', '\r\n'),
    mark: fc.boolean(),
  })
  .map(({ images, annotations, others, seed, indent, lineEnd, mark }) => {
    const members = Object.entries({ ...others, images, annotations }).map((member) => ({
      member,
      order: seed.next().value!,
    }));
    members.sort((a, b) => a.order - b.order);
    const value = Object.fromEntries(members.map(({ member }) => member));
    const text = JSON.stringify(value, null, indent).replaceAll('\n', lineEnd);
    return { text: `${mark ? '\uFEFF' : ''}${text}`, value: JSON.parse(text) as Record<string, unknown[]> };
  });

describe('valid files', () => {
  test('entries are those of JSON.parse, wherever the file is cut', () => {
    fc.assert(
      fc.property(anyFile, anyCuts, ({ text, value }, cuts) => {
        const outcome = { entries: names.map((name) => value[name]) };
        const bytes = encode(text);
        expect(read(cut(bytes, cuts))).toEqual(outcome);
        expect(read(Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual(outcome);
      }),
      { numRuns: 60 },
    );
  });
});

/** The first byte at which the text cannot be the beginning of JSON any more, by trying what may follow. */
const canGoOn = (text: string): boolean => {
  if (!/^\s*(\{|$)/.test(text)) return false;
  // brackets that are open, and whether the end is inside a text
  const open: string[] = [];
  const outside = text.replace(/"(?:[^"\\]|\\.)*"/gs, '');
  const inText = outside.includes('"');
  for (const letter of outside.replace(/".*/s, '')) {
    if ('[{'.includes(letter)) open.push(letter === '[' ? ']' : '}');
    else if (']}'.includes(letter)) open.pop();
  }
  const closing = open.reverse().join('');
  const bridges = inText
    ? ['"', '":0', 'n"', 'n":0', '0"', '0":0', '00"', '00":0', '000"', '000":0', '0000"', '0000":0', '"":0']
    : ['', '0', ':0', '"":0', '.0', '+0', 'rue', 'ue', 'e', 'alse', 'lse', 'se', 'ull', 'll', 'l'];
  return bridges.some((bridge) => {
    try {
      JSON.parse(text + bridge + closing);
      return true;
    } catch {
      return false;
    }
  });
};

describe('damaged files', () => {
  const whole =
    '{"info": {"a": [true, false, null]},\n "images": [{"id": -1.5e+2, "n": "a\\u00e9\\n"}, {"id": 2}],\n "annotations": [{"bbox": [1, 2.25, 0, 1e5]}]}\n';

  test('cut off at every byte: the error is at the end', () => {
    for (let length = 0; length < whole.length - 2; length++) {
      const outcome = read([encode(whole.slice(0, length))]);
      const line = whole.slice(0, length).split('\n').length;
      expect(outcome, `${length} bytes`).toMatchObject({
        error: expect.stringContaining(`at line ${line}, byte ${length}`),
      });
    }
  });

  test('changed at every byte: JSON.parse agrees on whether it is JSON, and the error is at the first byte that cannot stand there', () => {
    const changes = '"\\},0e\u0001x';
    for (let at = 0; at < whole.length; at++)
      for (const change of changes) {
        const text = whole.slice(0, at) + change + whole.slice(at + 1);
        const outcome = read([encode(text)]);
        const isValid = isJson(text);
        const byte = 'error' in outcome ? Number(/, byte (\d+)/.exec(outcome.error)?.[1]) : undefined;
        if (byte === undefined) {
          // a name that was changed may hide an array; then the file lacks one
          expect(isValid, text).toBe(
            'entries' in outcome || /to be an array, got nothing/.test(outcome.error),
          );
          continue;
        }
        if (/needs (images|annotations) /.test((outcome as { error: string }).error)) continue;
        expect(isValid, text).toBe(false);
        expect(canGoOn(text.slice(0, byte)), `${text} before ${byte}`).toBe(true);
        if (byte < text.length) expect(canGoOn(text.slice(0, byte + 1)), `${text} at ${byte}`).toBe(false);
      }
  });

  test('errors are the same wherever the file is cut', () => {
    fc.assert(
      fc.property(
        anyFile,
        fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat({ max: 255 })), {
          minLength: 1,
          maxLength: 3,
        }),
        anyCuts,
        ({ text }, changes, cuts) => {
          const bytes = encode(text);
          for (const [place, byte] of changes) bytes[Math.floor(place * (bytes.length - 1))] = byte;
          const outcome = readRaw([bytes]);
          expect(readRaw(cut(bytes, cuts))).toEqual(outcome);
          expect(readRaw(Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual(outcome);
        },
      ),
      { numRuns: 80 },
    );
  });
});

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return text.startsWith('{');
  } catch {
    return false;
  }
};

/** As `read`, for files that need not be UTF-8: entries as their bytes. */
const readRaw = (pieces: readonly Uint8Array[]): string => {
  const entries: string[] = [];
  const scanner = jsonScanner({
    label: 'read',
    file: 'x.json',
    names,
    entry: (section, index, { bytes, start, end }) => {
      entries.push(`${section}[${index}] ${bytes.subarray(start, end).join()}`);
    },
  });
  try {
    for (const piece of pieces) scanner.push(piece);
    scanner.finish();
    return entries.join('\n');
  } catch (error) {
    if (!(error instanceof DatasetError)) throw error;
    return `${error.message} (${error.field})`;
  }
};

describe('files made to do harm', () => {
  const failure = (pieces: Iterable<Uint8Array>): string => {
    const scanner = jsonScanner({ label: 'read', file: 'x.json', names, entry: () => undefined });
    try {
      for (const piece of pieces) scanner.push(piece);
      scanner.finish();
    } catch (error) {
      if (error instanceof DatasetError) return error.message;
      throw error;
    }
    throw new Error('no error');
  };

  test('brackets in brackets', () => {
    const deep = encode(`{"images": [{"x": ${'['.repeat(1e6)}`);
    expect(failure([deep])).toMatch(
      /needs at most 4096 brackets inside each other, got one more at line 1, byte 4111, in images\[0\]\.x/,
    );
    expect(failure([encode(`{"x": ${'{"a":'.repeat(1e6)}`)])).toMatch(/at most 4096 brackets/);
  });

  test('an entry, or a key, without end is refused at the limit, in pieces of any size', () => {
    const piece = new Uint8Array(1 << 22).fill(0x20);
    const endless = function* (start: string): Generator<Uint8Array> {
      yield encode(start);
      for (;;) yield piece;
    };
    expect(failure(endless('{"images": [1,\n{"id": "'))).toContain(
      `needs images[1] of at most ${largestEntry} bytes, got more at line 2, byte ${largestEntry + 14}. Leave out`,
    );
    expect(failure(endless('{"'))).toMatch(/names of at most 67108864 bytes/);
  });

  test('what is no entry may be of any size, in little memory', () => {
    const scanner = jsonScanner({ label: 'read', file: 'x.json', names, entry: () => undefined });
    scanner.push(encode('{"other": "'));
    const piece = new Uint8Array(1 << 20).fill(0x61);
    for (let i = 0; i < 70; i++) scanner.push(piece);
    scanner.push(encode('", "images": [], "annotations": []}'));
    scanner.finish();
  });
});
