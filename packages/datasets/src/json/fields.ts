// The fields of an entry by name: where their values are among its bytes.
import type { JsonEntry } from './reading.ts';
import { isBlank, textIn } from './values.ts';

/** Fields looked for in entries, and where they are in the entry that was looked at last. */
export interface FieldSpans {
  readonly names: readonly string[];
  /** Finds the fields of an entry; of two with one name the last counts, as with JSON.parse. */
  find(entry: JsonEntry): void;
  /** Where the value of every field begins, by index into `names`; -1 where the entry has no such field. */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
}

const backslash = 0x5c;
const longestName = 31;

/**
 * Spans for the given names, of at most 31 ASCII characters.
 *
 * Example  const spans = fieldSpans(['id', 'bbox']); spans.find(entry); spans.starts[1]
 */
export const fieldSpans = (names: readonly string[]): FieldSpans => {
  const starts = new Int32Array(names.length);
  const ends = new Int32Array(names.length);
  const encoder = new TextEncoder();
  const keys = names.map((name) => encoder.encode(name));
  // names of one length and first letter stand in one list
  const lists: number[][] = Array.from({ length: (longestName + 1) * 128 }, () => []);
  for (const [i, key] of keys.entries()) lists[(key.length << 7) | key[0]!]!.push(i);

  const indexOf = (bytes: Uint8Array, start: number, end: number): number => {
    const length = end - start;
    if (length > 0 && length <= longestName && bytes[start]! < 128)
      for (const i of lists[(length << 7) | bytes[start]!]!) if (isSame(keys[i]!, bytes, start)) return i;
    for (let at = start; at < end; at++)
      // a name may be spelled with escapes
      if (bytes[at] === backslash) return names.indexOf(textIn(bytes, start - 1, end + 1) ?? '');
    return -1;
  };
  const find = ({ bytes, members, memberCount }: JsonEntry): void => {
    starts.fill(-1);
    for (let member = 0; member < 3 * memberCount; member += 3) {
      let [keyStart, keyEnd] = [members[member]!, members[member + 1]!];
      while (isBlank(bytes[keyStart]!)) keyStart += 1;
      while (isBlank(bytes[keyEnd - 1]!)) keyEnd -= 1;
      const i = indexOf(bytes, keyStart + 1, keyEnd - 1);
      if (i < 0) continue;
      let [start, end] = [members[member + 1]! + 1, members[member + 2]!];
      while (isBlank(bytes[start]!)) start += 1;
      while (isBlank(bytes[end - 1]!)) end -= 1;
      starts[i] = start;
      ends[i] = end;
    }
  };
  return { names, find, starts, ends };
};

const isSame = (key: Uint8Array, bytes: Uint8Array, start: number): boolean => {
  for (let i = 1; i < key.length; i++) if (key[i] !== bytes[start + i]) return false;
  return true;
};
