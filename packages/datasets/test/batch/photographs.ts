// Datasets of tiny JPEG files in a temporary folder, with paths that worker threads can read.
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Dataset, ImageRecord } from '@autoassign/datasets';
import { openImage } from '@autoassign/datasets';
import sharp from 'sharp';
import { annotationOf, folderWith } from '../samples.ts';

/** What is done to a picture after it was written. */
export type Damage = 'missing' | 'cut' | 'other size';

/** A photograph-like picture of its own content. */
const jpegOf = async (index: number, width: number, height: number): Promise<Uint8Array> => {
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const x = Math.floor(i / 3) % width;
    const y = Math.floor(i / 3 / width);
    return 128 + 100 * Math.sin((x + index) / 7 + (i % 3)) * Math.cos((y * (index + 1)) / 23);
  });
  return sharp(data, { raw: { width, height, channels: 3 } })
    .jpeg()
    .toBuffer();
};

/** `count` pictures of a few sizes with an object each; those in `damages` are spoilt. */
export const photographs = async (
  count: number,
  damages: Readonly<Record<number, Damage>> = {},
): Promise<Dataset> => {
  const sizes = Array.from({ length: count }, (_, i) => ({
    width: 40 + 3 * (i % 5),
    height: i % 3 ? 36 : 70,
  }));
  const files = await Promise.all(
    sizes.map(async ({ width, height }, i) => {
      const isOther = damages[i] === 'other size';
      const bytes = await jpegOf(i, isOther ? width + 1 : width, height);
      return [`${i}.jpg`, damages[i] === 'cut' ? bytes.subarray(0, bytes.length >> 1) : bytes] as const;
    }),
  );
  const folder = await folderWith(Object.fromEntries(files));
  for (const [index, damage] of Object.entries(damages))
    if (damage === 'missing') await rm(join(folder, `${index}.jpg`));
  const record = (index: number): ImageRecord => ({
    id: index,
    file: `${index}.jpg`,
    ...sizes[index]!,
    annotations: [annotationOf(index, [2, 3, 22 + (index % 7), 30], index % 3)],
  });
  const locate = (index: number): string => join(folder, `${index}.jpg`);
  const at: Dataset['at'] = async (index) => ({ ...record(index), pixels: await openImage(locate(index)) });
  return {
    name: 'photographs',
    format: 'made',
    length: count,
    classes: ['a', 'b', 'c'],
    categoryIds: [1, 2, 3],
    report: {
      images: count,
      objects: count,
      crowds: 0,
      imagesWithoutObjects: 0,
      problems: [],
      problemCounts: {},
    },
    record,
    at,
    locate,
    async *[Symbol.asyncIterator]() {
      for (let i = 0; i < count; i++) yield await at(i);
    },
  };
};

/** Replaces a picture by something that is none. */
export const spoil = (dataset: Dataset, index: number): Promise<void> =>
  writeFile(dataset.locate!(index), 'no picture');
