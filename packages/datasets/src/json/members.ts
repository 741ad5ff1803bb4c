// The members of a JSON object inside an entry, from bytes that are known to be valid.
import { isBlank } from './values.ts';

const [quote, backslash, comma, colon] = [0x22, 0x5c, 0x2c, 0x3a];
const [openBracket, closeBracket, openBrace, closeBrace] = [0x5b, 0x5d, 0x7b, 0x7d];

/** Where a member is among the bytes; texts include their quotes. */
export interface Member {
  readonly keyStart: number;
  readonly keyEnd: number;
  readonly start: number;
  readonly end: number;
}

/**
 * The members of the object at `start`.
 *
 * Example  for (const { start } of membersAt(bytes, start)) kindAt(bytes, start)
 */
export const membersAt = (bytes: Uint8Array, start: number): Member[] => {
  const members: Member[] = [];
  let at = nextPart(bytes, start + 1);
  while (bytes[at] !== closeBrace) {
    const keyEnd = endOfText(bytes, at);
    const valueStart = nextPart(bytes, keyEnd);
    const end = endOfValue(bytes, valueStart);
    members.push({ keyStart: at, keyEnd, start: valueStart, end });
    at = nextPart(bytes, end);
  }
  return members;
};

const nextPart = (bytes: Uint8Array, from: number): number => {
  let at = from;
  while (isBlank(bytes[at]!) || bytes[at] === comma || bytes[at] === colon) at += 1;
  return at;
};

const endOfText = (bytes: Uint8Array, start: number): number => {
  let at = start + 1;
  while (bytes[at] !== quote) at += bytes[at] === backslash ? 2 : 1;
  return at + 1;
};

const endOfValue = (bytes: Uint8Array, start: number): number => {
  let depth = 0;
  let at = start;
  do {
    const byte = bytes[at]!;
    if (byte === quote) at = endOfText(bytes, at);
    else {
      if (byte === openBracket || byte === openBrace) depth += 1;
      if (byte === closeBracket || byte === closeBrace) depth -= 1;
      at += 1;
    }
  } while (depth > 0 || !(bytes[start] === quote || isEnd(bytes, start, at)));
  return at;
};

/** Whether a value without quotes that begins at `start` ends before `at`, outside of all its brackets. */
const isEnd = (bytes: Uint8Array, start: number, at: number): boolean => {
  if (bytes[start] === openBracket || bytes[start] === openBrace) return true;
  const byte = bytes[at]!;
  return byte === comma || byte === closeBrace || byte === closeBracket || isBlank(byte);
};
