// What a finished training run leaves: its summary, pictures of what it finds and of how it assigns labels, and a table.
import { join } from 'node:path';
import { formatCocoReport } from '@autoassign/datasets';
import { assignmentPicture } from './assignmentPicture.ts';
import { assignmentScenes } from './assignmentScenes.ts';
import { writeFileAtomic, writeJson } from './atomicFile.ts';
import { detectionSheet } from './detectionSheet.ts';
import { formatScores, scoresOf } from './evaluation.ts';
import { writeMeasurementCharts } from './measurementCharts.ts';
import { renderPicture } from './pictures.ts';
import type { TrainingRun } from './prepareRun.ts';
import type { VerbContext } from './program.ts';
import { formatDuration } from './progressText.ts';
import { writeSummary } from './runFolder.ts';
import type { FinishedRun } from './trainRun.ts';
import { checkpointNames } from './weightsFile.ts';

/** A class name as part of a file name. */
function fileNamePart(name: string): string {
  return name.replace(/[^\p{L}\p{N}]+/gu, '-').replace(/^-+|-+$/g, '') || 'class';
}

/** The names, with a number added where one would be taken twice; case counts for nothing, as on some disks. */
export function distinctNames(names: readonly string[]): readonly string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    let free = name;
    for (let number = 2; taken.has(free.toLowerCase()); number += 1) free = `${name}-${number}`;
    taken.add(free.toLowerCase());
    return free;
  });
}

async function writeAssignmentPictures(run: TrainingRun, { params }: FinishedRun): Promise<void> {
  const { detector, backend, data, config, files } = run;
  const request = { detector, params, backend, dataset: data.validation, test: config.images.test };
  const scenes = await assignmentScenes(request);
  const names = distinctNames(scenes.map(({ className }) => fileNamePart(className)));
  for (const [index, scene] of scenes.entries()) {
    const path = join(files.folder, `assignment-${names[index]}.png`);
    await writeFileAtomic(path, await renderPicture(assignmentPicture(scene), 'png'));
  }
}

async function writePictures(run: TrainingRun, finished: FinishedRun): Promise<void> {
  const { data, files } = run;
  const title = formatScores(scoresOf(finished.measured.evaluation));
  const sheet = await detectionSheet(data.validation, finished.measured.detections, title);
  await writeFileAtomic(join(files.folder, 'detections.png'), await renderPicture(sheet, 'png'));
  await writeAssignmentPictures(run, finished);
  await writeMeasurementCharts(files.folder, data.validation, finished.measured);
}

/** What the user reads at the end: numbers in all and per class, how long it took, and where everything is. */
function closingWords(
  run: TrainingRun,
  { measured, spent, step, ending }: FinishedRun,
  { imagesPerSecond, predict }: { readonly imagesPerSecond: number; readonly predict: string },
): string {
  const { config, files } = run;
  const rate = imagesPerSecond.toFixed(1);
  return [
    '',
    formatCocoReport(measured.evaluation),
    '',
    ...(ending === undefined ? [] : [`Ended early: ${ending}.`]),
    `${step} steps in ${formatDuration(spent.total)}, ${rate} images/s while training, seed ${config.seed}`,
    '',
    `Results in ${files.folder}:`,
    '  detections.png       what it finds, beside what is there',
    '  assignment-*.png     how much every location stands for an object, level by level',
    '  confusion.svg        which class is taken for which; precision-recall.svg, priors.svg',
    '  loss.svg, ap.svg     how training went; rate.svg, results.csv, tensorboard/ and vis_data/ too',
    '  summary.json         the numbers',
    `  ${checkpointNames.best}     the weights: ${predict} <images> --weights ${files.folder}`,
  ].join('\n');
}

/**
 * Resolves when the summary and the pictures of a finished run are in its folder and the user was told.
 *
 * Throws   FileWriteError
 */
export async function leaveResults(
  run: TrainingRun,
  finished: FinishedRun,
  context: VerbContext,
): Promise<void> {
  const { config, engine, files, data } = run;
  const { measured, spent, step: steps, ending } = finished;
  context.reporter.message('Drawing pictures.');
  await writePictures(run, finished);
  const { batchSize } = config.recipe;
  const imagesPerSecond = steps === 0 ? 0 : (batchSize * steps) / spent.training;
  const summary = {
    ...scoresOf(measured.evaluation),
    steps,
    ...(ending === undefined ? {} : { ending }),
    seconds: spent.total,
    trainingSeconds: spent.training,
    imagesPerSecond,
    ...engine,
    seed: config.seed,
    images: config.imageCounts,
    metrics: measured.evaluation.metrics,
    peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
  };
  await writeJson(join(files.folder, 'data.json'), {
    train: { name: data.train.name, ...data.train.report },
    validation: { name: data.validation.name, ...data.validation.report },
    notes: data.notes,
  });
  // The last of all files: a run that has it is complete, and is not gone on with.
  await writeSummary(files, summary);
  context.reporter.event({ event: 'summary', folder: files.folder, ...summary });
  const predict = context.commandFor('predict');
  context.reporter.result(closingWords(run, finished, { imagesPerSecond, predict }));
}
