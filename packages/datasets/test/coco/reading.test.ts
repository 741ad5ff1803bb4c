// openCoco against a plain reader of a few lines on files drawn at random, whole and damaged, cut into pieces anywhere.
import {
  type Dataset,
  DatasetError,
  type FileSource,
  type ImageRecord,
  type OpenOptions,
  openCoco,
} from '@autoassign/datasets';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { validCoco } from '../samples.ts';

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A source with one annotation file, given in pieces, and every picture. */
const sourceOf = (pieces: readonly Uint8Array[]): FileSource => ({
  name: 'memory',
  read: async () => Uint8Array.from(pieces.flatMap((piece) => [...piece])),
  list: async (path) => (path === '' ? ['x.json', 'pictures'] : undefined),
  async *stream() {
    yield* pieces;
  },
});

const openPieces = (pieces: readonly Uint8Array[], options: OpenOptions = {}): Promise<Dataset> =>
  openCoco(sourceOf(pieces), { annotations: 'x.json', images: 'pictures', ...options });

const recordsOf = (dataset: Dataset): ImageRecord[] =>
  Array.from({ length: dataset.length }, (_, i) => dataset.record(i));

const cut = (bytes: Uint8Array, places: readonly number[]): Uint8Array[] => {
  const ends = [...places.map((place) => Math.floor(place * bytes.length)), bytes.length].sort(
    (a, b) => a - b,
  );
  return ends.map((end, i) => bytes.slice(i === 0 ? 0 : ends[i - 1], end));
};
const anyCuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 8 });

type Entry = Record<string, unknown>;

