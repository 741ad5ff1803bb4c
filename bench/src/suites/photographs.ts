// Pictures to read: JPEG files made from a seed in a temporary folder, or the files of a folder that is given.
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Annotation, Dataset } from '@autoassign/datasets';
import sharp from 'sharp';

/** A dataset of picture files, and what removes those that were made. */
export interface Photographs {
  readonly dataset: Dataset;
  readonly remove: () => Promise<void>;
}

/** The size of pictures that are made. */
const made = { width: 640, height: 480 };

/** The pictures of a folder, or `count` made ones. */
export const photographs = async (
  seed: number,
  count: number,
  folder: string | undefined,
): Promise<Photographs> => {
  if (folder !== undefined) {
    const files = (await readdir(folder)).filter((name) => /\.(jpe?g|png|webp)$/i.test(name)).sort();
    const paths = files.slice(0, count).map((name) => join(folder, name));
    return { dataset: await datasetOf(paths), remove: async () => undefined };
  }
  const temporary = await mkdtemp(join(tmpdir(), 'photographs-'));
  const paths: string[] = [];
  for (let i = 0; i < count; i++) {
    const path = join(temporary, `${i}.jpg`);
    const raw = { ...made, channels: 3 } as const;
    await writeFile(
      path,
      await sharp(paint(seed * 1000 + i), { raw })
        .jpeg({ quality: 90 })
        .toBuffer(),
    );
    paths.push(path);
  }
  return {
    dataset: await datasetOf(paths),
    remove: () => rm(temporary, { recursive: true, force: true }),
  };
};

/** Smooth light, a dozen ellipses, and noise: about as hard to compress as a photograph. */
const paint = (seed: number): Uint8Array => {
  const { width, height } = made;
  const data = new Uint8Array(3 * width * height);
  let state = Math.imul(seed + 1, 0x9e3779b1) >>> 0;
  const random = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const shapes = Array.from({ length: 12 }, () => ({
    x: random() * width,
    y: random() * height,
    across: 10 + random() * 120,
    down: 10 + random() * 90,
    colour: [random() * 255, random() * 255, random() * 255],
  }));
  const waves = [random() * 0.05, random() * 0.05, random() * 6] as const;
  let at = 0;
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const shape = shapes.find((one) => ((x - one.x) / one.across) ** 2 + ((y - one.y) / one.down) ** 2 < 1);
      const light = 128 + 80 * Math.sin(x * waves[0] + y * waves[1] + waves[2]);
      for (let c = 0; c < 3; c++) data[at++] = (shape?.colour[c] ?? light) * 0.9 + random() * 18;
    }
  return data;
};

const annotation: Annotation = {
  id: 1,
  box: [10, 10, 110, 90],
  size: [100, 80],
  label: 0,
  area: 8000,
  isCrowd: false,
  isIgnored: false,
  isDifficult: false,
  isTruncated: false,
};

const datasetOf = async (paths: readonly string[]): Promise<Dataset> => {
  const sizes = await Promise.all(
    paths.map(async (path) => {
      const { autoOrient } = await sharp(path).metadata();
      return { width: autoOrient.width, height: autoOrient.height };
    }),
  );
  const at = (): Promise<never> => Promise.reject(new Error('photographs: read through locate'));
  return {
    name: 'photographs',
    format: 'made',
    length: paths.length,
    classes: ['shape'],
    categoryIds: [1],
    report: {
      images: paths.length,
      objects: paths.length,
      crowds: 0,
      imagesWithoutObjects: 0,
      problems: [],
      problemCounts: {},
    },
    record: (index) => ({ id: index, file: paths[index]!, ...sizes[index]!, annotations: [annotation] }),
    at,
    locate: (index) => paths[index]!,
    [Symbol.asyncIterator]: () => ({ next: at }),
  };
};
