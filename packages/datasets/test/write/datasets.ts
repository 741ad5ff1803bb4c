// Random datasets with everything that a record can say, and records without their ids to compare them.
import type { Annotation, Attributes, Dataset, ImageRecord } from '@autoassign/datasets';
import * as fc from 'fast-check';

export const recordsDataset = (
  records: readonly ImageRecord[],
  classes: readonly string[],
  categoryIds: readonly number[] = classes.map((_, label) => label + 1),
): Dataset => ({
  name: 'made up',
  format: 'made',
  length: records.length,
  classes,
  categoryIds,
  report: {
    images: records.length,
    objects: 0,
    crowds: 0,
    imagesWithoutObjects: 0,
    problems: [],
    problemCounts: {},
  },
  record: (index) => records[index]!,
  at: () => Promise.reject(new Error('no pictures')),
  async *[Symbol.asyncIterator]() {
    // no pictures
  },
});

/** Text that XML can hold and that readers do not trim. */
const anyText = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
  .map((text) => text.normalize('NFC'))
  .filter((text) => text === text.trim() && !/[\p{Cc}\p{Cs}\ufffe\uffff]/u.test(text));

const anyAttributes: fc.Arbitrary<Attributes> = fc.dictionary(
  fc.oneof(
    fc.constantFrom('pose', 'occluded', 'blur', 'iscrowd'),
    anyText.filter((name) => name !== '__proto__'),
  ),
  fc.oneof(
    anyText,
    fc.constantFrom('', 'Unspecified'),
    fc.boolean(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map(noMinusZero),
  ),
  { maxKeys: 4 },
);

function noMinusZero(value: number): number {
  return value === 0 ? 0 : value;
}

/** Numbers as annotation files have them: whole, with a few decimals, or any. */
const anySide = fc.oneof(
  fc.integer({ min: 1, max: 30 }),
  fc.integer({ min: 1, max: 3000 }).map((value) => value / 100),
  fc.double({ min: 1e-3, max: 40, noNaN: true }),
);
const anyCorner = fc.oneof(
  fc.integer({ min: 0, max: 39 }),
  fc.integer({ min: -50, max: 3900 }).map((value) => value / 100),
  fc.double({ min: 0, max: 39, noNaN: true }),
);

const anyAnnotation = (classes: number): fc.Arbitrary<Annotation> =>
  fc
    .record({
      corner: fc.tuple(anyCorner, anyCorner),
      size: fc.tuple(anySide, anySide),
      label: fc.integer({ min: 0, max: classes - 1 }),
      share: fc.oneof(fc.constant(1), fc.double({ min: 0.01, max: 1, noNaN: true })),
      flags: fc.tuple(fc.boolean(), fc.boolean(), fc.boolean(), fc.boolean()),
      attributes: fc.option(anyAttributes, { nil: undefined }),
    })
    .map(({ corner: [x, y], size, label, share, flags, attributes }) => ({
      id: 0,
      box: [noMinusZero(x), noMinusZero(y), x + size[0], y + size[1]] as const,
      size,
      label,
      area: share * (size[0] * size[1]),
      isCrowd: flags[0],
      isIgnored: flags[1],
      isDifficult: flags[2],
      isTruncated: flags[3],
      ...(attributes === undefined || Object.keys(attributes).length === 0 ? {} : { attributes }),
    }))
    .filter(({ box }) => box[2] > 0 && box[3] > 0);

const anyPart = fc
  .stringMatching(/^[a-zA-Z0-9 _.-]{1,8}$/)
  .filter((part) => part === part.trim() && !/^\.|\.$/.test(part));

/** A dataset of up to six pictures, some in subfolders, with names that need escaping. */
export const anyDataset: fc.Arbitrary<Dataset> = fc
  .uniqueArray(anyText, { minLength: 1, maxLength: 4 })
  .chain((classes) =>
    fc
      .uniqueArray(
        fc.tuple(fc.option(anyPart, { nil: undefined }), anyPart, fc.constantFrom('jpg', 'png', 'JPG')),
        {
          minLength: 1,
          maxLength: 6,
          selector: (parts) => parts.join('/').toLowerCase(),
        },
      )
      .chain((files) =>
        fc
          .tuple(...files.map(() => fc.array(anyAnnotation(classes.length), { maxLength: 4 })))
          .map((objects) => datasetOfParts(files, objects, classes)),
      ),
  );

const datasetOfParts = (
  files: readonly (readonly [string | undefined, string, string])[],
  objects: readonly (readonly Annotation[])[],
  classes: readonly string[],
): Dataset => {
  let id = 0;
  const records = files.map(([folder, name, extension], i): ImageRecord => {
    const file = `${folder === undefined ? '' : `${folder}/`}${name}.${extension}`;
    const annotations = objects[i]!.map((annotation) => ({ ...annotation, id: ++id }));
    return { id: i + 1, file, width: 40, height: 40, annotations };
  });
  return recordsDataset(records, classes);
};

/** Every record without its ids, in the order of the files. */
export const withoutIds = (dataset: Dataset): object => ({
  classes: dataset.classes,
  records: Array.from({ length: dataset.length }, (_, index) => {
    const { file, width, height, annotations } = dataset.record(index);
    return { file, width, height, annotations: annotations.map((annotation) => ({ ...annotation, id: 0 })) };
  }),
});
