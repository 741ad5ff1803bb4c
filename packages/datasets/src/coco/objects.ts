// The objects of an annotation file, entry by entry: columns in the order of the file, before images and classes are looked up.
import { bytes, doubles, type Identifiers, identifiers, integers, joinIdentifiers } from '../columns.ts';
import type { JsonEntry } from '../json/reading.ts';
import { attributeList, type ObjectColumns, objectFlags } from '../table.ts';
import type { Attributes } from '../types.ts';
import { attributeIndices } from './attributes.ts';
import { boxIn } from './box.ts';
import { entryFields, type FileAtHand } from './entries.ts';
import { type EntryIndices, entryIndices } from './rows.ts';

/** The objects whose fields are right, in the order of the file. */
export interface FoundObjects extends Omit<ObjectColumns, 'images' | 'ids' | 'labels'> {
  readonly ids: Identifiers;
  readonly imageIds: Identifiers[];
  readonly categoryIds: Identifiers[];
  readonly attributes: readonly Attributes[];
  readonly entries: EntryIndices;
}

/** Objects while the file is being read. */
export interface ObjectReader {
  add(entry: JsonEntry, index: number): void;
  finish(): FoundObjects;
}

const names = [
  'id',
  'image_id',
  'category_id',
  'bbox',
  'area',
  'iscrowd',
  'ignore',
  'difficult',
  'truncated',
];
const [id, imageId, categoryId, bbox, area, firstFlag] = [0, 1, 2, 3, 4, 5];

/** The bits of the fields from `iscrowd` on. */
const bits = [objectFlags.crowd, objectFlags.ignored, objectFlags.difficult, objectFlags.truncated];

/**
 * A reader of the entries of `annotations`; the fields `extras` are kept as attributes.
 */
export const objectReader = (context: FileAtHand, extras: readonly string[]): ObjectReader => {
  const fields = entryFields(context, 'annotations', [...names, 'attributes', ...extras]);
  const attributes = attributeList();
  const attributeIndex = attributeIndices(fields, names.length, extras, attributes);
  const [ids, imageIds, categoryIds] = [identifiers(), identifiers(), identifiers()];
  const [boxes, areas] = [doubles(), doubles()];
  const [flags, indices] = [bytes(), integers()];
  const entries = entryIndices();
  const box = new Float64Array(4);

  const hasBox = (entry: JsonEntry): boolean => {
    const start = fields.start(bbox);
    if (start >= 0 && boxIn(entry.bytes, start, box)) return true;
    fields.wrong(bbox, 'four numbers [x, y, width, height]');
    return false;
  };
  /** The area as annotated, or that of the box where there is none; undefined, with a problem, for something else. */
  const areaOf = (): number | undefined => {
    const kind = fields.kind(area);
    if (kind !== 'a number' && kind !== 'null' && kind !== 'nothing') {
      fields.wrong(area, 'a number');
      return undefined;
    }
    const given = kind === 'a number' ? fields.number(area) : Number.NaN;
    return Number.isFinite(given) ? given : box[2]! * box[3]!;
  };
  const flagsOf = (): number | undefined => {
    let sum = 0;
    for (let i = 0; i < bits.length; i++) {
      const flag = fields.flag(firstFlag + i);
      if (flag === undefined) return undefined;
      sum += flag * bits[i]!;
    }
    return sum;
  };
  return {
    add: (entry, index) => {
      if (!fields.open(entry, index)) return;
      const own = fields.integer(id);
      if (own === undefined) return;
      const image = fields.integer(imageId);
      if (image === undefined) return;
      const category = fields.integer(categoryId);
      if (category === undefined || !hasBox(entry)) return;
      const size = areaOf();
      if (size === undefined) return;
      const sum = flagsOf();
      if (sum === undefined) return;
      ids.push(own);
      imageIds.push(image);
      categoryIds.push(category);
      for (let side = 0; side < 4; side++) boxes.push(box[side]!);
      areas.push(size);
      flags.push(sum);
      indices.push(attributeIndex(entry.bytes));
      entries.add(index);
    },
    finish: () => ({
      ids: joinIdentifiers(ids.take()),
      imageIds: imageIds.take(),
      categoryIds: categoryIds.take(),
      boxes: boxes.take(),
      areas: areas.take(),
      flags: flags.take(),
      attributeIndices: indices.take(),
      attributes: attributes.all,
      entries,
    }),
  };
};
