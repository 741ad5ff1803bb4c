// Reads a JSON file of any size piece by piece: the entries of its top-level arrays are handed on as spans of bytes, one after the
// other, and everything else is checked and forgotten.
import { actions, type Container, containers, grammar } from './grammar.ts';
import { countLineEnds } from './lines.ts';
import {
  isTooLarge,
  missingArray,
  notAnArray,
  secondArray,
  tooDeep,
  tooLarge,
  truncated,
  unexpected,
} from './malformed.ts';
import { deepestNesting, type JsonSections, type Reading } from './reading.ts';
import { isBlank, textIn } from './values.ts';

/** A file while it is being read. */
export interface JsonScanner {
  /**
   * Reads the next bytes of the file; where the file is cut into pieces makes no difference.
   *
   * Throws   DatasetError naming line, byte and entry for anything that is not JSON, and for what is larger than an entry may be
   */
  push(piece: Uint8Array): void;
  /**
   * To be called behind the last byte.
   *
   * Throws   DatasetError when the file ends too early or lacks one of the arrays
   */
  finish(): void;
}

/**
 * A scanner at the beginning of a file.
 *
 * Example  const scanner = jsonScanner({ label: 'openCoco', file, names: ['images'], entry: (_, i) => count(i) })
 */
export const jsonScanner = (sections: JsonSections): JsonScanner => {
  const reading: Reading = {
    sections,
    bytes: new Uint8Array(0),
    have: 0,
    base: 0,
    lines: 0,
    kept: -1,
    state: grammar.start,
    stack: new Uint8Array(deepestNesting),
    depth: 0,
    section: -1,
    isInside: false,
    seen: sections.names.map(() => false),
    index: 0,
    isObject: false,
    members: new Int32Array(96),
    memberCount: 0,
    keyStart: 0,
  };
  return {
    push: (piece) => {
      const from = append(reading, piece);
      scan(reading, from);
      if (isTooLarge(reading, reading.have)) throw tooLarge(reading);
      forget(reading);
    },
    finish: () => {
      if (reading.state !== grammar.end) throw truncated(reading);
      const missing = reading.seen.indexOf(false);
      if (missing >= 0) throw missingArray(reading, missing);
    },
  };
};

/** Puts a piece behind the bytes in memory, and gives where it begins there. */
const append = (reading: Reading, piece: Uint8Array): number => {
  const from = reading.have;
  const have = from + piece.length;
  if (have > reading.bytes.length) {
    // doubling, so that a large entry in small pieces is not copied with every piece
    const larger = new Uint8Array(Math.max(have, 2 * from));
    larger.set(reading.bytes.subarray(0, from));
    reading.bytes = larger;
  }
  reading.bytes.set(piece, from);
  reading.have = have;
  return from;
};

/** Drops the bytes that are not needed any more. */
const forget = (reading: Reading): void => {
  const { bytes, have, kept } = reading;
  const until = kept < 0 ? have : kept;
  if (until === 0) return;
  reading.lines += countLineEnds(bytes, 0, until);
  bytes.copyWithin(0, until, have);
  reading.base += until;
  reading.have -= until;
  reading.keyStart -= until;
  if (kept >= 0) reading.kept = 0;
};

/** Follows the grammar from a position to the end of the bytes in memory. */
const scan = (reading: Reading, from: number): void => {
  const { bytes, have } = reading;
  const { transitions } = grammar;
  // 256 times the state: where its row begins
  let row = reading.state << 8;
  for (let at = from; at < have; at++) {
    const next = transitions[row | bytes[at]!]!;
    if ((next & 255) === 0) {
      row = next;
      continue;
    }
    reading.state = row >> 8;
    row = act(reading, next & 255, next >> 8, at) << 8;
  }
  reading.state = row >> 8;
};

