// The verb `eval`: the AP of a trained detector on a dataset, with its detections as a COCO results file.
import { join } from 'node:path';
import type { Dataset, ErrorAnalysis } from '@autoassign/datasets';
import {
  analyseErrors,
  DatasetError,
  formatCocoReport,
  formatErrorReport,
  groundTruthOf,
} from '@autoassign/datasets';
import type { Backend } from '@autoassign/tensor';
import { evaluate } from '@autoassign/tensor';
import { writeFileAtomic, writeJson } from '../atomicFile.ts';
import { usualAugmentation } from '../augmented.ts';
import { openForEvaluation } from '../dataSource.ts';
import { detectionSheet } from '../detectionSheet.ts';
import type { Engine } from '../engine.ts';
import { describeEngine, engineOf, openEngine, startedBy } from '../engine.ts';
import { errorChart } from '../errorChart.ts';
import type { EvaluationRequest, Measured } from '../evaluation.ts';
import { formatScores, measure, scoresOf } from '../evaluation.ts';
import { evaluationBatchSize } from '../imagePlan.ts';
import { writeMeasurementCharts } from '../measurementCharts.ts';
import type { EvalOptions } from '../options.ts';
import { type OwnEvaluation, ownEvaluationOf, writeOwnResults } from '../ownEvaluation.ts';
import { renderPicture } from '../pictures.ts';
import type { VerbContext } from '../program.ts';
import type { RunFiles } from '../runFolder.ts';
import { startRun } from '../runFolder.ts';
import type { LoadedDetector } from '../weightsFile.ts';
import { findWeights, loadDetector } from '../weightsFile.ts';

function requireSameClasses(folder: string, dataset: Dataset, { detector, path }: LoadedDetector): void {
  const { classes } = detector.config;
  if (classes.length === dataset.classes.length && classes.every((name, i) => name === dataset.classes[i]))
    return;
  throw new DatasetError(
    `eval(${folder}): needs the classes that ${path} was trained for (${classes.join(', ')}), got (${dataset.classes.join(', ')}). Choose other data or other weights.`,
    { file: folder, field: 'categories' },
  );
}

async function measureWithProgress(
  dataset: Dataset,
  { detector, params, test }: LoadedDetector,
  { batchSize, several }: Pick<EvaluationRequest, 'batchSize' | 'several'>,
  { reporter, signal }: VerbContext,
): Promise<Measured> {
  const progress = reporter.progress({ label: 'evaluate', total: dataset.length, unit: 'images' });
  try {
    const request = { detector, params, dataset, test, batchSize, several, signal };
    return await measure({ ...request, onProgress: progress.update });
  } finally {
    progress.finish();
  }
}

async function writeResults(
  files: RunFiles,
  dataset: Dataset,
  measured: Measured,
  { errors, own }: { readonly errors: ErrorAnalysis; readonly own: OwnEvaluation | undefined },
  engine: Engine,
): Promise<object> {
  const { evaluation, detections, results, seconds } = measured;
  const scores = scoresOf(evaluation);
  const summary = {
    ...scores,
    images: dataset.length,
    seconds,
    imagesPerSecond: dataset.length / seconds,
    ...engine,
    metrics: evaluation.metrics,
    ...own?.numbers,
    errors,
    data: dataset.report,
  };
  await writeJson(join(files.folder, 'detections.json'), results);
  const sheet = await detectionSheet(dataset, detections, formatScores(scores));
  await writeFileAtomic(join(files.folder, 'detections.png'), await renderPicture(sheet, 'png'));
  await writeFileAtomic(join(files.folder, 'errors.svg'), errorChart(errors));
  await writeMeasurementCharts(files.folder, dataset, measured);
  if (own !== undefined) await writeOwnResults(files.folder, own);
  await writeJson(files.summary, summary);
  return summary;
}

/** Measures the detector and leaves the results in a run folder of their own. */
async function evaluateOn(
  { dataset, notes }: Awaited<ReturnType<typeof openForEvaluation>>,
  options: EvalOptions,
  { engine, backend }: { readonly engine: Engine; readonly backend: Backend },
  context: VerbContext,
): Promise<void> {
  const { reporter } = context;
  const path = await findWeights(options.weights, options.out);
  const read = await loadDetector(path, backend, { preset: options.preset, classes: dataset.classes });
  const loaded = { ...read, params: await evaluate(read.params, { backend }) };
  requireSameClasses(options.data, dataset, loaded);
  for (const note of notes) reporter.message(note);
  reporter.message(
    `Evaluating ${loaded.path} on ${dataset.name}, ${dataset.length} images, by ${describeEngine(engine)}`,
  );
  const batchSize = Math.min(
    options.batch ?? evaluationBatchSize(loaded.test, dataset.length),
    dataset.length,
  );
  const augmentation =
    options.tta === true ? (loaded.detector.config.test.augmentation ?? usualAugmentation) : undefined;
  const several = augmentation === undefined ? undefined : { augmentation, backend };
  const measured = await measureWithProgress(dataset, loaded, { batchSize, several }, context);
  const config = {
    data: options.data,
    weights: loaded.path,
    batchSize,
    ...(augmentation === undefined ? {} : { augmentation }),
    backend: engine.backend,
    fma: engine.fma,
    precision: engine.precision,
    test: loaded.test,
    detector: loaded.detector.config,
  };
  const files = await startRun(join(options.out, options.name), config, startedBy(context, engine));
  reporter.event({ event: 'run', folder: files.folder, weights: loaded.path });
  const errors = analyseErrors(groundTruthOf(dataset), measured.results);
  const own = await ownEvaluationOf(dataset, measured.detections, options);
  const summary = await writeResults(files, dataset, measured, { errors, own }, engine);
  reporter.event({ event: 'summary', folder: files.folder, ...summary });
  const ownText = own === undefined ? '' : `\n\n${own.text}`;
  reporter.result(
    `\n${formatCocoReport(measured.evaluation)}${ownText}\n\n${formatErrorReport(errors)}\n\nResults in ${files.folder}: summary.json, detections.json, detections.png, errors.svg, precision-recall.svg, confusion.svg`,
  );
}

/** Resolves when the detector was measured and the results are in a run folder of their own. */
export async function evaluateVerb(options: EvalOptions, context: VerbContext): Promise<void> {
  const engine = engineOf(options);
  const { split, strict, followLinks = false } = options;
  const choice = { split, onProblem: strict ? 'strict' : 'skip', followLinks } as const;
  const opened = await openForEvaluation(options.data, choice, context);
  const backend = await openEngine(engine);
  try {
    await evaluateOn(opened, options, { engine, backend }, context);
  } finally {
    await backend.destroy();
  }
}
