// The shapes dataset as a COCO folder on disk: written once, all or nothing, and reused when it is already there.
import { platform } from '#platform';
import { DatasetError, oneLine } from '../errors.ts';
import type { FileSource, FolderWriter, ImageRecord } from '../types.ts';
import { checkCount, imageIndex, recordOf, type ShapesSplit } from './dataset.ts';
import { layoutOf, shapesImageSize } from './layout.ts';
import { shapeClasses } from './outlines.ts';
import { paintLayout } from './paint.ts';

/** What to write. */
export interface WriteShapesOptions {
  /** Number of training images. */
  readonly train: number;
  /** Number of validation images. */
  readonly validation: number;
  readonly seed?: number;
  /** JPEG quality, 1 to 100. */
  readonly quality?: number;
  /** Called after each image with the number of images done and to do. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Stops the writing; nothing is left behind. */
  readonly signal?: AbortSignal;
}

/** Whether the folder was written now, or had been written before with the same options. */
export interface WrittenShapes {
  readonly images: number;
  readonly isReused: boolean;
}

/** Counts up when the same options give other images, so that an older folder is not taken for a current one. */
const generation = 1;
const markerFile = 'shapes.json';
const imagesInFlight = 16;
const splits: readonly ShapesSplit[] = ['train', 'validation'];
const annotationFiles: Readonly<Record<ShapesSplit, string>> = {
  train: 'annotations/instances_train.json',
  validation: 'annotations/instances_val.json',
};

/**
 * What was done to leave a COCO folder with `images/*.jpg`, `annotations/instances_train.json` and `instances_val.json`.
 *
 * Units    128 x 128 pixels; JPEG of quality 95 at full colour resolution unless told otherwise
 * Throws   DatasetError when the folder holds something else, or cannot be written; then nothing is left behind
 * Example  await writeShapes('data/shapes', { train: 9600, validation: 200, seed: 0 })
 */
export const writeShapes = async (
  folder: string | FolderWriter,
  options: WriteShapesOptions,
): Promise<WrittenShapes> => {
  const { train, validation, seed = 0, quality = 95 } = options;
  checkCount('writeShapes', 'train', train, 1);
  checkCount('writeShapes', 'validation', validation, 1);
  const images = train + validation;
  const marker = JSON.stringify({ dataset: 'shapes', generation, seed, train, validation, quality }, null, 2);
  const name = typeof folder === 'string' ? folder : 'folder';
  if (typeof folder === 'string' && (await isWritten(platform.openFolder(folder), marker)))
    return { images, isReused: true };
  try {
    const writer = typeof folder === 'string' ? await platform.createFolder(folder) : folder;
    await writeFolder(writer, { ...options, seed, quality }, marker);
    return { images, isReused: false };
  } catch (cause) {
    if (options.signal?.aborted) throw cause;
    // Another process may have finished the same folder in the meantime.
    if (typeof folder === 'string' && (await isWritten(platform.openFolder(folder), marker)))
      return { images, isReused: true };
    throw cause instanceof DatasetError ? cause : cannotWrite(name, cause);
  }
};

/** Writes everything, the marker last, and gives the folder its name; a failure leaves nothing behind. */
const writeFolder = async (writer: FolderWriter, settings: Settings, marker: string): Promise<void> => {
  try {
    await writeAll(writer, settings);
    await writer.write(markerFile, new TextEncoder().encode(marker));
    await writer.commit();
  } catch (cause) {
    await writer.discard();
    throw cause;
  }
};

const cannotWrite = (name: string, cause: unknown): DatasetError =>
  new DatasetError(
    `writeShapes(${name}): needs a folder it can write, got "${oneLine(cause)}". Make room, or choose another folder; nothing was left behind.`,
    { file: name, cause },
  );

/**
 * True when the folder holds a finished dataset of the same options.
 *
 * Throws   DatasetError when it holds one of other options
 */
const isWritten = async (source: FileSource, marker: string): Promise<boolean> => {
  const bytes = await source.read(markerFile).catch(() => undefined);
  if (bytes === undefined) return false;
  const found = new TextDecoder().decode(bytes);
  if (found === marker) return true;
  throw new DatasetError(
    `writeShapes(${source.name}): needs a folder with the same options, got one with ${found.replace(/\s+/g, ' ').slice(0, 120)}. Choose another folder, or remove this one.`,
    { file: source.name },
  );
};

type Settings = WriteShapesOptions & { readonly seed: number; readonly quality: number };

const writeAll = async (writer: FolderWriter, settings: Settings): Promise<void> => {
  const total = settings.train + settings.validation;
  let done = 0;
  const report = (): void => {
    done += 1;
    settings.onProgress?.(done, total);
  };
  for (const split of splits) {
    const records = await writeImages(writer, split, settings, report);
    await writer.write(annotationFiles[split], new TextEncoder().encode(JSON.stringify(cocoFile(records))));
  }
};

/** Writes the images of a split: painting runs here while earlier images are encoded and written on other threads. */
const writeImages = async (
  writer: FolderWriter,
  split: ShapesSplit,
  settings: Settings,
  report: () => void,
): Promise<ImageRecord[]> => {
  const { seed, quality, signal } = settings;
  const records: ImageRecord[] = [];
  const inFlight = new Set<Promise<void>>();
  const write = async (path: string, data: Uint8Array): Promise<void> => {
    const pixels = { width: shapesImageSize, height: shapesImageSize, channels: 3, data } as const;
    await writer.write(path, await platform.encodeJpeg(pixels, quality));
    report();
  };
  try {
    for (let position = 0; position < settings[split]; position++) {
      signal?.throwIfAborted();
      const index = imageIndex(split, position);
      const layout = layoutOf(seed, index);
      const record = recordOf(split, position, layout);
      records.push(record);
      const task = write(`images/${record.file}`, paintLayout(layout, seed, index));
      inFlight.add(task);
      task.then(() => inFlight.delete(task)).catch(() => undefined);
      if (inFlight.size >= imagesInFlight) await Promise.race(inFlight);
    }
    await Promise.all(inFlight);
  } finally {
    // Nothing may still be writing when the caller removes the folder.
    await Promise.allSettled(inFlight);
  }
  return records;
};

const cocoFile = (records: readonly ImageRecord[]): object => ({
  info: { description: 'shapes: eight procedural classes, made by @autoassign/datasets' },
  images: records.map(({ id, file, width, height }) => ({ id, file_name: file, width, height })),
  categories: shapeClasses.map((name, label) => ({ id: label + 1, name })),
  annotations: records.flatMap((record) =>
    record.annotations.map(({ id, box, size, label, area }) => ({
      id,
      image_id: record.id,
      category_id: label + 1,
      bbox: [box[0], box[1], ...size],
      area,
      iscrowd: 0,
    })),
  ),
});
