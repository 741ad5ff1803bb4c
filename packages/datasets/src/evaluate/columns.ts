// Ground truth and detections as columns, grouped by class and image, after a check of every entry.
import { DatasetError } from '../errors.ts';
import { orderByKey, sortByScore } from './order.ts';
import type { CocoDetection, CocoGroundTruth } from './types.ts';

/** Boxes as columns: x, y, width, height in pixels, with the numbers of their image and class. */
interface BoxColumns {
  readonly image: number[];
  readonly category: number[];
  readonly x: number[];
  readonly y: number[];
  readonly width: number[];
  readonly height: number[];
}

/** The objects to find. */
export interface ObjectColumns extends BoxColumns {
  readonly area: number[];
  readonly crowd: boolean[];
}

/** What was found. */
export interface DetectionColumns extends BoxColumns {
  readonly score: number[];
}

/** Objects and detections in the order the evaluation goes through them. */
export interface Columns {
  readonly objects: ObjectColumns;
  readonly detections: DetectionColumns;
  readonly classes: number;
  /** The objects by class, then image. */
  readonly objectOrder: Uint32Array;
  /** The detections by class, then image, then descending score. */
  readonly detectionOrder: Uint32Array;
}

/** What to take of ground truth and detections. */
export interface ColumnsRequest {
  /** The function that error messages name. */
  readonly label: string;
  /** Categories in the order of their class numbers. */
  readonly categoryIds: readonly number[];
  /** Only these images; all unless given. */
  readonly imageIds?: Iterable<number> | undefined;
  /** Whether all categories are one class. */
  readonly isClassAgnostic?: boolean;
}

/**
 * The columns of all entries of the wanted images and categories; images are numbered by ascending id.
 *
 * Throws   DatasetError naming the entry that refers to an unknown image or category, or holds a number that is not finite
 */
export const columnsOf = (
  groundTruth: CocoGroundTruth,
  given: Iterable<CocoDetection>,
  request: ColumnsRequest,
): Columns => {
  const places = placesOf(groundTruth, request);
  const objects: ObjectColumns = { ...emptyBoxes(), area: [], crowd: [] };
  for (const [i, object] of groundTruth.annotations.entries()) {
    if (!addBox(objects, places, object, 'annotations', i)) continue;
    const { area, bbox, iscrowd } = object;
    objects.area.push(area ?? bbox[2] * bbox[3]);
    objects.crowd.push(iscrowd === 1);
  }
  const detections: DetectionColumns = { ...emptyBoxes(), score: [] };
  let i = 0;
  for (const detection of given) {
    const { score } = detection;
    if (!Number.isFinite(score)) throw notFinite(places, `detections[${i}].score`, score);
    if (addBox(detections, places, detection, 'detections', i)) detections.score.push(score);
    i += 1;
  }
  return orderedColumns(objects, detections, places, request.isClassAgnostic === true);
};

/** Where images and categories come in the order; those that are known but not wanted have no place. */
interface Places {
  readonly label: string;
  readonly image: ReadonlyMap<number, number>;
  readonly category: ReadonlyMap<number, number>;
  readonly knownImages: ReadonlySet<number>;
  readonly knownCategories: ReadonlySet<number>;
}

const placesOf = ({ images, categories }: CocoGroundTruth, request: ColumnsRequest): Places => {
  const knownImages = new Set(images.map(({ id }) => id));
  const wanted = request.imageIds === undefined ? knownImages : new Set(request.imageIds);
  return {
    label: request.label,
    image: new Map([...wanted].sort((a, b) => a - b).map((id, i) => [id, i])),
    category: new Map(request.categoryIds.map((id, k) => [id, k])),
    knownImages,
    knownCategories: new Set(categories.map(({ id }) => id)),
  };
};

const orderedColumns = (
  objects: ObjectColumns,
  detections: DetectionColumns,
  { image, category }: Places,
  isClassAgnostic: boolean,
): Columns => {
  // Class-agnostic evaluation orders the entries of an image by category first, which decides about equal scores.
  const byImage = (columns: BoxColumns, order: Uint32Array): Uint32Array =>
    orderByKey(order, columns.image, image.size);
  const byCategory = (columns: BoxColumns, order: Uint32Array): Uint32Array =>
    orderByKey(order, columns.category, category.size);
  const order = (columns: BoxColumns): Uint32Array => {
    const given = Uint32Array.from(columns.image, (_, i) => i);
    if (isClassAgnostic) return byImage(columns, byCategory(columns, given));
    return byCategory(columns, byImage(columns, given));
  };
  const [objectOrder, detectionOrder] = [order(objects), order(detections)];
  if (isClassAgnostic) for (const columns of [objects, detections]) columns.category.fill(0);
  for (let from = 0; from < detectionOrder.length; ) {
    const to = endOfImage(detections, detectionOrder, from, detectionOrder.length);
    sortByScore(detectionOrder, detections.score, from, to);
    from = to;
  }
  return { objects, detections, classes: isClassAgnostic ? 1 : category.size, objectOrder, detectionOrder };
};

/**
 * The end of the stretch that begins at `from` and has one image and one class, at most `end`.
 */
export const endOfImage = (columns: BoxColumns, order: Uint32Array, from: number, end: number): number => {
  const image = columns.image[order[from]!];
  const category = columns.category[order[from]!];
  let to = from + 1;
  while (to < end && columns.image[order[to]!] === image && columns.category[order[to]!] === category)
    to += 1;
  return to;
};

type Entry = Pick<CocoDetection, 'image_id' | 'category_id' | 'bbox'>;

const emptyBoxes = (): BoxColumns => ({ image: [], category: [], x: [], y: [], width: [], height: [] });

/** Appends the box if it is wanted, and tells whether it was. */
const addBox = (columns: BoxColumns, places: Places, entry: Entry, list: string, i: number): boolean => {
  const { image_id, category_id, bbox } = entry;
  const image = places.image.get(image_id);
  const category = places.category.get(category_id);
  if (image === undefined && !places.knownImages.has(image_id))
    throw unknown(places, `${list}[${i}].image_id`, image_id, 'an image');
  if (category === undefined && !places.knownCategories.has(category_id))
    throw unknown(places, `${list}[${i}].category_id`, category_id, 'a category');
  const [x, y, width, height] = bbox;
  // The sum of finite numbers may overflow; only then is each looked at.
  if (!Number.isFinite(x + y + width + height) && ![x, y, width, height].every(Number.isFinite))
    throw notFinite(places, `${list}[${i}].bbox`, bbox.join(', '));
  if (image === undefined || category === undefined) return false;
  columns.image.push(image);
  columns.category.push(category);
  columns.x.push(x);
  columns.y.push(y);
  columns.width.push(width);
  columns.height.push(height);
  return true;
};

const unknown = ({ label }: Places, field: string, id: number, what: string): DatasetError =>
  new DatasetError(
    `${label}(${field}): needs the id of ${what} of the ground truth, got ${id}. Evaluate on the split the detections were made for.`,
    { field },
  );

const notFinite = ({ label }: Places, field: string, got: string | number): DatasetError =>
  new DatasetError(`${label}(${field}): needs finite numbers, got ${got}. Correct the entry.`, { field });
