// Between a dataset, the boxes a detector gives, and the results files of PASCAL VOC (`comp4_det_test_<class>.txt`).
import { DatasetError } from '../../errors.ts';
import type { Dataset, ImageRecord } from '../../types.ts';
import { badLine, linesOf, numberIn } from '../lines.ts';
import type { ImageDetections } from '../results.ts';
import type { VocDetection, VocGroundTruth } from './types.ts';

/** Digits behind the point of the coordinates in results files. */
const coordinateDigits = 3;

/** The file name of an image without folder and ending. */
const stemOf = (file: string): string => file.replace(/^.*[\\/]/, '').replace(/\.[^.]*$/, '');

/**
 * The ground truth of a dataset, as the VOC evaluation takes it; crowds and ignored objects count as difficult.
 *
 * Throws   DatasetError when two images have the same file name
 * Example  evaluateVoc(vocGroundTruthOf(dataset), detections)
 */
export const vocGroundTruthOf = (dataset: Dataset): VocGroundTruth => {
  const fileOf = new Map<string, string>();
  const images = Array.from({ length: dataset.length }, (_, i) => {
    const { file, annotations } = dataset.record(i);
    const id = stemOf(file);
    const other = fileOf.get(id);
    if (other !== undefined) throw sameName(dataset.name, other, file);
    fileOf.set(id, file);
    const objects = annotations.map(({ box, label, isDifficult, isIgnored, isCrowd }) => ({
      box,
      label,
      isDifficult: isDifficult || isIgnored || isCrowd,
    }));
    return { id, objects };
  });
  return { classes: dataset.classes, images };
};

const sameName = (dataset: string, first: string, second: string): DatasetError =>
  new DatasetError(
    `vocGroundTruthOf(${dataset}): needs images with different file names, got ${first} and ${second}. Rename one of them.`,
    { file: second },
  );

/**
 * The detections of one image as the VOC evaluation takes them.
 *
 * Units    corners in pixels of the original image
 * Example  toVocDetections(dataset.record(0), found)
 */
export const toVocDetections = (
  { file }: Pick<ImageRecord, 'file'>,
  { boxes, scores, labels }: ImageDetections,
): VocDetection[] =>
  Array.from(scores, (score, i) => ({
    imageId: stemOf(file),
    label: labels[i]!,
    box: [boxes[4 * i]!, boxes[4 * i + 1]!, boxes[4 * i + 2]!, boxes[4 * i + 3]!] as const,
    score,
  }));

/** A text file to be written. */
export interface ResultsFile {
  readonly name: string;
  readonly text: string;
}

/** Which competition and set the names of results files tell. */
export interface VocResultsOptions {
  readonly competition?: string;
  readonly set?: string;
}

/**
 * The results files of the VOC development kit, one per class, also where nothing was found.
 *
 * Units    edges of boxes in; first and last pixels counted from 1 in the files, to 3 digits, so that reading gives them back within 0.0005; scores exactly
 * Throws   DatasetError when a label is none of the classes, a number is not finite, or an image id is empty or has blanks
 * Example  for (const { name, text } of formatVocResults(dataset.classes, detections)) await writeFile(name, text)
 */
export const formatVocResults = (
  classes: readonly string[],
  detections: Iterable<VocDetection>,
  { competition = 'comp4', set = 'test' }: VocResultsOptions = {},
): ResultsFile[] => {
  const lines = classes.map((): string[] => []);
  let i = 0;
  for (const { imageId, label, box, score } of detections) {
    const field = `detections[${i++}]`;
    const [x1, y1, x2, y2] = box;
    if (lines[label] === undefined)
      throw notWritable(`${field}.label`, `labels from 0 to ${classes.length - 1}`, String(label));
    if (!/^\S+$/.test(imageId)) throw notWritable(`${field}.imageId`, 'an id without blanks', `"${imageId}"`);
    if (![...box, score].every(Number.isFinite))
      throw notWritable(field, 'finite numbers', [...box, score].join(', '));
    const corners = [x1 + 1, y1 + 1, x2, y2].map((value) => value.toFixed(coordinateDigits));
    lines[label].push(`${imageId} ${score} ${corners.join(' ')}\n`);
  }
  return classes.map((name, label) => ({
    name: `${competition}_det_${set}_${name}.txt`,
    text: lines[label]!.join(''),
  }));
};

const notWritable = (field: string, needs: string, got: string): DatasetError =>
  new DatasetError(`formatVocResults(${field}): needs ${needs}, got ${got}. Correct the detection.`, {
    field,
  });

/**
 * The detections in one results file of the VOC development kit, whose name tells the class.
 *
 * Units    pixels counted from 1 in the file; edges of boxes out
 * Throws   DatasetError, naming file and line, when the name ends with no class or a line is malformed
 * Example  parseVocResults(text, 'comp4_det_test_car.txt', dataset.classes)
 */
export const parseVocResults = (text: string, file: string, classes: readonly string[]): VocDetection[] => {
  const label = labelIn(file, classes);
  return linesOf(text).map(({ words, number }) => {
    const [imageId, ...rest] = words;
    const [score, x1, y1, x2, y2] = rest.map(numberIn);
    if (
      imageId === undefined ||
      rest.length !== 5 ||
      score === undefined ||
      x1 === undefined ||
      y1 === undefined ||
      x2 === undefined ||
      y2 === undefined
    )
      throw badLine({
        label: 'parseVocResults',
        file,
        line: number,
        needs: 'an image, a score and four coordinates',
        got: words.join(' '),
      });
    return { imageId, label, box: [x1 - 1, y1 - 1, x2, y2] as const, score };
  });
};

/** The label of the class with the longest name that the file name ends with. */
const labelIn = (file: string, classes: readonly string[]): number => {
  const stem = stemOf(file);
  const fitting = classes.filter((name) => stem === name || stem.endsWith(`_${name}`));
  const longest = fitting.sort((a, b) => b.length - a.length)[0];
  if (longest !== undefined) return classes.indexOf(longest);
  throw new DatasetError(
    `parseVocResults(${file}): needs a name that ends with one of the classes (${classes.slice(0, 8).join(', ')}${classes.length > 8 ? ', ...' : ''}), got "${stem}". Rename the file.`,
    { file },
  );
};
