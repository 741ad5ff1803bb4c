// Text out of the bytes of a file: encodings, byte-order marks and line ends.
import type { Fault } from './fault.ts';

/**
 * The text of a file with "\n" as its only line end and without a byte-order mark, or what is wrong with it.
 *
 * `encoding` is what the file says of itself; UTF-16 is known by its byte-order mark.
 *
 * Example  decodeText(bytes) // a text, or a fault that names the line
 */
export const decodeText = (bytes: Uint8Array, encoding = 'utf-8'): string | Fault => {
  const actual = utf16Of(bytes) ?? encoding;
  let decoder: TextDecoder;
  try {
    decoder = new TextDecoder(actual, { fatal: true });
  } catch {
    return notText(`a text in a known encoding, got "${actual.slice(0, 30)}"`, 1);
  }
  try {
    const text = decoder.decode(bytes);
    return text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text;
  } catch {
    return notText(`a text in ${actual.toUpperCase()}, got bytes that are none`, badLine(bytes, actual));
  }
};

const utf16Of = ([first, second]: Uint8Array): string | undefined => {
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  return first === 0xfe && second === 0xff ? 'utf-16be' : undefined;
};

const notText = (needs: string, line: number): Fault => ({
  kind: 'malformed file',
  place: `line ${line}`,
  sentence: `needs ${needs}. Save the file as UTF-8.`,
});

/** The first line that does not decode, counted from 1; only asked for when the text as a whole does not. */
const badLine = (bytes: Uint8Array, encoding: string): number => {
  if (encoding.startsWith('utf-16')) return 1;
  const decoder = new TextDecoder(encoding, { fatal: true });
  let line = 1;
  for (let start = 0; start < bytes.length; line++) {
    const end = bytes.indexOf(0x0a, start);
    try {
      decoder.decode(bytes.subarray(start, end < 0 ? bytes.length : end));
    } catch {
      return line;
    }
    if (end < 0) break;
    start = end + 1;
  }
  return line;
};