const id = fc.oneof(fc.nat({ max: 12 }), fc.constantFrom(2 ** 40, -3, 2 ** 53 - 1));
const flag = fc.constantFrom(undefined, null, 0, 1, true, false, 2, 'x');
const usually = <Value>(value: fc.Arbitrary<Value>, rarely: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.oneof({ arbitrary: value, weight: 12 }, { arbitrary: rarely, weight: 1 });
const anyWrong = fc.constantFrom(undefined, null, 1.5, 'seven', [], {}, true);
const side = fc.oneof(
  { arbitrary: fc.integer({ min: -400, max: 800 }).map((value) => value / 8), weight: 8 },
  { arbitrary: fc.constantFrom(null, 'NaN', 0, 1e300, -0), weight: 1 },
);

const anyImage: fc.Arbitrary<Entry> = fc.record({
  id: usually(id, anyWrong),
  file_name: usually(
    fc.constantFrom('a.jpg', 'ordner/ä.png', 'b c.jpg', 'x\\y.jpg', 'q".jpg', '..a', 'a..b/c'),
    fc.oneof(anyWrong, fc.constantFrom('', '../x', 'a/../b', '/etc/x', 'c:x', 'http://x', 'a\0')),
  ),
  width: usually(fc.integer({ min: 1, max: 100 }), fc.oneof(anyWrong, fc.constant(0))),
  height: usually(fc.integer({ min: 1, max: 100 }), fc.oneof(anyWrong, fc.constant(2 ** 31))),
  license: fc.jsonValue({ maxDepth: 1 }),
});

const anyAnnotation: fc.Arbitrary<Entry> = fc.record({
  id: usually(fc.integer({ min: 1, max: 60 }), anyWrong),
  image_id: usually(id, anyWrong),
  category_id: usually(fc.constantFrom(1, 7, 3), fc.oneof(anyWrong, fc.constant(2))),
  bbox: usually(
    fc.tuple(side, side, side, side),
    fc.oneof(anyWrong, fc.constantFrom([1, 2, 3], [1, 2, 3, 4, 5], [1, 2, [3], 4])),
  ),
  area: fc.constantFrom(undefined, null, 12.5, 0, 702.1057499999998, 'much'),
  iscrowd: flag,
  ignore: flag,
  difficult: flag,
  truncated: flag,
  attributes: fc.constantFrom(
    undefined,
    null,
    {},
    { occluded: true, pose: 'left "side"' },
    { a: [1], b: { c: 2 }, d: 1e2 },
    [1],
  ),
  segmentation: fc.jsonValue({ maxDepth: 3 }),
});

const anyFile = fc.record({
  images: fc.array(
    fc.oneof({ arbitrary: anyImage, weight: 20 }, { arbitrary: fc.jsonValue({ maxDepth: 1 }), weight: 1 }),
    { minLength: 1, maxLength: 9 },
  ),
  annotations: fc.array(
    fc.oneof(
      { arbitrary: anyAnnotation, weight: 20 },
      { arbitrary: fc.jsonValue({ maxDepth: 1 }), weight: 1 },
    ),
    { maxLength: 30 },
  ),
  order: fc.shuffledSubarray(['images', 'annotations', 'categories', 'info'], { minLength: 4 }),
  indent: fc.constantFrom('', ' '),
});

const categories = [
  { id: 7, name: 'sieben' },
  { id: 1, name: 'éins' },
  { id: 3, name: 'three' },
];

/** What a file must give, read in the plainest way. */
const plain = (images: unknown[], annotations: unknown[]) => {
  const kinds: string[] = [];
  const isObject = (value: unknown): value is Entry =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  const isId = (value: unknown): value is number => Number.isSafeInteger(value);
  const isSide = (value: unknown): boolean => isId(value) && value >= 1 && value < 2 ** 31;
  const isFlag = (value: unknown): boolean => [undefined, null, 0, 1, true, false].includes(value as null);
  const isUnsafe = (name: string): boolean =>
    /^[/\\]|^[a-z][a-z0-9+.-]*:|\0/i.test(name) || /(^|[/\\])\.\.([/\\]|$)/.test(name);
  // undefined for an image that is there but has to be left out
  const byId = new Map<number, Entry | undefined>();
  const kept: Entry[] = [];
  const repeated: string[] = [];
  for (const image of images) {
    if (!isObject(image) || !isId(image.id)) kinds.push('wrong field');
    else {
      const name = image.file_name;
      const isNamed = typeof name === 'string' && name !== '';
      const isUsable = isNamed && !isUnsafe(name) && isSide(image.width) && isSide(image.height);
      if (isNamed && isUnsafe(name)) kinds.push('unsafe path');
      else if (!isUsable) kinds.push('wrong field');
      if (byId.has(image.id)) repeated.push('duplicate id');
      else {
        byId.set(image.id, isUsable ? image : undefined);
        if (isUsable) kept.push(image);
      }
    }
  }
  const found: Entry[] = [];
  for (const entry of annotations) {
    const isRight =
      isObject(entry) &&
      [entry.id, entry.image_id, entry.category_id].every(isId) &&
      Array.isArray(entry.bbox) &&
      entry.bbox.length === 4 &&
      entry.bbox.every((value) => typeof value === 'number' || value === null || value === 'NaN') &&
      [entry.area].every((value) => value === undefined || value === null || typeof value === 'number') &&
      [entry.iscrowd, entry.ignore, entry.difficult, entry.truncated].every(isFlag);
    if (isRight) found.push(entry);
    else kinds.push('wrong field');
  }
  kinds.push(...repeated);
  const ids = new Set<unknown>();
  const later: string[] = [];
  const objects = found.filter((entry) => {
    if (ids.has(entry.id)) kinds.push('duplicate id');
    else {
      ids.add(entry.id);
      const image = byId.get(entry.image_id as number);
      const fault = byId.has(entry.image_id as number) ? image && faultOf(entry, image) : 'unknown id';
      if (fault !== undefined) later.push(fault);
      else return image !== undefined;
    }
    return false;
  });
  const records = kept.map((image) => ({
    id: image.id,
    file: image.file_name,
    width: image.width,
    height: image.height,
    annotations: objects.filter(({ image_id }) => image_id === image.id).map(annotationOf),
  }));
  return { records, kinds: [...kinds, ...later] };
};

const faultOf = (entry: Entry, image: Entry): string | undefined => {
  if (!categories.some((category) => category.id === entry.category_id)) return 'unknown id';
  const [x, y, w, h] = entry.bbox as number[] as [number, number, number, number];
  if (![x, y, w, h].every(Number.isFinite)) return 'box not finite';
  if (w < 0 || h < 0) return 'box of negative size';
  if (w === 0 || h === 0) return 'box of zero size';
  const isOutside = x >= Number(image.width) || y >= Number(image.height) || x + w <= 0 || y + h <= 0;
  return isOutside ? 'box outside the picture' : undefined;
};

const annotationOf = (entry: Entry) => {
  const [x, y, w, h] = entry.bbox as [number, number, number, number];
  const attributes = Object.entries(
    (Array.isArray(entry.attributes) ? undefined : (entry.attributes as Entry)) ?? {},
  ).filter(([, value]) => ['string', 'number', 'boolean'].includes(typeof value));
  return {
    id: entry.id,
    box: [x, y, x + w, y + h],
    size: [w, h],
    label: [1, 3, 7].indexOf(entry.category_id as number),
    area: entry.area ?? w * h,
    isCrowd: Boolean(entry.iscrowd),
    isIgnored: Boolean(entry.ignore),
    isDifficult: Boolean(entry.difficult),
    isTruncated: Boolean(entry.truncated),
    ...(attributes.length === 0 ? {} : { attributes: Object.fromEntries(attributes) }),
  };
};

test('what is read of any file is what a plain reader reads of it, problems included', async () => {
  await fc.assert(
    fc.asyncProperty(anyFile, anyCuts, async ({ images, annotations, order, indent }, cuts) => {
      const sections: Entry = { images, annotations, categories, info: { version: '1.0' } };
      const text = JSON.stringify(
        Object.fromEntries(order.map((name) => [name, sections[name]])),
        null,
        indent,
      );
      const value = JSON.parse(text) as { images: unknown[]; annotations: unknown[] };
      const { records, kinds } = plain(value.images, value.annotations);
      fc.pre(records.length > 0);
      const pieces = cut(encode(text), cuts);
      const dataset = await openPieces(pieces);
      expect(dataset.classes).toEqual(['éins', 'three', 'sieben']);
      expect(recordsOf(dataset)).toEqual(records);
      expect(dataset.report.problems).toHaveLength(kinds.length);
      const counts: Record<string, number> = {};
      for (const kind of kinds) counts[kind] = (counts[kind] ?? 0) + 1;
      expect(dataset.report.problemCounts).toEqual(counts);
      // strict stops at the first of them
      const strict = openPieces(pieces, { onProblem: 'strict' });
      if (kinds.length === 0) expect(recordsOf(await strict)).toEqual(records);
      else await expect(strict).rejects.toThrow(dataset.report.problems[0]!.message);
    }),
    { numRuns: 120 },
  );
});

test('flags and attributes of annotation tools survive', async () => {
  const content = validCoco();
  Object.assign(content.annotations[0]!, {
    difficult: 1,
    truncated: 0,
    attributes: { occluded: true, pose: 'left', n: 2, no: [1] },
  });
  Object.assign(content.annotations[1]!, { difficult: false, truncated: true });
  const [{ annotations }] = recordsOf(await openPieces([encode(JSON.stringify(content))])) as [ImageRecord];
  expect(annotations).toMatchObject([
    { isDifficult: true, isTruncated: false, attributes: { occluded: true, pose: 'left', n: 2 } },
    { isDifficult: false, isTruncated: true },
  ]);
  expect(annotations[0]!.attributes).not.toHaveProperty('no');
  expect(annotations[1]).not.toHaveProperty('attributes');
});

describe('damaged files', () => {
  const text = JSON.stringify({ info: { a: 'b' }, ...validCoco() }, null, ' ');
  /** A dataset, or an error that names the file: anything else fails the test. */
  const outcome = async (bytes: Uint8Array): Promise<DatasetError | Dataset> =>
    openPieces([bytes]).catch((error: unknown) => {
      if (!(error instanceof DatasetError)) throw error;
      expect(error.file).toMatch(/^memory\/x\.json$|\.jpg$/);
      expect(error.message).toMatch(/^openCoco\(memory(\/x\.json)?\): needs .*[^ ]\.$/);
      return error;
    });

  test('cut off anywhere, the error names line and byte', async () => {
    for (let length = 0; length < text.length; length++) {
      const error = await outcome(encode(text.slice(0, length)));
      const line = text.slice(0, length).split('\n').length;
      expect((error as DatasetError).message).toContain(`at line ${line}, byte ${length}`);
    }
  });

  test('a name in another encoding is a problem of its image', async () => {
    const bytes = encode(text);
    bytes[text.indexOf('b.jpg')] = 0xe4;
    const { report } = await openPieces([bytes]);
    expect(report).toMatchObject({ images: 1, problemCounts: { 'wrong field': 1 } });
    expect(report.problems[0]!.message).toMatch(
      /images\[1\]\.file_name to be a text in UTF-8, got "\uFFFD\.jpg"/,
    );
  });

  test('with bytes flipped, there is a dataset or an error with file and place', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat({ max: text.length - 1 }), fc.nat({ max: 255 })), {
          minLength: 1,
          maxLength: 4,
        }),
        async (flips) => {
          const bytes = encode(text);
          for (const [at, byte] of flips) bytes[at] = byte;
          const found = await outcome(bytes);
          if (!(found instanceof DatasetError))
            expect(found.report.objects + found.report.problems.length).toBeLessThanOrEqual(3 + 5);
        },
      ),
      { numRuns: 400 },
    );
  });
});

