// Everything that a training run writes down while it goes: its own log, the one in mmdetection's form, TensorBoard's, table and charts.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Params, StepEvent } from '@autoassign/detector';
import { writeFileAtomic } from './atomicFile.ts';
import { detectionSheet } from './detectionSheet.ts';
import type { Scores } from './evaluation.ts';
import { formatScores, type Measured } from './evaluation.ts';
import type { MetricsLog } from './metrics.ts';
import { openMetrics, readMetrics } from './metrics.ts';
import { mmdetectionEvaluation, mmdetectionStep } from './mmdetectionLog.ts';
import { renderPicture } from './pictures.ts';
import type { TrainingRun } from './prepareRun.ts';
import { learnsPriors, priorChart, priorRecord } from './priorLog.ts';
import { resultsTable } from './resultsTable.ts';
import { openTensorboard, type TensorboardLog } from './tensorboard.ts';
import type { LogRecord } from './trainingLog.ts';
import { apChart, evaluationRecord, lossChart, rateChart, stepRecord } from './trainingLog.ts';

/** An evaluation after a step: of which parameters, and what came of it. */
interface Evaluated {
  readonly step: number;
  readonly params: Params;
  readonly scores: Scores;
  readonly measured: Measured;
}

/** The open logs of a run. */
export interface RunLogs {
  /** The run's own log, which everything else can be made from but times. */
  readonly metrics: MetricsLog;
  /** Writes a step down that waited so many seconds for its images; its line in the run's own log. */
  readonly step: (event: StepEvent, dataTime: number) => LogRecord;
  /** Writes an evaluation down, with a picture of what was found; its line in the run's own log. */
  readonly evaluation: (evaluated: Evaluated) => Promise<LogRecord>;
  readonly close: () => void;
}

/** The numbers of a line by tags such as `train/loss`. */
function tagged(record: LogRecord, family: string): Readonly<Record<string, number>> {
  const numbers = Object.entries(record).filter(
    (entry): entry is [string, number] => typeof entry[1] === 'number' && entry[0] !== 'step',
  );
  return Object.fromEntries(numbers.map(([name, value]) => [`${family}/${name}`, value]));
}

/** The table and the charts of a run, made anew from its log. */
async function writeCharts({ files, config }: TrainingRun): Promise<void> {
  const records = readMetrics(files.metrics);
  const priors = readMetrics(join(files.folder, 'priors.jsonl'));
  if (priors.length > 0)
    await writeFileAtomic(join(files.folder, 'priors.svg'), priorChart(priors, config.detector.classes));
  await writeFileAtomic(join(files.folder, 'results.csv'), resultsTable(records));
  await writeFileAtomic(join(files.folder, 'loss.svg'), lossChart(records));
  await writeFileAtomic(join(files.folder, 'rate.svg'), rateChart(records));
  await writeFileAtomic(join(files.folder, 'ap.svg'), apChart(records));
}

async function showDetections(
  { data }: TrainingRun,
  tensorboard: TensorboardLog,
  step: number,
  { measured, title }: { readonly measured: Measured; readonly title: string },
): Promise<void> {
  const sheet = await detectionSheet(data.validation, measured.detections, title);
  tensorboard.picture(step, 'validation/detections', await renderPicture(sheet, 'png'), sheet);
}

/**
 * The logs of a run that goes on from where it stands; lines of later steps are cut off.
 *
 * Throws   FileWriteError that names the file
 */
export async function openRunLogs(run: TrainingRun, stepsPerEpoch: number): Promise<RunLogs> {
  const { files, step: resumeAfter, config } = run;
  const metrics = await openMetrics(files.metrics, { resumeAfter });
  const folder = join(files.folder, 'vis_data');
  await mkdir(folder, { recursive: true });
  const scalars = await openMetrics(join(folder, 'scalars.json'), { resumeAfter });
  const priors = await openMetrics(join(files.folder, 'priors.jsonl'), { resumeAfter });
  const tensorboard = openTensorboard(join(files.folder, 'tensorboard'), resumeAfter);
  return {
    metrics,
    step: (event, dataTime) => {
      const record = stepRecord(event);
      metrics.append(record);
      const time = config.recipe.batchSize / event.imagesPerSecond;
      const memory = process.resourceUsage().maxRSS * 1024;
      scalars.append(mmdetectionStep(record, stepsPerEpoch, { time, dataTime, memory }));
      tensorboard.scalars(event.step, {
        ...tagged(record, 'train'),
        'train/imagesPerSecond': event.imagesPerSecond,
      });
      return record;
    },
    evaluation: async ({ step, params, scores, measured }) => {
      const record = evaluationRecord(step, scores);
      if (learnsPriors(config.detector)) priors.append(await priorRecord(step, params));
      metrics.append(record);
      scalars.append(mmdetectionEvaluation(step, measured.evaluation.metrics));
      tensorboard.scalars(step, tagged(record, 'validation'));
      await showDetections(run, tensorboard, step, { measured, title: formatScores(scores) });
      await writeCharts(run);
      return record;
    },
    close: () => {
      metrics.close();
      scalars.close();
      priors.close();
      tensorboard.close();
    },
  };
}