/** Does what an action asks for, and gives the state that follows. */
const act = (reading: Reading, action: number, next: number, at: number): number => {
  switch (action) {
    case actions.openObject:
    case actions.openArray:
      return open(reading, action === actions.openArray, at);
    case actions.close:
      return close(reading, at);
    case actions.entryColon:
      startMember(reading, at);
      return next;
    case actions.entryComma:
      endMember(reading, at);
      return next;
    case actions.sectionComma:
      endEntry(reading, at);
      reading.index += 1;
      startEntry(reading, at + 1);
      return next;
    case actions.rootColon:
      endKey(reading, at);
      return next;
    case actions.rootComma:
      reading.kept = at + 1;
      return next;
    case actions.rootScalar:
      if (reading.section >= 0) throw notAnArray(reading, at);
      return next;
    default:
      throw unexpected(reading, at);
  }
};

const open = (reading: Reading, isArray: boolean, at: number): number => {
  if (reading.depth === deepestNesting) throw tooDeep(reading, at);
  const container = containerFor(reading, isArray, at);
  reading.stack[reading.depth] = container;
  reading.depth += 1;
  return grammar.entrances[container]!.first;
};

const containerFor = (reading: Reading, isArray: boolean, at: number): Container => {
  if (reading.depth === 0) {
    reading.kept = at + 1;
    return containers.root;
  }
  const outer = reading.stack[reading.depth - 1];
  if (outer === containers.root && reading.section >= 0) {
    if (!isArray) throw notAnArray(reading, at);
    reading.isInside = true;
    reading.index = 0;
    startEntry(reading, at + 1);
    return containers.section;
  }
  if (outer === containers.section && !isArray) {
    reading.isObject = true;
    reading.keyStart = at + 1;
    return containers.entry;
  }
  return isArray ? containers.array : containers.object;
};

const close = (reading: Reading, at: number): number => {
  reading.depth -= 1;
  const inner = reading.stack[reading.depth];
  if (inner === containers.entry && reading.memberCount > 0) endMember(reading, at);
  if (inner === containers.section) {
    endEntry(reading, at);
    reading.isInside = false;
    reading.kept = -1;
  }
  if (reading.depth === 0) {
    reading.kept = -1;
    return grammar.end;
  }
  return grammar.entrances[reading.stack[reading.depth - 1]!]!.after;
};

/** Finds out which section the key before `at` begins, if any. */
const endKey = (reading: Reading, at: number): void => {
  if (isTooLarge(reading, at)) throw tooLarge(reading);
  const { bytes, sections, seen } = reading;
  const [start, end] = trimmed(bytes, reading.kept, at);
  const key = textIn(bytes, start, end);
  reading.section = key === undefined ? -1 : sections.names.indexOf(key);
  reading.kept = -1;
  if (reading.section < 0) return;
  if (seen[reading.section]) throw secondArray(reading, at);
  seen[reading.section] = true;
};

const startMember = (reading: Reading, at: number): void => {
  const place = 3 * reading.memberCount;
  if (place === reading.members.length) {
    const larger = new Int32Array(2 * place);
    larger.set(reading.members);
    reading.members = larger;
  }
  const { members, kept } = reading;
  members[place] = reading.keyStart - kept;
  members[place + 1] = at - kept;
  members[place + 2] = 0;
  reading.memberCount += 1;
};

const endMember = (reading: Reading, at: number): void => {
  reading.members[3 * reading.memberCount - 1] = at - reading.kept;
  reading.keyStart = at + 1;
};

const startEntry = (reading: Reading, at: number): void => {
  reading.kept = at;
  reading.isObject = false;
  reading.memberCount = 0;
};

/** Hands on the entry before `at`, unless there is none, as in an empty array. */
const endEntry = (reading: Reading, at: number): void => {
  if (isTooLarge(reading, at)) throw tooLarge(reading);
  const { bytes, kept, members, memberCount, isObject } = reading;
  const [start, end] = trimmed(bytes, kept, at);
  if (start === end) return;
  for (let i = 0; i < 3 * memberCount; i++) members[i] = members[i]! + kept;
  reading.sections.entry(reading.section, reading.index, {
    bytes,
    start,
    end,
    isObject,
    members,
    memberCount,
  });
};

const trimmed = (bytes: Uint8Array, from: number, to: number): [start: number, end: number] => {
  let start = from;
  while (start < to && isBlank(bytes[start]!)) start += 1;
  let end = to;
  while (end > start && isBlank(bytes[end - 1]!)) end -= 1;
  return [start, end];
};
