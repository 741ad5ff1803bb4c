// The verb `predict`: what a trained detector finds in image files, drawn into them and as JSON.
import { basename, extname, join } from 'node:path';
import type { Dataset, ImageRecord, Pixels } from '@autoassign/datasets';
import { openImage } from '@autoassign/datasets';
import { createPredictor } from '@autoassign/detector';
import type { Backend } from '@autoassign/tensor';
import { writeFileAtomic, writeJson } from '../atomicFile.ts';
import type { FoundObject } from '../detectionPicture.ts';
import { detectionPicture } from '../detectionPicture.ts';
import { shownDetections } from '../detectionSheet.ts';
import type { Engine } from '../engine.ts';
import { describeEngine, engineOf, openEngine, startedBy } from '../engine.ts';
import { evaluationBatches } from '../imagePlan.ts';
import type { PredictOptions } from '../options.ts';
import { renderPicture } from '../pictures.ts';
import type { VerbContext } from '../program.ts';
import { startRun } from '../runFolder.ts';
import { distinctNames } from '../runResults.ts';
import type { LoadedDetector } from '../weightsFile.ts';
import { findWeights, loadDetector } from '../weightsFile.ts';

/** Images one by one; any of them may have a size of its own, and every padded size is a program. */
const mostPaddedSizes = 1024;
const largestPicture = 1600;

/** An image on its own as a dataset, so that it takes the same way into the network as any other. */
function imageDataset(file: string, pixels: Pixels, classes: readonly string[]): Dataset {
  const { width, height } = pixels;
  const record: ImageRecord = { id: 1, file, width, height, annotations: [] };
  const sample = { ...record, pixels };
  return {
    name: file,
    format: 'made',
    length: 1,
    classes,
    categoryIds: classes.map((_, label) => label + 1),
    report: { images: 1, objects: 0, crowds: 0, imagesWithoutObjects: 1, problems: [], problemCounts: {} },
    record: () => record,
    at: () => Promise.resolve(sample),
    async *[Symbol.asyncIterator]() {
      yield sample;
    },
  };
}

/** What was found in an image, as `detections.json` lists it. */
function listed(
  file: string,
  pixels: Pixels,
  found: readonly FoundObject[],
  classes: readonly string[],
): object {
  return {
    file,
    width: pixels.width,
    height: pixels.height,
    detections: found.map(({ box, label, score }) => ({
      class: classes[label] ?? `class ${label}`,
      score,
      box,
    })),
  };
}

async function drawFound(
  path: string,
  pixels: Pixels,
  found: readonly FoundObject[],
  classes: readonly string[],
  caption: string,
): Promise<void> {
  const longest = Math.max(pixels.width, pixels.height);
  const target = Math.min(largestPicture, Math.max(longest, 512));
  const scene = { image: pixels, detections: found, classNames: classes, caption };
  await writeFileAtomic(
    path,
    await renderPicture(detectionPicture(scene, { layout: 'overlaid', target }), 'png'),
  );
}

/** A function from an image to what is found in it above a score, one detection per object. */
function finderFor({ detector, params, test }: LoadedDetector, backend: Backend, score: number) {
  const { config } = detector;
  const predictor = createPredictor(config, { backend, maxTraces: mostPaddedSizes });
  return async (file: string, pixels: Pixels): Promise<readonly FoundObject[]> => {
    const plan = { detector: config, test };
    const found: FoundObject[] = [];
    for await (const batch of evaluationBatches(imageDataset(file, pixels, config.classes), plan, 1)) {
      const [detections] = await predictor.predictBatch(params, batch);
      if (detections !== undefined) found.push(...shownDetections(detections, score));
    }
    return found;
  };
}

/** How many decoded images are held between the check at the beginning and their turn. */
const mostHeld = 16;

/**
 * A function from a position to the pixels of that image, after every image was opened once: a wrong name costs nothing but an
 * error. The first images are held, so that a few of them are decoded only once; of many, the later ones are opened anew.
 *
 * Throws   DatasetError naming the image that cannot be opened
 */
async function openedImages(images: readonly string[]): Promise<(index: number) => Promise<Pixels>> {
  const held = new Map<number, Pixels>();
  for (const [index, image] of images.entries()) {
    const pixels = await openImage(image);
    if (held.size < mostHeld) held.set(index, pixels);
  }
  return async (index) => {
    const pixels = held.get(index);
    held.delete(index);
    return pixels ?? openImage(images[index] ?? '');
  };
}

/** Looks at every image in turn and leaves pictures and detections in a run folder. */
async function predictAll(
  options: PredictOptions,
  pixelsAt: (index: number) => Promise<Pixels>,
  { engine, backend }: { readonly engine: Engine; readonly backend: Backend },
  context: VerbContext,
): Promise<void> {
  const { reporter, signal } = context;
  const { images, out, name, score } = options;
  const loaded = await loadDetector(await findWeights(options.weights, out), backend);
  const { classes } = loaded.detector.config;
  const find = finderFor(loaded, backend, score);
  const config = {
    images,
    weights: loaded.path,
    score,
    backend: engine.backend,
    fma: engine.fma,
    precision: engine.precision,
    detector: loaded.detector.config,
  };
  reporter.message(`Looking with ${loaded.path}, by ${describeEngine(engine)}`);
  const files = await startRun(join(out, name), config, startedBy(context, engine));
  reporter.event({ event: 'run', folder: files.folder, weights: loaded.path });
  const pictures = distinctNames(images.map((image) => basename(image, extname(image))));
  const all: object[] = [];
  for (const [index, image] of images.entries()) {
    if (signal.aborted) break; // what was found so far is kept
    const pixels = await pixelsAt(index);
    const found = await find(image, pixels);
    all.push(listed(image, pixels, found, classes));
    await drawFound(join(files.folder, `${pictures[index]}.png`), pixels, found, classes, basename(image));
    reporter.event({ event: 'image', ...listed(image, pixels, found, classes) });
    const words = found.map(({ label, score: value }) => `${classes[label]} ${value.toFixed(2)}`);
    reporter.result(`${image}: ${words.join(', ') || `nothing above ${score}`}`);
  }
  await writeJson(join(files.folder, 'detections.json'), all);
  reporter.result(`Pictures and detections.json in ${files.folder}`);
}

/** Resolves when every image was looked at and its picture and detections are in a run folder. */
export async function predictVerb(options: PredictOptions, context: VerbContext): Promise<void> {
  const engine = engineOf(options);
  const pixelsAt = await openedImages(options.images);
  const backend = await openEngine(engine);
  try {
    await predictAll(options, pixelsAt, { engine, backend }, context);
  } finally {
    await backend.destroy();
  }
}
