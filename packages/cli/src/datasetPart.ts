// A part of a dataset as a dataset of its own, and a seeded split where a folder holds only one set of annotations.
import type { Dataset, DatasetReport, Sample } from '@autoassign/datasets';
import { countProblems, planBatches } from '@autoassign/datasets';

/** The share of the images that is held out when a folder brings no validation split. */
const heldOutShare = 0.1;

function reportOf(dataset: Dataset, files: ReadonlySet<string>): DatasetReport {
  const records = Array.from({ length: dataset.length }, (_, index) => dataset.record(index));
  const annotations = records.flatMap((record) => record.annotations);
  const problems = dataset.report.problems.filter(({ image }) => image === undefined || files.has(image));
  return {
    images: records.length,
    objects: annotations.length,
    crowds: annotations.filter(({ isCrowd }) => isCrowd).length,
    imagesWithoutObjects: records.filter((record) => record.annotations.length === 0).length,
    problems,
    problemCounts: countProblems(problems),
  };
}

/** The images of a dataset at the given indices, in that order. */
export function datasetPart(dataset: Dataset, indices: readonly number[], name: string): Dataset {
  const indexOf = (position: number): number => indices[position] ?? dataset.length; // beyond the end: refused there
  const { locate } = dataset;
  const part = {
    ...(locate === undefined ? {} : { locate: (position: number) => locate(indexOf(position)) }),
    name: `${dataset.name} (${name})`,
    format: dataset.format,
    length: indices.length,
    classes: dataset.classes,
    categoryIds: dataset.categoryIds,
    record: (position: number) => dataset.record(indexOf(position)),
    at: (position: number) => dataset.at(indexOf(position)),
    async *[Symbol.asyncIterator](): AsyncGenerator<Sample, void, undefined> {
      for (const index of indices) yield await dataset.at(index);
    },
  };
  const files = new Set(indices.map((index) => dataset.record(index).file));
  const whole = { ...part, report: dataset.report };
  return { ...whole, report: reportOf(whole, files) };
}

/** Two parts of a dataset without a common image: a tenth drawn by the seed to validate on, the rest to train on. */
export function holdOut(
  dataset: Dataset,
  seed: number,
): { readonly train: Dataset; readonly validation: Dataset } {
  const count = Math.min(dataset.length - 1, Math.max(1, Math.round(heldOutShare * dataset.length)));
  if (count < 1) return { train: dataset, validation: dataset }; // a single image has to serve as both
  const order = planBatches(dataset, { batchSize: 1, purpose: 'evaluate', shuffle: true, seed }, 0).flat();
  const inFileOrder = (indices: readonly number[]): readonly number[] => [...indices].sort((a, b) => a - b);
  return {
    train: datasetPart(dataset, inFileOrder(order.slice(count)), 'training part'),
    validation: datasetPart(dataset, inFileOrder(order.slice(0, count)), 'held-out part'),
  };
}
