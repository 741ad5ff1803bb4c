// The pictures of a PASCAL VOC dataset as a table, once the order of the classes is known.
import { boxFault } from '../boxFault.ts';
import { type Fault, isFault, problemOf, quoted } from '../fault.ts';
import type { ProblemList } from '../problems.ts';
import { type ImageEntry, type ImageTable, objectFlags, tableBuilder } from '../table.ts';
import type { Problem } from '../types.ts';
import type { VocObject } from './annotation.ts';
import type { VocImage } from './image.ts';

/**
 * The table of the pictures that can be used; image and object ids count from 1.
 *
 * Throws   DatasetError for the first problem under 'strict'
 * Example  assembleTable(images, classes, problems)
 */
export const assembleTable = (
  images: readonly (VocImage | Problem)[],
  classes: readonly string[],
  problems: ProblemList,
): ImageTable => {
  const labels = new Map(classes.map((name, label) => [name, label]));
  const builder = tableBuilder();
  let imageCount = 0;
  let objectCount = 0;
  for (const image of images) {
    if ('message' in image) {
      problems.add(image);
      continue;
    }
    const { file, width, height } = image;
    const entry = { id: ++imageCount, file, width, height };
    const index = builder.addImage(entry);
    for (const object of image.objects) {
      const fault = isFault(object) ? object : faultOf(object, labels, entry);
      if (fault !== undefined) problems.add(problemOf('openVoc', image.annotationFile, fault, file));
      else if (!isFault(object)) builder.addObject(index, entryOf(object, ++objectCount, labels));
    }
  }
  return builder.build();
};

const faultOf = (
  { className, place, box }: VocObject,
  labels: ReadonlyMap<string, number>,
  image: ImageEntry,
): Fault | undefined =>
  labels.has(className)
    ? boxFault(box, image, `${place}.bndbox`)
    : {
        kind: 'unknown class',
        place: `${place}.name`,
        sentence: `needs one of the ${labels.size} classes, got ${quoted(className)}. Correct the name, or add it to the classes.`,
      };

const entryOf = (object: VocObject, id: number, labels: ReadonlyMap<string, number>) => ({
  id,
  ...object.box,
  area: object.area ?? object.box.width * object.box.height,
  label: labels.get(object.className)!,
  flags:
    (object.isCrowd ? objectFlags.crowd : 0) +
    (object.isIgnored ? objectFlags.ignored : 0) +
    (object.isDifficult ? objectFlags.difficult : 0) +
    (object.isTruncated ? objectFlags.truncated : 0),
  attributes: object.attributes,
});
