// The errors of reading JSON: what was found, on which line, at which byte, and in which entry.
import { DatasetError } from '../errors.ts';
import { grammar } from './grammar.ts';
import { countLineEnds } from './lines.ts';
import { deepestNesting, largestEntry, type Reading } from './reading.ts';
import { kindAt, shownText } from './values.ts';

/** What a message says besides where it is. */
interface Complaint {
  readonly needs: string;
  readonly got: string;
  readonly advice: string;
  /** The field concerned, when it is not the one that is being read. */
  readonly field?: string;
}

const repair = 'Repair or export the file again.';

const malformed = (reading: Reading, at: number, complaint: Complaint): DatasetError => {
  const { label, file } = reading.sections;
  const field = complaint.field ?? fieldOf(reading);
  const line = reading.lines + countLineEnds(reading.bytes, 0, at) + 1;
  const inField = field === undefined || complaint.field !== undefined ? '' : `, in ${field}`;
  return new DatasetError(
    `${label}(${file}): needs ${complaint.needs}, got ${complaint.got} at line ${line}, byte ${reading.base + at}${inField}. ${complaint.advice}`,
    field === undefined ? { file } : { file, field },
  );
};

/** The entry that is being read, with the member if it is inside the value of one. */
const fieldOf = (reading: Reading): string | undefined => {
  if (!reading.isInside) return undefined;
  const { bytes, kept, members, memberCount } = reading;
  const entry = entryOf(reading);
  const last = 3 * memberCount - 3;
  if (memberCount === 0 || members[last + 2] !== 0) return entry;
  const key = shownText(bytes, kept + members[last]!, kept + members[last + 1]!, 40);
  return `${entry}.${key.replace(/^"|"$/g, '')}`;
};

const entryOf = (reading: Reading): string => `${reading.sections.names[reading.section]}[${reading.index}]`;

/** A byte that may not stand where it stands. */
export const unexpected = (reading: Reading, at: number): DatasetError => {
  if (isTooLarge(reading, at)) return tooLarge(reading);
  const byte = reading.bytes[at]!;
  const position = reading.base + at;
  const isWide = (position === 0 && (byte >= 0xfe || byte === 0)) || (position === 1 && byte === 0);
  const complaint = isWide
    ? { needs: 'a JSON file in UTF-8', got: 'one in another encoding', advice: 'Save it as UTF-8.' }
    : {
        needs: 'a JSON file',
        got: `${nameOf(byte)} where ${grammar.expected[reading.state]} belongs`,
        advice: repair,
      };
  return malformed(reading, at, complaint);
};

const nameOf = (byte: number): string =>
  byte > 0x20 && byte < 0x7f
    ? `'${String.fromCharCode(byte)}'`
    : `the byte 0x${byte.toString(16).padStart(2, '0')}`;

/** An end before the end of the file's object. */
export const truncated = (reading: Reading): DatasetError => {
  const { have, base, state } = reading;
  const got = base + have === 0 ? 'an empty file' : `an end where ${grammar.expected[state]} belongs`;
  return malformed(reading, have, { needs: 'a JSON file', got, advice: repair });
};

/** Brackets in brackets without end. */
export const tooDeep = (reading: Reading, at: number): DatasetError =>
  malformed(reading, at, {
    needs: `at most ${deepestNesting} brackets inside each other`,
    got: 'one more',
    advice: repair,
  });

/** Whether what is being read has become too large before `at`. */
export const isTooLarge = ({ kept }: Reading, at: number): boolean => kept >= 0 && at - kept > largestEntry;

/** An entry, or a key at the top, that would take all the memory. */
export const tooLarge = (reading: Reading): DatasetError =>
  malformed(reading, reading.kept + largestEntry, {
    needs: `entries of at most ${largestEntry} bytes`,
    got: 'a larger one',
    advice: 'Leave out what is not needed of it.',
    ...(reading.isInside ? { field: entryOf(reading) } : {}),
  });

/** A section with a value of another kind. */
export const notAnArray = (reading: Reading, at: number): DatasetError => {
  const name = reading.sections.names[reading.section]!;
  const got = kindAt(reading.bytes, at);
  return malformed(reading, at, {
    needs: `${name} to be an array`,
    got,
    advice: 'Correct the file.',
    field: name,
  });
};

/** A section that comes twice: which one counts is anybody's guess. */
export const secondArray = (reading: Reading, at: number): DatasetError => {
  const name = reading.sections.names[reading.section]!;
  return malformed(reading, at, {
    needs: `${name} once`,
    got: 'it again',
    advice: 'Merge the two.',
    field: name,
  });
};

/** A section that is not there. */
export const missingArray = (reading: Reading, section: number): DatasetError => {
  const { label, file, names } = reading.sections;
  const field = names[section]!;
  return new DatasetError(
    `${label}(${file}): needs ${field} to be an array, got nothing. Correct the file.`,
    { file, field },
  );
};
