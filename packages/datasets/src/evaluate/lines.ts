// Lines of numbers in text files, with errors that name file and line.
import { DatasetError } from '../errors.ts';

/** One line that is not blank: its words, and its number from 1. */
export interface Line {
  readonly words: readonly string[];
  readonly number: number;
}

/**
 * The lines of a text that are not blank; Windows line ends and a byte-order mark are no part of them.
 */
export const linesOf = (text: string): Line[] =>
  text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\n|\r/)
    .map((line, i) => ({ words: line.split(/[ \t]+/).filter((word) => word !== ''), number: i + 1 }))
    .filter(({ words }) => words.length > 0);

const numberForm = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

/**
 * The finite number that a word spells; undefined when it spells none.
 */
export const numberIn = (word: string | undefined): number | undefined => {
  if (word === undefined || !numberForm.test(word)) return undefined;
  const value = Number(word);
  return Number.isFinite(value) ? value : undefined;
};

/** Where and why a text file cannot be read. */
export interface LineFault {
  /** The function that reads. */
  readonly label: string;
  readonly file: string;
  readonly line: number;
  readonly needs: string;
  readonly got: string;
}

/**
 * The error about a line of a file.
 */
export const badLine = ({ label, file, line, needs, got }: LineFault): DatasetError =>
  new DatasetError(
    `${label}(${file}): needs ${needs}, got "${got.slice(0, 80)}" in line ${line}. Correct the line.`,
    { file, field: `line ${line}` },
  );
