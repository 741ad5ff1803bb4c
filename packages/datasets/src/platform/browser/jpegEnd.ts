// Whether the bytes of a JPEG file reach its end: browsers paint a file that was cut short grey instead of failing.

const startOfScan = 0xda;
const endOfImage = 0xd9;

/**
 * True when the bytes are a JPEG file that stops before its end-of-image marker.
 *
 * Source   ITU-T T.81, annex B: segments with a length, then entropy-coded data in which 0xFF is followed by 0 or RSTn
 * Example  if (isTruncatedJpeg(bytes)) throw new Error('cut short')
 */
export const isTruncatedJpeg = (bytes: Uint8Array): boolean => {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) return false;
  let position = 2;
  while (position + 1 < bytes.length) {
    if (bytes[position] !== 0xff) return true;
    const marker = bytes[position + 1]!;
    if (marker === endOfImage) return false;
    if (marker === 0xff) {
      position += 1;
      continue;
    }
    position += 2 + segmentLength(bytes, position + 2, marker);
    if (marker === startOfScan) position = nextMarker(bytes, position);
  }
  return true;
};

const isRestart = (marker: number): boolean => marker >= 0xd0 && marker <= 0xd7;

const segmentLength = (bytes: Uint8Array, position: number, marker: number): number =>
  isRestart(marker) || marker === 0x01 ? 0 : ((bytes[position] ?? 0) << 8) | (bytes[position + 1] ?? 0);

/** Where the entropy-coded data that begins at `position` ends. */
const nextMarker = (bytes: Uint8Array, position: number): number => {
  let at = position;
  while (at < bytes.length) {
    const next = bytes[at] === 0xff ? (bytes[at + 1] ?? 0) : 0;
    if (next !== 0 && !isRestart(next)) return at;
    at += 1;
  }
  return at;
};
