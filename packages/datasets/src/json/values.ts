// The values of JSON, taken from spans of bytes that are known to be valid.

const [quote, backslash] = [0x22, 0x5c];
const decoder = new TextDecoder('utf-8', { fatal: true });
const lenient = new TextDecoder('utf-8');

/** Whether the byte is a blank of JSON, or of no meaning in it. */
export const isBlank = (byte: number): boolean => byte <= 0x20;

/** What a value is, told by its first byte. */
export type ValueKind =
  | 'nothing'
  | 'a number'
  | 'a text'
  | 'an object'
  | 'an array'
  | 'true'
  | 'false'
  | 'null';

/**
 * What the value at `start` is; NaN and Infinity are numbers.
 *
 * Example  kindAt(bytes, start) === 'a number'
 */
export const kindAt = (bytes: Uint8Array, start: number): ValueKind => {
  switch (bytes[start]) {
    case quote:
      return 'a text';
    case 0x7b:
      return 'an object';
    case 0x5b:
      return 'an array';
    case 0x74:
      return 'true';
    case 0x66:
      return 'false';
    case 0x6e:
      return 'null';
    default:
      return 'a number';
  }
};

/**
 * The text of a span that includes its quotes, or undefined when it is not UTF-8.
 */
export const textIn = (bytes: Uint8Array, start: number, end: number): string | undefined => {
  const hasEscapes = bytes.subarray(start, end).includes(backslash);
  try {
    return hasEscapes
      ? (JSON.parse(decoder.decode(bytes.subarray(start, end))) as string)
      : decoder.decode(bytes.subarray(start + 1, end - 1));
  } catch {
    return undefined;
  }
};

/**
 * A span as one line of text for a message, cut after `most` characters.
 *
 * Example  shownText(bytes, start, end, 60) // '[1, 2, 3]'
 */
export const shownText = (bytes: Uint8Array, start: number, end: number, most: number): string =>
  lenient
    .decode(bytes.subarray(start, Math.min(end, start + 4 * most)))
    // control characters would break the line, or the terminal
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim()
    .slice(0, most);
