// Ground truth and detections sorted into columns, one set per class, after a check of every entry.
import { DatasetError } from '../errors.ts';
import type { DetectionColumns, ObjectColumns } from './match.ts';
import type { CocoBox, CocoDetection, CocoGroundTruth } from './types.ts';

/** What there is of one class. */
export interface ClassColumns {
  readonly objects: ObjectColumns;
  readonly detections: DetectionColumns;
}

/**
 * The columns of every class, in the order of `categoryIds`; images are numbered by ascending id.
 *
 * Throws   DatasetError naming the entry that refers to an unknown image or category, or holds a number that is not finite
 */
export const columnsByClass = (
  groundTruth: CocoGroundTruth,
  detections: Iterable<CocoDetection>,
  categoryIds: readonly number[],
  imageIds: Iterable<number> | undefined,
): ClassColumns[] => {
  const all = new Set(groundTruth.images.map((image) => image.id));
  const wanted = imageIds === undefined ? all : new Set(imageIds);
  const imageNumber = new Map([...wanted].sort((a, b) => a - b).map((id, i) => [id, i]));
  const classNumber = new Map(categoryIds.map((id, k) => [id, k]));
  const columns = categoryIds.map(emptyColumns);
  const columnsFor = (list: string, i: number, entry: Entry): ClassColumns => {
    const field = `${list}[${i}]`;
    if (!all.has(entry.image_id)) throw unknown(`${field}.image_id`, entry.image_id, 'an image');
    const k = classNumber.get(entry.category_id);
    if (k === undefined) throw unknown(`${field}.category_id`, entry.category_id, 'a category');
    if (!entry.bbox.every(Number.isFinite)) throw notFinite(`${field}.bbox`, entry.bbox.join(', '));
    return columns[k]!;
  };
  for (const [i, object] of groundTruth.annotations.entries()) {
    const { objects } = columnsFor('annotations', i, object);
    if (!addBox(objects, imageNumber.get(object.image_id), object.bbox)) continue;
    objects.area.push(object.area ?? object.bbox[2] * object.bbox[3]);
    objects.crowd.push(object.iscrowd === 1);
  }
  let i = 0;
  for (const detection of detections) {
    const column = columnsFor('detections', i, detection).detections;
    if (!Number.isFinite(detection.score)) throw notFinite(`detections[${i}].score`, detection.score);
    i += 1;
    if (addBox(column, imageNumber.get(detection.image_id), detection.bbox))
      column.score.push(detection.score);
  }
  return columns;
};

type Entry = Pick<CocoDetection, 'image_id' | 'category_id' | 'bbox'>;

const emptyColumns = (): ClassColumns => ({
  objects: { image: [], x: [], y: [], width: [], height: [], area: [], crowd: [] },
  detections: { image: [], x: [], y: [], width: [], height: [], score: [] },
});

const addBox = (
  columns: ObjectColumns | DetectionColumns,
  image: number | undefined,
  [x, y, width, height]: CocoBox,
): boolean => {
  if (image === undefined) return false;
  columns.image.push(image);
  columns.x.push(x);
  columns.y.push(y);
  columns.width.push(width);
  columns.height.push(height);
  return true;
};

const unknown = (field: string, id: number, what: string): DatasetError =>
  new DatasetError(
    `evaluateCoco(${field}): needs the id of ${what} of the ground truth, got ${id}. Evaluate on the split the detections were made for.`,
    { field },
  );

const notFinite = (field: string, got: string | number): DatasetError =>
  new DatasetError(`evaluateCoco(${field}): needs finite numbers, got ${got}. Correct the entry.`, { field });
