// What is wrong at one place of a file, before it is known which picture that concerns.
import { DatasetError } from './errors.ts';
import type { Problem, ProblemKind } from './types.ts';

/** Something wrong at one place of a file. */
export interface Fault {
  readonly kind: ProblemKind;
  /** Where in the file, as in `Problem.place`. */
  readonly place?: string;
  /** What was needed, what was found, and what to do: `needs …, got …. Do this.` */
  readonly sentence: string;
}

/**
 * The problem that a fault in a file is.
 *
 * Example  problems.add(problemOf('openVoc', 'VOC2007/Annotations/000005.xml', fault, 'VOC2007/000005.jpg'))
 */
export const problemOf = (label: string, file: string, fault: Fault, image?: string): Problem => ({
  kind: fault.kind,
  file,
  ...(fault.place === undefined ? {} : { place: fault.place }),
  ...(image === undefined ? {} : { image }),
  message: messageOf(label, file, fault),
});

/**
 * The error that a fault is when nothing can be read without that file.
 *
 * Example  throw errorOf('openWiderFace', file, fault)
 */
export const errorOf = (label: string, file: string, fault: Fault, cause?: unknown): DatasetError =>
  new DatasetError(messageOf(label, file, fault), {
    file,
    ...(fault.place === undefined ? {} : { field: fault.place }),
    cause,
  });

const messageOf = (label: string, file: string, { place, sentence }: Fault): string =>
  `${label}(${file}${place === undefined ? '' : `, ${place}`}): ${sentence}`;

/**
 * A value from a file as messages quote it: on one line, of bounded length.
 *
 * Example  quoted('a\nb') // '"a\\nb"'
 */
export const quoted = (value: string): string =>
  JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);

/**
 * True for a fault where a value was hoped for.
 *
 * Example  const text = decodeText(bytes); if (isFault(text)) throw errorOf(label, file, text)
 */
export const isFault = (value: unknown): value is Fault =>
  typeof value === 'object' && value !== null && 'sentence' in value;
