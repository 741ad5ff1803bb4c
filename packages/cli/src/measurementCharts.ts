// The charts of a measurement: precision over recall, and which class is taken for which.
import { join } from 'node:path';
import type { Dataset } from '@autoassign/datasets';
import { writeFileAtomic, writeJson } from './atomicFile.ts';
import { confusionOf } from './confusion.ts';
import { confusionChart } from './confusionChart.ts';
import type { Measured } from './evaluation.ts';
import { precisionRecallChart } from './precisionRecallChart.ts';

/**
 * Resolves when the charts of a measurement on a dataset, and the counts of the confusion, are in a folder.
 *
 * Throws   FileWriteError
 */
export async function writeMeasurementCharts(
  folder: string,
  dataset: Dataset,
  { evaluation, detections }: Pick<Measured, 'evaluation' | 'detections'>,
): Promise<void> {
  await writeFileAtomic(join(folder, 'precision-recall.svg'), precisionRecallChart(evaluation));
  const confusion = confusionOf(dataset, detections);
  await writeFileAtomic(join(folder, 'confusion.svg'), confusionChart(confusion));
  await writeJson(join(folder, 'confusion.json'), confusion);
}
