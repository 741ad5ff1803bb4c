// Datasets as COCO annotation files, written piece by piece: a file may be longer than any text that can be held.
import type { Annotation, Dataset, FolderWriter, ImageRecord } from '../types.ts';
import { type NamedPicture, namePictures, type Splits } from './names.ts';
import { placesOf, type WriteOptions, type WrittenDataset, writeWhole } from './options.ts';

/** Text is handed on in pieces of about this many characters. */
const pieceLength = 1 << 16;

/**
 * What was written: `annotations/instances_<split>.json` for every split. Pictures belong into `images/`.
 *
 * Fields beyond COCO's own, where they say something: `ignore`, `difficult`, `truncated` (1) and `attributes` (values by name).
 * Ids are kept where they are distinct whole numbers, else counted from 1.
 *
 * Units    boxes [x, y, width, height] in pixels and areas as annotated
 * Throws   DatasetError when the folder is not empty or cannot be written, splits have different classes, or pictures one name
 * Example  await writeCoco('cells-coco', { train: dataset })
 */
export const writeCoco = (
  folder: string | FolderWriter,
  splits: Splits,
  options: WriteOptions = {},
): Promise<WrittenDataset> =>
  writeWhole('writeCoco', folder, options.signal, async (writer) => {
    const named = namePictures('writeCoco', splits);
    let images = 0;
    let objects = 0;
    const onImage = (count: number): void => {
      images += 1;
      objects += count;
      options.onProgress?.(images, named.length);
    };
    for (const [split, dataset] of Object.entries(splits)) {
      const own = named.filter((picture) => picture.split === split);
      const pieces = encoded(cocoText(dataset, own, onImage), options.signal);
      await writer.write(`annotations/instances_${split}.json`, pieces);
    }
    return { images, objects, pictures: placesOf(named, 'images') };
  });

/** The text in pieces of a good size, as bytes. */
async function* encoded(
  text: Iterable<string>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const encoder = new TextEncoder();
  let piece = '';
  for (const part of text) {
    piece += part;
    if (piece.length < pieceLength) continue;
    signal?.throwIfAborted();
    yield encoder.encode(piece);
    piece = '';
  }
  signal?.throwIfAborted();
  yield encoder.encode(piece);
}

/** The annotation file of a dataset, entry by entry, each on a line. */
function* cocoText(
  dataset: Dataset,
  pictures: readonly NamedPicture[],
  onImage: (objects: number) => void,
): Generator<string, void, undefined> {
  const { categoryIds } = dataset;
  const categories = dataset.classes.map((name, label) => ({ id: categoryIds[label], name }));
  const isImageIdKept = areDistinct(dataset, (record) => [record.id]);
  const isObjectIdKept = areDistinct(dataset, (record) => record.annotations.map(({ id }) => id));
  const imageId = (record: ImageRecord, index: number): number => (isImageIdKept ? record.id : index + 1);
  yield `{"info":{"description":"written by @autoassign/datasets"},\n"categories":${JSON.stringify(categories)},\n"images":[`;
  for (const { index, name } of pictures) {
    const record = dataset.record(index);
    const { width, height } = record;
    const entry = { id: imageId(record, index), file_name: name, width, height };
    yield `${index === 0 ? '' : ','}\n${JSON.stringify(entry)}`;
  }
  yield '],\n"annotations":[';
  let count = 0;
  for (let index = 0; index < dataset.length; index++) {
    const record = dataset.record(index);
    for (const annotation of record.annotations) {
      count += 1;
      const ids = { id: isObjectIdKept ? annotation.id : count, image_id: imageId(record, index) };
      const entry = { ...ids, category_id: categoryIds[annotation.label], ...fieldsOf(annotation) };
      yield `${count === 1 ? '' : ','}\n${JSON.stringify(entry)}`;
    }
    onImage(record.annotations.length);
  }
  yield ']}\n';
}

const fieldsOf = (annotation: Annotation): object => {
  const { box, size, area, isCrowd, isIgnored, isDifficult, isTruncated, attributes } = annotation;
  return {
    bbox: [box[0], box[1], ...size],
    area,
    iscrowd: Number(isCrowd),
    ...(isIgnored ? { ignore: 1 } : {}),
    ...(isDifficult ? { difficult: 1 } : {}),
    ...(isTruncated ? { truncated: 1 } : {}),
    ...(attributes === undefined ? {} : { attributes }),
  };
};

const areDistinct = (dataset: Dataset, idsOf: (record: ImageRecord) => readonly number[]): boolean => {
  const seen = new Set<number>();
  for (let index = 0; index < dataset.length; index++)
    for (const id of idsOf(dataset.record(index))) {
      if (!Number.isSafeInteger(id) || seen.has(id)) return false;
      seen.add(id);
    }
  return true;
};
