// Line numbers of a file that is read piece by piece.

const newline = 0x0a;

/** Lines of this length and more are found faster by the engine's search than byte by byte. */
const longLine = 128;

/**
 * The number of line ends in bytes[start .. end).
 */
export const countLineEnds = (bytes: Uint8Array, start: number, end: number): number => {
  let count = 0;
  let at = start;
  // a file without line ends costs next to nothing, one of short lines no call per line
  for (let searches = (end - start) / longLine; searches > 0; searches--) {
    const found = bytes.indexOf(newline, at);
    if (found < 0 || found >= end) return count;
    count += 1;
    at = found + 1;
  }
  for (; at < end; at++) if (bytes[at] === newline) count += 1;
  return count;
};
