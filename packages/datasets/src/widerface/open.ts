// Opens a WiderFace folder: faces and picture sizes at once, pictures decoded on demand.
import { boxFault } from '../boxFault.ts';
import { readMany } from '../concurrent.ts';
import { datasetOf } from '../dataset.ts';
import { DatasetError } from '../errors.ts';
import { errorOf, type Fault, isFault, problemOf } from '../fault.ts';
import { readFrom } from '../files.ts';
import { joinPath } from '../paths.ts';
import { readPicture } from '../picture.ts';
import type { PictureSize } from '../pictureSize.ts';
import { type ProblemList, problemList } from '../problems.ts';
import { fileOfTable, type ImageTable, type ObjectEntry, objectFlags, tableBuilder } from '../table.ts';
import { decodeText } from '../textFile.ts';
import type { Dataset, FileSource, Problem } from '../types.ts';
import { chooseWiderFile, locateWiderFace, type WiderFaceOptions } from './layout.ts';
import { parseFileList, parseWiderFace, type WiderEntry, type WiderFace } from './parse.ts';
import { sizeReader } from './sizes.ts';

/**
 * The pictures and faces of a WiderFace folder, or of one of its annotation files given by its path.
 *
 * Faces that the file calls invalid are kept and ignored; the other flags are attributes. The files do not tell the sizes of
 * the pictures: these are read from the first bytes of every picture.
 *
 * Units    boxes as corners in pixels; the one class is `face`
 * Throws   DatasetError when the folder, the annotation file or every picture cannot be used; what concerns one picture or
 *          face is left out and listed in `report` instead
 * Example  const dataset = await openWiderFace('data/wider', { split: 'val' })
 */
export const openWiderFace = async (
  location: string | FileSource,
  options: WiderFaceOptions = {},
): Promise<Dataset> => {
  const { source, options: located } = locateWiderFace(location, options);
  const { path, split, isList } = await chooseWiderFile(source, located);
  const file = `${source.name}/${path}`;
  const text = decodeText(await readFrom(source, path, 'openWiderFace'));
  if (isFault(text)) throw errorOf('openWiderFace', file, text);
  const images = imageFolder(source, split, located);
  const problems = problemList(options.onProblem ?? 'skip');
  const parsed = isList ? parseFileList(text) : parseWiderFace(text);
  const table = await fillTable(parsed, file, problems, sizeReader(source, images, file), options);
  if (table.length === 0) throw nothingLeft(file, problems.found);
  const pathOf = (picture: string): string => joinPath(images, picture);
  const { locate } = source;
  return datasetOf({
    label: 'openWiderFace',
    name: split === '' ? source.name : `${source.name} (${split})`,
    format: 'widerface',
    classes: ['face'],
    categoryIds: [1],
    table,
    problems: problems.found,
    problemCounts: problems.counts,
    maxPixels: options.maxPixels,
    decode: (record) => readPicture('openWiderFace', source, pathOf(record.file), record, options),
    ...(locate === undefined ? {} : { locate: (index) => locate(pathOf(fileOfTable(table, index))) }),
  });
};

const imageFolder = (source: FileSource, split: string, { images }: WiderFaceOptions): string => {
  if (images !== undefined) return images.replace(/\/+$/, '');
  if (split !== '') return `WIDER_${split}/images`;
  throw new DatasetError(
    `openWiderFace(${source.name}): needs the option split or images, got an annotation file whose name tells neither. Name one of the two.`,
    { file: source.name, field: 'images' },
  );
};

const fillTable = async (
  parsed: readonly (WiderEntry | Fault)[],
  file: string,
  problems: ProblemList,
  sizeOf: (entry: WiderEntry) => Promise<PictureSize | Problem>,
  options: WiderFaceOptions,
): Promise<ImageTable> => {
  const read = async (entry: WiderEntry | Fault): Promise<PictureSize | Problem> =>
    isFault(entry) ? problemOf('openWiderFace', file, entry) : sizeOf(entry);
  const sizes = await readMany(parsed, read, options);
  const builder = tableBuilder();
  let imageCount = 0;
  let faceCount = 0;
  for (const [i, entry] of parsed.entries()) {
    const size = sizes[i]!;
    if ('message' in size) problems.add(size);
    if ('message' in size || isFault(entry)) continue;
    const image = { id: ++imageCount, file: entry.path, width: size.width, height: size.height };
    const index = builder.addImage(image);
    for (const face of entry.faces) {
      const fault = isFault(face) ? face : boxFault(face, image, face.place);
      if (fault !== undefined) problems.add(problemOf('openWiderFace', file, fault, entry.path));
      else if (!isFault(face)) builder.addObject(index, entryOf(face, ++faceCount));
    }
  }
  return builder.build();
};

const entryOf = ({ isInvalid, place: _, ...face }: WiderFace, id: number): ObjectEntry => ({
  id,
  ...face,
  area: face.width * face.height,
  label: 0,
  flags: isInvalid ? objectFlags.ignored : 0,
});

const nothingLeft = (file: string, problems: readonly Problem[]): DatasetError => {
  const got =
    problems.length === 0
      ? 'none'
      : `${problems.length} problems, first: ${problems[0]!.message.replace(/\.$/, '')}`;
  return new DatasetError(
    `openWiderFace(${file}): needs at least one picture, got ${got}. Correct the files, or choose another split.`,
    { file, field: 'split' },
  );
};
