// The fields of the entries of an annotation file: taken from their bytes and checked, with a problem for each that is wrong.
import { fieldSpans } from '../json/fields.ts';
import { numberIn } from '../json/numbers.ts';
import type { JsonEntry } from '../json/reading.ts';
import { kindAt, shownText, textIn, type ValueKind } from '../json/values.ts';
import type { ProblemList } from '../problems.ts';

/** The file that is being read, as messages name it, and where what is wrong with it goes. */
export interface FileAtHand {
  /** The function that error messages name. */
  readonly label: string;
  readonly file: string;
  readonly problems: ProblemList;
}

/** The fields of one entry after the other, by index into the names they were asked for by. */
export interface EntryFields {
  /** Turns to an entry; false, with a problem, when it is no object. */
  open(entry: JsonEntry, index: number): boolean;
  /** An integer between two bounds; undefined, with a problem, when the field is missing or something else. */
  integer(field: number, minimum?: number, maximum?: number): number | undefined;
  /** A text that is not empty; undefined, with a problem, when the field is missing or something else. */
  text(field: number): string | undefined;
  /** 1 for 1 and true, 0 for 0, false, null and a missing field; undefined, with a problem, for anything else. */
  flag(field: number): 0 | 1 | undefined;
  /** The number in a field that holds one. */
  number(field: number): number;
  /** What the value of a field is. */
  kind(field: number): ValueKind;
  /** Where the value of a field is among the bytes of the entry. */
  start(field: number): number;
  end(field: number): number;
  /** Notes that a field is not what is wanted. */
  wrong(field: number, wanted: string): void;
}

/**
 * The fields with the given names of entries that messages call `section[index]`.
 *
 * Example  const fields = entryFields(context, 'images', ['id']); fields.open(entry, 0); fields.integer(0)
 */
export const entryFields = (
  { label, file, problems }: FileAtHand,
  section: string,
  names: readonly string[],
): EntryFields => {
  const spans = fieldSpans(names);
  const { starts, ends } = spans;
  let bytes: Uint8Array = new Uint8Array(0);
  let index = 0;
  const complain = (place: string, wanted: string, from: number, to: number): void =>
    problems.addOf('wrong field', () => {
      const got = from < 0 ? 'nothing' : shownText(bytes, from, to, 60);
      const message = `${label}(${file}): needs ${place} to be ${wanted}, got ${got}. Correct the file.`;
      return { file, place, message };
    });
  const wrong = (field: number, wanted: string): void =>
    complain(`${section}[${index}].${names[field]}`, wanted, starts[field]!, ends[field]!);
  const kind = (field: number): ValueKind => (starts[field]! < 0 ? 'nothing' : kindAt(bytes, starts[field]!));
  const numberAt = (field: number): number => numberIn(bytes, starts[field]!, ends[field]!);
  return {
    open: (next, at) => {
      bytes = next.bytes;
      index = at;
      if (next.isObject) spans.find(next);
      else complain(`${section}[${at}]`, 'an object', next.start, next.end);
      return next.isObject;
    },
    integer: (field, minimum = Number.MIN_SAFE_INTEGER, maximum = Number.MAX_SAFE_INTEGER) => {
      const value = kind(field) === 'a number' ? numberAt(field) : Number.NaN;
      if (Number.isInteger(value) && value >= minimum && value <= maximum) return value;
      wrong(field, minimum === Number.MIN_SAFE_INTEGER ? 'an integer' : `an integer of at least ${minimum}`);
      return undefined;
    },
    text: (field) => {
      const value = kind(field) === 'a text' ? textIn(bytes, starts[field]!, ends[field]!) : undefined;
      if (value !== undefined && value !== '') return value;
      wrong(field, value === undefined && kind(field) === 'a text' ? 'a text in UTF-8' : 'a text');
      return undefined;
    },
    flag: (field) => {
      const found = kind(field);
      if (found === 'nothing' || found === 'null' || found === 'false') return 0;
      if (found === 'true') return 1;
      const value = found === 'a number' ? numberAt(field) : Number.NaN;
      if (value === 0 || value === 1) return value;
      wrong(field, '0 or 1');
      return undefined;
    },
    number: numberAt,
    kind,
    start: (field) => starts[field]!,
    end: (field) => ends[field]!,
    wrong,
  };
};
