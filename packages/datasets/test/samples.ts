// Small datasets for the tests: in memory with random boxes, and COCO folders in a temporary place.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Annotation, Box, Dataset, Sample } from '@autoassign/datasets';
import * as fc from 'fast-check';
import sharp from 'sharp';
import { onTestFinished } from 'vitest';

export const annotationOf = (id: number, box: Box, label = 0): Annotation => {
  const size = [box[2] - box[0], box[3] - box[1]] as const;
  const flags = { isCrowd: false, isIgnored: false, isDifficult: false, isTruncated: false };
  return { id, box, size, label, area: size[0] * size[1], ...flags };
};

export const sampleOf = (
  id: number,
  width: number,
  height: number,
  boxes: readonly Box[],
  data: Uint8Array = new Uint8Array(width * height * 3).fill(id),
): Sample => ({
  id,
  file: `image-${id}.png`,
  width,
  height,
  annotations: boxes.map((box, i) => annotationOf(id * 100 + i, box, i % 3)),
  pixels: { width, height, channels: 3, data },
});

export const datasetOf = (samples: readonly Sample[], at?: Dataset['at']): Dataset => {
  const read = at ?? ((index: number): Promise<Sample> => Promise.resolve(samples[index]!));
  return {
    name: 'in memory',
    format: 'made',
    length: samples.length,
    classes: ['a', 'b', 'c'],
    categoryIds: [1, 2, 3],
    report: {
      images: samples.length,
      objects: 0,
      crowds: 0,
      imagesWithoutObjects: 0,
      problems: [],
      problemCounts: {},
    },
    record: (index) => samples[index]!,
    at: read,
    async *[Symbol.asyncIterator]() {
      for (let i = 0; i < samples.length; i++) yield await read(i);
    },
  };
};

/** Samples of random size and content, with boxes of at least one pixel inside. */
export const anySample: fc.Arbitrary<Sample> = fc
  .tuple(fc.integer({ min: 3, max: 40 }), fc.integer({ min: 3, max: 40 }), fc.integer({ min: 1, max: 250 }))
  .chain(([width, height, id]) =>
    fc
      .tuple(
        fc.array(anyBox(width, height), { maxLength: 5 }),
        fc.uint8Array({ minLength: width * height * 3, maxLength: width * height * 3 }),
      )
      .map(([boxes, data]) => sampleOf(id, width, height, boxes, data)),
  );

const anyBox = (width: number, height: number): fc.Arbitrary<Box> =>
  fc.tuple(fraction, fraction, fraction, fraction).map(([left, top, right, bottom]): Box => {
    const x1 = left * (width - 1);
    const y1 = top * (height - 1);
    return [x1, y1, x1 + 1 + right * (width - x1 - 1), y1 + 1 + bottom * (height - y1 - 1)];
  });

const fraction = fc.double({ min: 0, max: 1, noNaN: true });

/** A new folder with the given files, removed when the test is over. */
export const folderWith = async (
  files: Readonly<Record<string, Uint8Array | string | object>>,
): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'datasets-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    const isPlain = typeof content === 'string' || content instanceof Uint8Array;
    await writeFile(join(folder, path), isPlain ? content : JSON.stringify(content));
  }
  return folder;
};

export const jpegOf = async (width: number, height: number): Promise<Uint8Array> => {
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * 37) % 256);
  return sharp(data, { raw: { width, height, channels: 3 } })
    .jpeg()
    .toBuffer();
};

/** A valid annotation file of two images and two categories, to be spoilt by the tests. */
export const validCoco = (): {
  images: Record<string, unknown>[];
  categories: Record<string, unknown>[];
  annotations: Record<string, unknown>[];
} => ({
  images: [
    { id: 7, file_name: 'a.jpg', width: 40, height: 32 },
    { id: 3, file_name: 'b.jpg', width: 40, height: 32 },
  ],
  categories: [
    { id: 9, name: 'late' },
    { id: 2, name: 'early' },
  ],
  annotations: [
    { id: 1, image_id: 7, category_id: 9, bbox: [1.5, 2, 10, 12], area: 100, iscrowd: 0 },
    { id: 2, image_id: 7, category_id: 2, bbox: [5, 5, 20, 20], area: 400, iscrowd: 1 },
    { id: 3, image_id: 3, category_id: 2, bbox: [0, 0, 40, 32], area: 1280, iscrowd: 0, ignore: 1 },
  ],
});

/** A COCO folder of that file, changed by `spoil`, with both images. */
export const cocoFolder = async (
  spoil: (content: ReturnType<typeof validCoco>) => void = () => undefined,
): Promise<string> => {
  const content = validCoco();
  spoil(content);
  const jpeg = await jpegOf(40, 32);
  return folderWith({
    'annotations/instances_val.json': content,
    'images/a.jpg': jpeg,
    'images/b.jpg': jpeg,
  });
};
