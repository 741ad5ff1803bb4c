// Tables of images and objects: what is put in comes out again, grouped by image, whatever the order it came in.
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type ImageEntry,
  keepImages,
  type ObjectEntry,
  recordOfTable,
  type TableBuilder,
  tableBuilder,
} from '../src/table.ts';
import type { ImageRecord } from '../src/types.ts';

const double = fc.double({ noNaN: true, noDefaultInfinity: true });
const anyImage: fc.Arbitrary<ImageEntry> = fc.record({
  id: fc.maxSafeInteger(),
  file: fc.string({ unit: 'grapheme', minLength: 1 }),
  width: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
  height: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
});
const anyObject: fc.Arbitrary<ObjectEntry> = fc.record({
  id: fc.maxSafeInteger(),
  x: double,
  y: double,
  width: double,
  height: double,
  area: double,
  label: fc.nat({ max: 65_535 }),
  flags: fc.nat({ max: 15 }),
  attributes: fc.option(fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.boolean(), fc.integer())), {
    nil: undefined,
  }),
});
const anyContent = fc.array(anyImage, { minLength: 1, maxLength: 8 }).chain((images) =>
  fc.record({
    images: fc.constant(images),
    objects: fc.array(fc.tuple(fc.nat({ max: images.length - 1 }), anyObject), { maxLength: 600 }),
  }),
);
type Content = typeof anyContent extends fc.Arbitrary<infer Value> ? Value : never;

const fill = (builder: TableBuilder, { images, objects }: Content): TableBuilder => {
  for (const image of images) builder.addImage(image);
  for (const [image, object] of objects) builder.addObject(image, object);
  return builder;
};

const expected = ({ images, objects }: Content): ImageRecord[] =>
  images.map((image, i) => ({
    ...image,
    annotations: objects
      .filter(([owner]) => owner === i)
      .map(([, { id, x, y, width, height, area, label, flags, attributes }]) => ({
        id,
        box: [x, y, x + width, y + height],
        size: [width, height],
        label,
        area,
        isCrowd: (flags & 1) > 0,
        isIgnored: (flags & 2) > 0,
        isDifficult: (flags & 4) > 0,
        isTruncated: (flags & 8) > 0,
        ...(attributes === undefined ? {} : { attributes }),
      })),
  }));

test('records are those that were put in', () => {
  fc.assert(
    fc.property(anyContent, (content) => {
      const table = fill(tableBuilder(), content).build();
      const records = Array.from({ length: table.length }, (_, i) => recordOfTable(table, i));
      expect(records).toEqual(expected(content));
    }),
    { numRuns: 40 },
  );
});

test('images are left out with their objects, and only they', () => {
  fc.assert(
    fc.property(anyContent, fc.infiniteStream(fc.nat({ max: 1 })), (content, draws) => {
      const isKept = Uint8Array.from(content.images, () => draws.next().value!);
      const table = keepImages(fill(tableBuilder(), content).build(), isKept);
      const records = Array.from({ length: table.length }, (_, i) => recordOfTable(table, i));
      expect(records).toEqual(expected(content).filter((_, i) => isKept[i] === 1));
      expect(table.objects).toBe(records.reduce((sum, { annotations }) => sum + annotations.length, 0));
    }),
    { numRuns: 40 },
  );
});

test('an object of an image that was never added is an error', () => {
  const builder = tableBuilder();
  builder.addObject(1, { id: 1, x: 0, y: 0, width: 1, height: 1, area: 1, label: 0, flags: 0 });
  builder.addImage({ id: 1, file: 'a.jpg', width: 1, height: 1 });
  expect(() => builder.build()).toThrow(/images that were added, got image 1 of 1/);
});
