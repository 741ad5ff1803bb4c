// Measuring a detector: its detections on every image of a dataset and the COCO numbers they give.
import type { CocoDetection, CocoEvaluation, CocoMetricName, Dataset } from '@autoassign/datasets';
import { evaluateCoco, groundTruthOf, toCocoDetections } from '@autoassign/datasets';
import type { Detections, Detector, Params, TestAugmentation } from '@autoassign/detector';
import type { Backend } from '@autoassign/tensor';
import { createFinder } from './finder.ts';
import { evaluationBatches } from './imagePlan.ts';
import type { TestSize } from './runConfig.ts';

/** What to measure, and with which images. */
export interface EvaluationRequest {
  readonly detector: Detector;
  readonly params: Params;
  readonly dataset: Dataset;
  readonly test: TestSize;
  readonly batchSize: number;
  /** Looks at every image several times, on a backend; once when left out. */
  readonly several?: { readonly augmentation: TestAugmentation; readonly backend: Backend } | undefined;
  /** Ends the measurement between two batches. */
  readonly signal: AbortSignal;
  /** Called after each batch with the number of images done. */
  readonly onProgress?: (images: number) => void;
}

/** The result of a measurement. */
export interface Measured {
  readonly evaluation: CocoEvaluation;
  /** By position in the dataset; boxes in pixels of the original images. */
  readonly detections: readonly Detections[];
  /** The same as entries of a COCO results file. */
  readonly results: readonly CocoDetection[];
  readonly seconds: number;
}

/** What was found in images with the given ids. */
interface FoundInBatch {
  readonly ids: readonly number[];
  readonly found: readonly Detections[];
}

/** What is found in every image, batch by batch or, looking several times, image by image. */
async function* foundIn(request: EvaluationRequest): AsyncGenerator<FoundInBatch, void, undefined> {
  const { detector, params, dataset, test, batchSize, signal, several } = request;
  const { config } = detector;
  if (several === undefined) {
    for await (const batch of evaluationBatches(dataset, { detector: config, test }, batchSize)) {
      signal.throwIfAborted();
      yield { ids: batch.ids, found: await detector.predictBatch(params, batch) };
    }
    return;
  }
  const { backend, augmentation } = several;
  const finder = await createFinder({ config, params, test, backend });
  try {
    for await (const picture of dataset) {
      signal.throwIfAborted();
      yield { ids: [picture.id], found: await finder.find([picture], { augmentation }) };
    }
  } finally {
    finder.destroy();
  }
}

/**
 * The detections of a detector on every image of a dataset with their COCO numbers.
 *
 * Throws   the reason of the signal when it fires; DatasetError when an image cannot be read
 */
export async function measure(request: EvaluationRequest): Promise<Measured> {
  const { dataset, onProgress } = request;
  const started = performance.now();
  const detections: Detections[] = [];
  const results: CocoDetection[] = [];
  for await (const { ids, found } of foundIn(request)) {
    found.forEach((perImage, index) => {
      results.push(...toCocoDetections(dataset, ids[index] ?? 0, perImage));
    });
    detections.push(...found);
    onProgress?.(detections.length);
  }
  const evaluation = evaluateCoco(groundTruthOf(dataset), results);
  return { evaluation, detections, results, seconds: (performance.now() - started) / 1000 };
}

/** The numbers of an evaluation that logs and summaries carry. */
export interface Scores {
  readonly ap: number;
  readonly ap50: number;
  readonly ap75: number;
  readonly perClass: Readonly<
    Record<string, { readonly ap: number | null; readonly ap50: number | null; readonly ap75: number | null }>
  >;
}

/** The main numbers of an evaluation, in 0..1; a dataset without objects counts as 0, a class without as null. */
export function scoresOf({ metrics, perClass }: CocoEvaluation): Scores {
  const overall = (name: CocoMetricName): number => metrics[name] ?? 0;
  return {
    ap: overall('AP'),
    ap50: overall('AP50'),
    ap75: overall('AP75'),
    perClass: Object.fromEntries(
      perClass.map(({ name, metrics: own }) => [name, { ap: own.AP, ap50: own.AP50, ap75: own.AP75 }]),
    ),
  };
}

/** The scores in a few words, such as `AP 46.5  AP50 72.5  AP75 53.5`. */
export function formatScores({ ap, ap50, ap75 }: Scores): string {
  const percent = (share: number): string => (100 * share).toFixed(1);
  return `AP ${percent(ap)}  AP50 ${percent(ap50)}  AP75 ${percent(ap75)}`;
}
