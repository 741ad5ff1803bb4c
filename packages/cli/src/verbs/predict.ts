// The verb `predict`: what a trained detector finds in picture files, drawn into them and as text in the usual forms.
import { join } from 'node:path';
import type { Backend } from '@autoassign/tensor';
import { writeJson } from '../atomicFile.ts';
import { usualAugmentation } from '../augmented.ts';
import { idsFor, type KnownIds, readKnownIds } from '../cocoIds.ts';
import type { Engine } from '../engine.ts';
import { describeEngine, engineOf, openEngine, startedBy } from '../engine.ts';
import { ReportedFailure, UsageError } from '../exitCodes.ts';
import type { FindOptions } from '../finder.ts';
import { createFinder } from '../finder.ts';
import { cocoIndex, cocoResults, listed } from '../foundFiles.ts';
import type { LookingWork, SeenPicture } from '../lookAtPictures.ts';
import { lookAtPictures } from '../lookAtPictures.ts';
import type { PredictOptions } from '../options.ts';
import type { PictureFile } from '../pictureFiles.ts';
import { pictureFiles } from '../pictureFiles.ts';
import type { VerbContext } from '../program.ts';
import { startRun } from '../runFolder.ts';
import { distinctNames } from '../runResults.ts';
import type { LoadedDetector } from '../weightsFile.ts';
import { findWeights, loadDetector } from '../weightsFile.ts';

/** Unless it is said, pictures go through the network together until they have so many pixels. */
const pixelsTogether = 2 ** 19;
const mostTogether = 8;

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

/** Writes what belongs to all pictures together, and says where it is. */
async function writeLists(
  { folder, classes, ids, format, pictures }: LookingWork,
  seen: readonly SeenPicture[],
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
  const work: LookingWork = { ...options, files, names, classes: config.classes, finder, find, folder, ids };
  const { seen, unreadable } = await lookAtPictures(work, context);
  reporter.result(await writeLists(work, seen));
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
