// Laws of openVoc: what is written is read, in any source; and damaged files give a dataset or a DatasetError, nothing else.
import { type Dataset, DatasetError, openVoc } from '@autoassign/datasets';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { anyDamage } from '../damage.ts';
import { type Files, memorySource } from '../memory.ts';
import { jpegOf } from '../samples.ts';
import { annotationXml, vocFiles, type WrittenObject } from './samples.ts';

const jpeg = await jpegOf(40, 32);

/** Class names in any script, with the characters that XML escapes. */
const anyName = fc
  .string({
    unit: fc.oneof(
      fc.constantFrom('<', '&', '>', '"', "'", ' ', 'é', '猫'),
      fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 1 }),
    ),
    minLength: 1,
    maxLength: 8,
  })
  .map((name) => name.trim().replace(/\s+/g, ' '))
  .filter((name) => name !== '');

/** Corners of a box with a width and a height that meets the picture of 40x32. */
const anyCorners: fc.Arbitrary<WrittenObject['corners']> = fc
  .tuple(
    fc.double({ min: -5, max: 39, noNaN: true }),
    fc.double({ min: -5, max: 31, noNaN: true }),
    fc.double({ min: 6.5, max: 50, noNaN: true }),
    fc.double({ min: 6.5, max: 50, noNaN: true }),
  )
  .map(([xmin, ymin, width, height]) => [xmin, ymin, xmin + width, ymin + height]);

const anyObject: fc.Arbitrary<WrittenObject & { readonly flags: readonly boolean[] }> = fc
  .tuple(anyName, anyCorners, fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }))
  .map(([name, corners, flags]) => ({ name, corners, flags, more: flagsXml(flags) }));

const flagsXml = (flags: readonly boolean[]): string =>
  ['iscrowd', 'ignore', 'difficult', 'truncated']
    .map((name, i) => `<${name}>${flags[i] ? 1 : 0}</${name}>`)
    .join('');

const filesOf = (images: readonly (readonly WrittenObject[])[]): Files =>
  Object.fromEntries([
    ['ImageSets/Main/all.txt', images.map((_, i) => `${i}\n`).join('')],
    ...images.flatMap((objects, i) => [
      [`Annotations/${i}.xml`, annotationXml(`${i}.jpg`, objects)],
      [`JPEGImages/${i}.jpg`, jpeg],
    ]),
  ]);

const recordsOf = (dataset: Dataset) =>
  Array.from({ length: dataset.length }, (_, index) => dataset.record(index));

test('what is written is read: names, flags and half-open boxes, in the order of the list', async () => {
  const anyImages = fc.array(fc.array(anyObject, { maxLength: 4 }), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(anyImages, async (images) => {
      const dataset = await openVoc(memorySource(filesOf(images)), { onProblem: 'strict' });
      const read = recordsOf(dataset).map(({ annotations }) =>
        annotations.map(({ box, size, label, isCrowd, isIgnored, isDifficult, isTruncated }) => ({
          name: dataset.classes[label],
          upperLeft: box.slice(0, 2),
          size,
          flags: [isCrowd, isIgnored, isDifficult, isTruncated],
        })),
      );
      const written = images.map((objects) =>
        objects.map(({ name, corners, flags }) => {
          const [xmin, ymin, xmax, ymax] = corners.map(Number) as [number, number, number, number];
          return {
            name,
            upperLeft: [xmin - 1, ymin - 1],
            size: [xmax - (xmin - 1), ymax - (ymin - 1)],
            flags,
          };
        }),
      );
      expect(read).toEqual(written);
    }),
    { numRuns: 60 },
  );
});

test('a source that cannot list gives the same dataset when split and classes are named', async () => {
  const anyImages = fc.array(fc.array(anyObject, { maxLength: 3 }), { minLength: 1, maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(
      anyImages,
      fc.constantFrom('', 'VOC2007', 'VOCdevkit/VOC2007'),
      async (images, folder) => {
        const placed = Object.fromEntries(
          Object.entries(filesOf(images)).map(([path, content]) => [
            folder === '' ? path : `${folder}/${path}`,
            content,
          ]),
        );
        const listed = await openVoc(memorySource(placed), { split: 'all' });
        const unlisted = await openVoc(memorySource(placed, { canList: false }), {
          split: 'all',
          classes: listed.classes,
          ...(folder === '' ? {} : { years: [2007] }),
        });
        expect(recordsOf(unlisted)).toEqual(recordsOf(listed));
        expect((await unlisted.at(0)).pixels.width).toBe(40);
      },
    ),
    { numRuns: 20 },
  );
});

test('damaged files give a dataset without nonsense, or a DatasetError that names a file', async () => {
  const whole = { ...(await vocFiles()), 'Annotations/b.xml': annotationXml('b.jpg', [], '') };
  const bytesOf = (content: Uint8Array | string): Uint8Array =>
    typeof content === 'string' ? new TextEncoder().encode(content) : content;
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(
        'Annotations/a.xml',
        'Annotations/a.xml',
        'Annotations/b.xml',
        'ImageSets/Main/train.txt',
        'JPEGImages/b.jpg',
      ),
      anyDamage,
      fc.constantFrom('skip' as const, 'strict' as const),
      async (path, damage, onProblem) => {
        const files = { ...whole, [path]: damage(bytesOf(whole[path as keyof typeof whole]!)) };
        const outcome = await openVoc(memorySource(files), { split: 'train', onProblem }).catch(
          (error: unknown) => error,
        );
        if (outcome instanceof Error) {
          expect(outcome).toBeInstanceOf(DatasetError);
          expect((outcome as DatasetError).file).toContain('memory');
          return;
        }
        const dataset = outcome as Dataset;
        for (const { width, height, annotations } of recordsOf(dataset)) {
          expect(width > 0 && height > 0).toBe(true);
          for (const { box, area, label } of annotations) {
            expect([...box, area].every(Number.isFinite)).toBe(true);
            expect(box[0] < box[2] && box[1] < box[3] && label < dataset.classes.length).toBe(true);
          }
        }
      },
    ),
    { numRuns: 1000 },
  );
});
