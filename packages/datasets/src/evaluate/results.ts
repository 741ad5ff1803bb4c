// Between a dataset, the boxes a detector gives, and COCO's own forms: ground truth and the results file.
import { DatasetError, oneLine } from '../errors.ts';
import type { Dataset } from '../types.ts';
import type { CocoDetection, CocoGroundTruth } from './types.ts';

/** What a detector found in one image: boxes [x1, y1, x2, y2] one after the other, in pixels of the original image. */
export interface ImageDetections {
  readonly boxes: ArrayLike<number>;
  readonly scores: ArrayLike<number>;
  readonly labels: ArrayLike<number>;
}

/**
 * The ground truth of a dataset, as the evaluation takes it.
 *
 * Units    x, y, width, height in pixels, as annotated
 * Example  evaluateCoco(groundTruthOf(dataset), detections)
 */
export const groundTruthOf = (dataset: Dataset): CocoGroundTruth => {
  const records = Array.from({ length: dataset.length }, (_, i) => dataset.record(i));
  return {
    images: records.map(({ id }) => ({ id })),
    categories: dataset.classes.map((name, label) => ({ id: dataset.categoryIds[label]!, name })),
    annotations: records.flatMap((record) =>
      record.annotations.map(({ box, size, label, area, isCrowd }) => ({
        image_id: record.id,
        category_id: dataset.categoryIds[label]!,
        bbox: [box[0], box[1], size[0], size[1]] as const,
        area,
        iscrowd: isCrowd ? 1 : 0,
      })),
    ),
  };
};

/**
 * The detections of one image as entries of a COCO results file.
 *
 * Units    corners in, x, y, width, height out; pixels of the original image
 * Throws   DatasetError when a label is no class of the dataset
 * Example  toCocoDetections(dataset, sample.id, found)
 */
export const toCocoDetections = (
  dataset: Pick<Dataset, 'categoryIds'>,
  imageId: number,
  { boxes, scores, labels }: ImageDetections,
): CocoDetection[] =>
  Array.from(scores, (score, i) => {
    const category = dataset.categoryIds[labels[i]!];
    if (category === undefined) throw unknownLabel(labels[i], dataset.categoryIds.length);
    const [x1, y1, x2, y2] = [0, 1, 2, 3].map((side) => boxes[i * 4 + side]!) as [
      number,
      number,
      number,
      number,
    ];
    return { image_id: imageId, category_id: category, bbox: [x1, y1, x2 - x1, y2 - y1], score };
  });

const unknownLabel = (label: number | undefined, classes: number): DatasetError =>
  new DatasetError(
    `toCocoDetections(labels): needs labels from 0 to ${classes - 1}, got ${label}. Use a detector trained for this dataset.`,
    { field: 'labels' },
  );

/**
 * The entries of a COCO results file.
 *
 * Throws   DatasetError, naming file and entry, when the text is no such file
 * Example  evaluateCoco(groundTruthOf(dataset), parseCocoResults(text, 'results.json'))
 */
export const parseCocoResults = (text: string, file: string): CocoDetection[] => {
  const entries = parseArray(text, file);
  const wrong = entries.findIndex((entry) => !isDetection(entry));
  if (wrong < 0) return entries.filter(isDetection);
  throw new DatasetError(
    `parseCocoResults(${file}): needs image_id, category_id, bbox and score in each entry, got ${JSON.stringify(entries[wrong]).slice(0, 80)} as entry ${wrong}. Correct the file.`,
    { file, field: `[${wrong}]` },
  );
};

const parseArray = (text: string, file: string): unknown[] => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new DatasetError(
      `parseCocoResults(${file}): needs a JSON file, got "${oneLine(cause)}". Write the file again.`,
      { file, cause },
    );
  }
  if (Array.isArray(value)) return value;
  throw new DatasetError(
    `parseCocoResults(${file}): needs an array of detections, got ${typeof value}. Choose a COCO results file.`,
    { file },
  );
};

const isDetection = (entry: unknown): entry is CocoDetection => {
  if (typeof entry !== 'object' || entry === null) return false;
  const { image_id, category_id, bbox, score } = entry as Partial<Record<keyof CocoDetection, unknown>>;
  const isBox = Array.isArray(bbox) && bbox.length === 4 && bbox.every((value) => typeof value === 'number');
  return (
    isBox && typeof image_id === 'number' && typeof category_id === 'number' && typeof score === 'number'
  );
};
