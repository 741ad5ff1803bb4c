// Looking at picture files one after the other: reading them ahead, finding what is in them, writing what belongs to each.
import { basename, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { Pixels } from '@autoassign/datasets';
import { decodeImage, openImage } from '@autoassign/datasets';
import type { Detections } from '@autoassign/detector';
import { writeFileAtomic } from './atomicFile.ts';
import { detectionPicture } from './detectionPicture.ts';
import { boxAt, shownDetections } from './detectionSheet.ts';
import { describeError } from './exitCodes.ts';
import type { Finder, FindOptions } from './finder.ts';
import type { CocoIds, FoundBox, LookedAt, ResultFormat } from './foundFiles.ts';
import { listed, yoloLines } from './foundFiles.ts';
import type { PictureFile } from './pictureFiles.ts';
import { standardInput } from './pictureFiles.ts';
import { renderPicture } from './pictures.ts';
import type { VerbContext } from './program.ts';

/** Everything that looking at all pictures takes. */
export interface LookingWork {
  readonly files: readonly PictureFile[];
  /** What the result files of each are called. */
  readonly names: readonly string[];
  readonly classes: readonly string[];
  readonly finder: Finder;
  readonly find: FindOptions;
  /** Where results go. */
  readonly folder: string;
  readonly ids: CocoIds;
  /** Only detections that score above this are shown. */
  readonly score: number;
  readonly format: ResultFormat;
  /** Whether pictures are drawn. */
  readonly pictures: boolean;
}

/** A picture that was looked at, with its id in COCO's results. */
export interface SeenPicture extends LookedAt {
  readonly id: number;
}

const largestPicture = 1600;
/** Pictures are read ahead in windows of so many batches, and of no more pixels than this. */
const batchesAhead = 4;
const pixelsAhead = 2 ** 25;

/** A picture that was read, or the reason why it could not be. */
type Read =
  | { readonly index: number; readonly pixels: Pixels }
  | { readonly index: number; readonly failure: string };

async function readPicture({ path }: PictureFile, index: number): Promise<Read> {
  try {
    const pixels =
      path === standardInput
        ? await decodeImage(new Uint8Array(await buffer(process.stdin)), 'standard input')
        : await openImage(path);
    return { index, pixels };
  } catch (error) {
    return { index, failure: describeError(error) };
  }
}

/** The pictures in windows that fit into memory, the next of which is read while one is looked at. */
async function* windowsOf(files: readonly PictureFile[], most: number): AsyncGenerator<readonly Read[]> {
  let next = 0;
  const read = async (): Promise<readonly Read[]> => {
    const window: Read[] = [];
    let pixels = 0;
    while (next < files.length && window.length < most && pixels < pixelsAhead) {
      const one = await readPicture(files[next]!, next);
      if ('pixels' in one) pixels += one.pixels.width * one.pixels.height;
      window.push(one);
      next += 1;
    }
    return window;
  };
  let ahead = read();
  for (;;) {
    const window = await ahead;
    if (window.length === 0) return;
    ahead = read();
    yield window;
  }
}

async function drawFound(
  path: string,
  pixels: Pixels,
  { found, classes, caption }: { found: Detections; classes: readonly string[]; caption: string },
  score: number,
): Promise<void> {
  const longest = Math.max(pixels.width, pixels.height);
  const target = Math.min(largestPicture, Math.max(longest, 512));
  const scene = { image: pixels, detections: shownDetections(found, score), classNames: classes, caption };
  await writeFileAtomic(
    path,
    await renderPicture(detectionPicture(scene, { layout: 'overlaid', target }), 'png'),
  );
}

function foundAbove({ boxes, scores, labels }: Detections, least: number): readonly FoundBox[] {
  const all = Array.from(scores, (score, index) => ({
    label: labels[index] ?? 0,
    score,
    box: boxAt(boxes, index),
  }));
  return all.filter(({ score }) => score > least);
}

/** The pictures of a window with what was found in each; nothing for those that could not be read. */
async function foundInWindow(
  { files, finder, find }: LookingWork,
  window: readonly Read[],
): Promise<ReadonlyMap<Read, Detections>> {
  const readable = window.flatMap((one) => ('pixels' in one ? [one] : []));
  const named = readable.map(({ index, pixels }) => ({ file: files[index]!.path, pixels }));
  const detections = await finder.find(named, find);
  return new Map(readable.map((one, i) => [one, detections[i]!]));
}

/** Writes what belongs to a picture alone. */
async function keep(
  { files, names, classes, folder, ids, score, format, pictures }: LookingWork,
  { index, pixels }: Extract<Read, { readonly pixels: Pixels }>,
  all: Detections,
): Promise<SeenPicture> {
  const { path } = files[index]!;
  const name = names[index]!;
  const { width, height } = pixels;
  const picture = { file: path, name, width, height, found: foundAbove(all, score), id: ids.images[index]! };
  if (format === 'txt') await writeFileAtomic(join(folder, `${name}.txt`), yoloLines(picture));
  if (pictures) {
    const scene = { found: all, classes, caption: basename(path) };
    await drawFound(join(folder, `${name}.png`), pixels, scene, score);
  }
  return picture;
}

/**
 * What was found in picture after picture, once what belongs to each is written, and how many could not be read. Ends early, with what
 * was found so far, when the signal fires.
 *
 * Throws   FileWriteError
 */
export async function lookAtPictures(
  work: LookingWork,
  { reporter, signal }: VerbContext,
): Promise<{ readonly seen: readonly SeenPicture[]; readonly unreadable: number }> {
  const { files, classes, find, score } = work;
  const progress = reporter.progress({ label: 'predict', total: files.length, unit: 'images' });
  const seen: SeenPicture[] = [];
  let unreadable = 0;
  for await (const window of windowsOf(files, batchesAhead * (find.batchSize ?? 1))) {
    if (signal.aborted) break;
    const found = await foundInWindow(work, window);
    for (const one of window) {
      if (signal.aborted) break;
      if ('failure' in one) {
        unreadable += 1;
        reporter.event({ event: 'unreadable', file: files[one.index]!.path, message: one.failure });
        reporter.message(`Left out: ${one.failure}`);
      } else {
        const picture = await keep(work, one, found.get(one)!);
        seen.push(picture);
        reporter.event({ event: 'image', ...listed(picture, classes) });
        reporter.result(`${picture.file}: ${wordsFor(picture, classes) || `nothing above ${score}`}`);
      }
      progress.update(seen.length + unreadable);
    }
  }
  progress.finish();
  return { seen, unreadable };
}

function wordsFor({ found }: SeenPicture, classes: readonly string[]): string {
  return found.map(({ label, score }) => `${classes[label]} ${score.toFixed(2)}`).join(', ');
}