describe('while a file is read', () => {
  const pieces = cut(encode(JSON.stringify(validCoco())), [0.2, 0.4, 0.6, 0.8]);
  const size = pieces.reduce((sum, { length }) => sum + length, 0);

  test('progress goes up to the whole file', async () => {
    const seen: number[] = [];
    const source: FileSource = { ...sourceOf(pieces), stat: async () => ({ size, modified: 1 }) };
    await openCoco(source, {
      annotations: 'x.json',
      images: 'pictures',
      onProgress: ({ done, total, unit }) => {
        expect([total, unit]).toEqual([size, 'bytes']);
        seen.push(done);
      },
    });
    expect(seen).toHaveLength(5);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(seen.at(-1)).toBe(size);
  });

  test('a signal stops it, and the file is closed', async () => {
    const controller = new AbortController();
    let [given, closed] = [0, false];
    const source: FileSource = {
      ...sourceOf(pieces),
      async *stream() {
        try {
          for (const piece of pieces) {
            given += 1;
            if (given === 2) controller.abort(new Error('enough'));
            yield piece;
          }
        } finally {
          closed = true;
        }
      },
    };
    const opening = openCoco(source, {
      annotations: 'x.json',
      images: 'pictures',
      signal: controller.signal,
    });
    await expect(opening).rejects.toThrow('enough');
    expect([given, closed]).toEqual([2, true]);
  });

  test('a file that fails in the middle is an error that names it', async () => {
    const source: FileSource = {
      ...sourceOf(pieces),
      async *stream() {
        yield pieces[0]!;
        throw new Error('the disk is gone');
      },
    };
    await expect(openCoco(source, { annotations: 'x.json' })).rejects.toThrow(
      'openCoco(memory/x.json): needs a readable file, got "the disk is gone". Check the path and its permissions.',
    );
  });

  test('a source without streams is read whole', async () => {
    const { stream: _, ...source } = sourceOf(pieces);
    expect((await openCoco(source, { annotations: 'x.json', images: 'pictures' })).report.objects).toBe(3);
  });
});
