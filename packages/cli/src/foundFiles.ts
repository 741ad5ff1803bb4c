// What was found in pictures, as text in the usual forms: a list of our own, a file per picture as YOLO writes it, COCO results.
import type { Box } from './pictures.ts';

/** The forms that results can have. */
export const resultFormats = ['json', 'txt', 'coco'] as const;

/** A form of results. */
export type ResultFormat = (typeof resultFormats)[number];

/** An object that was found: its class by number, its score, its box in pixels of the picture. */
export interface FoundBox {
  readonly label: number;
  readonly score: number;
  readonly box: Box;
}

/** A picture that was looked at, and what was found in it. */
export interface LookedAt {
  readonly file: string;
  /** What its own result files are called. */
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly found: readonly FoundBox[];
}

/** What was found in a picture, as `detections.json` and the events list it. */
export function listed({ file, width, height, found }: LookedAt, classes: readonly string[]): object {
  return {
    file,
    width,
    height,
    detections: found.map(({ box, label, score }) => ({
      class: classes[label] ?? `class ${label}`,
      score,
      box,
    })),
  };
}

/**
 * A line per object: class number, centre, width and height in shares of the picture, score.
 *
 * Example  yoloLines({ …, width: 100, height: 50, found: [{ label: 2, score: 0.5, box: [0, 0, 50, 50] }] }) // '2 0.25 0.5 0.5 1 0.5\n'
 */
export function yoloLines({ width, height, found }: LookedAt): string {
  const short = (value: number): string => String(Number(value.toFixed(6)));
  return found
    .map(({ label, score, box: [left, top, right, bottom] }) => {
      const centre = [(left + right) / 2 / width, (top + bottom) / 2 / height];
      const size = [(right - left) / width, (bottom - top) / height];
      return `${[label, ...[...centre, ...size, score].map(short)].join(' ')}\n`;
    })
    .join('');
}

/** The ids by which COCO's files name pictures and classes. */
export interface CocoIds {
  /** By position of the picture. */
  readonly images: readonly number[];
  /** By label. */
  readonly categories: readonly number[];
}

/** The entries of a COCO results file for the picture with an id. */
export function cocoResults(
  { found }: LookedAt,
  imageId: number,
  { categories }: CocoIds,
): readonly object[] {
  return found.map(({ label, score, box: [left, top, right, bottom] }) => ({
    image_id: imageId,
    category_id: categories[label],
    bbox: [left, top, right - left, bottom - top],
    score,
  }));
}

/** What tells the ids of a results file: pictures and classes in the form of COCO's annotation files. */
export function cocoIndex(
  pictures: readonly (LookedAt & { readonly id: number })[],
  classes: readonly string[],
  { categories }: CocoIds,
): object {
  return {
    images: pictures.map(({ id, file, width, height }) => ({ id, file_name: file, width, height })),
    categories: classes.map((name, label) => ({ id: categories[label], name })),
  };
}
