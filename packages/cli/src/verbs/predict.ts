// The verb `predict`: what a trained detector finds in picture files, drawn into them and as text in the usual forms.
import { basename, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { Pixels } from '@autoassign/datasets';
import { decodeImage, openImage } from '@autoassign/datasets';
import type { Detections } from '@autoassign/detector';
import type { Backend } from '@autoassign/tensor';
import { writeFileAtomic, writeJson } from '../atomicFile.ts';
import { usualAugmentation } from '../augmented.ts';
import { idsFor, type KnownIds, readKnownIds } from '../cocoIds.ts';
import { detectionPicture } from '../detectionPicture.ts';
import { boxAt, shownDetections } from '../detectionSheet.ts';
import type { Engine } from '../engine.ts';
import { describeEngine, engineOf, openEngine, startedBy } from '../engine.ts';
import { describeError, ReportedFailure, UsageError } from '../exitCodes.ts';
import type { Finder, FindOptions } from '../finder.ts';
import { createFinder } from '../finder.ts';
import type { CocoIds, FoundBox, LookedAt } from '../foundFiles.ts';
import { cocoIndex, cocoResults, listed, yoloLines } from '../foundFiles.ts';
import type { PredictOptions } from '../options.ts';
import type { PictureFile } from '../pictureFiles.ts';
import { pictureFiles, standardInput } from '../pictureFiles.ts';
import { renderPicture } from '../pictures.ts';
import type { VerbContext } from '../program.ts';
import { startRun } from '../runFolder.ts';
import { distinctNames } from '../runResults.ts';
import type { LoadedDetector } from '../weightsFile.ts';
import { findWeights, loadDetector } from '../weightsFile.ts';

const largestPicture = 1600;
/** So many pixels of the network go through it together where pictures are small; more gain nothing. */
const pixelsTogether = 2 ** 19;
const mostTogether = 8;
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

/** The labels of the classes that were asked for; undefined when all are. */
function wantedLabels(
  wanted: readonly string[] | undefined,
  classes: readonly string[],
): readonly number[] | undefined {
  return wanted?.map((name) => {
    const label = classes.indexOf(name);
    if (label >= 0) return label;
    throw new UsageError(
      `--classes needs classes of these weights (${classes.join(', ')}), got '${name}'. Correct the name.`,
    );
  });
}

/** How the options ask to look. */
function findOptionsOf(options: PredictOptions, { detector, test }: LoadedDetector): FindOptions {
  const { classes, test: testConfig } = detector.config;
  const labels = wantedLabels(options.classes, classes);
  const fitting = Math.floor(pixelsTogether / (test.shortSide * test.longSide));
  return {
    decode: {
      ...(labels === undefined ? {} : { classes: labels }),
      ...(options.limit === undefined ? {} : { limit: options.limit }),
      ...(options.iou === undefined ? {} : { iouThreshold: options.iou }),
    },
    ...(options.tta === true ? { augmentation: testConfig.augmentation ?? usualAugmentation } : {}),
    batchSize: options.batch ?? Math.max(1, Math.min(mostTogether, fitting)),
  };
}

/** Everything that looking at all pictures takes. */
interface Work {
  readonly files: readonly PictureFile[];
  readonly names: readonly string[];
  readonly classes: readonly string[];
  readonly finder: Finder;
  readonly find: FindOptions;
  readonly folder: string;
  readonly ids: CocoIds;
}

/** Looks at picture after picture and writes what belongs to each; resolves with what was found, and how many could not be read. */
async function lookAtAll(
  work: Work,
  options: PredictOptions,
  { reporter, signal }: VerbContext,
): Promise<{ readonly seen: readonly (LookedAt & { readonly id: number })[]; readonly unreadable: number }> {
  const { files, names, classes, finder, find, folder, ids } = work;
  const { score, format, pictures } = options;
  const progress = reporter.progress({ label: 'predict', total: files.length, unit: 'images' });
  const seen: (LookedAt & { readonly id: number })[] = [];
  let unreadable = 0;
  let done = 0;
  for await (const window of windowsOf(files, batchesAhead * (find.batchSize ?? 1))) {
    if (signal.aborted) break; // what was found so far is kept
    const readable = window.flatMap((one) => ('pixels' in one ? [one] : []));
    const named = readable.map(({ index, pixels }) => ({ file: files[index]!.path, pixels }));
    const detections = await finder.find(named, find);
    const foundIn = new Map(readable.map(({ index }, i) => [index, detections[i]!]));
    for (const one of window) {
      if (signal.aborted) break;
      done += 1;
      const { path } = files[one.index]!;
      if ('failure' in one) {
        unreadable += 1;
        reporter.event({ event: 'unreadable', file: path, message: one.failure });
        reporter.message(`Left out: ${one.failure}`);
        progress.update(done);
        continue;
      }
      const { width, height } = one.pixels;
      const all = foundIn.get(one.index)!;
      const name = names[one.index]!;
      const picture = { file: path, name, width, height, found: foundAbove(all, score) };
      if (format === 'txt') await writeFileAtomic(join(folder, `${name}.txt`), yoloLines(picture));
      if (pictures) {
        const scene = { found: all, classes, caption: basename(path) };
        await drawFound(join(folder, `${name}.png`), one.pixels, scene, score);
      }
      seen.push({ ...picture, id: ids.images[one.index]! });
      reporter.event({ event: 'image', ...listed(picture, classes) });
      const words = picture.found.map(({ label, score: value }) => `${classes[label]} ${value.toFixed(2)}`);
      reporter.result(`${path}: ${words.join(', ') || `nothing above ${score}`}`);
      progress.update(done);
    }
  }
  progress.finish();
  return { seen, unreadable };
}

/** Writes what belongs to all pictures together, and says where it is. */
async function writeLists(
  { folder, classes, ids }: Work,
  seen: readonly (LookedAt & { readonly id: number })[],
  { format, pictures }: PredictOptions,
): Promise<string> {
  const path = join(folder, 'detections.json');
  if (format === 'json')
    await writeJson(
      path,
      seen.map((picture) => listed(picture, classes)),
    );
  if (format === 'coco') {
    await writeJson(
      path,
      seen.flatMap((picture) => cocoResults(picture, picture.id, ids)),
    );
    await writeJson(join(folder, 'images.json'), cocoIndex(seen, classes, ids));
  }
  const lists = { json: 'detections.json', coco: 'detections.json', txt: 'a text file each' }[format];
  return `${pictures ? 'Pictures and ' : ''}${lists} in ${folder}`;
}

/** Looks at every picture and leaves pictures and lists in a run folder. */
async function predictAll(
  options: PredictOptions,
  { files, known }: { readonly files: readonly PictureFile[]; readonly known: KnownIds | undefined },
  { engine, backend }: { readonly engine: Engine; readonly backend: Backend },
  context: VerbContext,
): Promise<void> {
  const { reporter } = context;
  const { out, name } = options;
  const loaded = await loadDetector(await findWeights(options.weights, out), backend, {
    preset: options.preset,
  });
  const { config } = loaded.detector;
  const find = findOptionsOf(options, loaded);
  const ids = idsFor(
    files.map(({ path }) => path),
    config.classes,
    known,
  );
  const { params, test } = loaded;
  const finder = await createFinder({ config, params, test, backend });
  const settings = {
    images: files.map(({ path }) => path),
    weights: loaded.path,
    score: options.score,
    format: options.format,
    ...find,
    backend: engine.backend,
    fma: engine.fma,
    precision: engine.precision,
    detector: config,
  };
  reporter.message(`Looking with ${loaded.path}, by ${describeEngine(engine)}`);
  const { folder } = await startRun(join(out, name), settings, startedBy(context, engine));
  reporter.event({ event: 'run', folder, weights: loaded.path });
  const names = distinctNames(files.map((file) => file.name));
  const work: Work = { files, names, classes: config.classes, finder, find, folder, ids };
  const { seen, unreadable } = await lookAtAll(work, options, context);
  reporter.result(await writeLists(work, seen, options));
  if (unreadable === 0 || context.signal.aborted) return;
  const pictures = unreadable === 1 ? '1 picture' : `${unreadable} pictures`;
  reporter.message(`${pictures} of ${files.length} could not be read.`);
  throw new ReportedFailure(`${pictures} could not be read`);
}

/** Resolves when every picture was looked at and what was found is in a run folder; rejects at the end when some could not be read. */
export async function predictVerb(options: PredictOptions, context: VerbContext): Promise<void> {
  const engine = engineOf(options);
  const { images, out, annotations } = options;
  const files = await pictureFiles(images, out);
  const known = annotations === undefined ? undefined : await readKnownIds(annotations);
  const backend = await openEngine(engine);
  try {
    await predictAll(options, { files, known }, { engine, backend }, context);
  } finally {
    await backend.destroy();
  }
}
