// JPEG files without some of their segments.

/** The file without the segments of a marker (0xE0 for APP0 to 0xEF for APP15). */
export const withoutSegments = (bytes: Uint8Array, marker: number): Uint8Array => {
  const kept: number[] = [...bytes.subarray(0, 2)];
  let at = 2;
  while (bytes[at + 1] !== 0xda) {
    const length = 2 + bytes[at + 2]! * 256 + bytes[at + 3]!;
    if (bytes[at + 1] !== marker) kept.push(...bytes.subarray(at, at + length));
    at += length;
  }
  return Uint8Array.from([...kept, ...bytes.subarray(at)]);
};
