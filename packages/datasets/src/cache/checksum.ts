// A checksum of long arrays of bytes that costs little more than reading them.

/** Bytes of a checksum, and what the length of everything it is taken of has to be a multiple of. */
export const checksumBytes = 16;

const factor = 0x9e3779b1;

const mixed = (hash: number, word: number): number =>
  Math.imul(((hash << 13) | (hash >>> 19)) ^ word, factor);

/**
 * The checksum of parts one after the other, each of a multiple of 16 bytes, in memory of its own or beginning at a multiple of 4.
 *
 * Every fourth word goes through one of four chains whose steps can be undone: a change of bytes that touches one word of a
 * chain changes its end for certain, any other with a chance of missing it of 2^-32 per chain.
 *
 * Example  checksumOf([header, columns])
 */
export const checksumOf = (parts: readonly Uint8Array[]): Int32Array => {
  let [first, second, third, fourth] = [1, 2, 3, 4];
  for (const { buffer, byteOffset, byteLength } of parts) {
    const words = new Int32Array(buffer, byteOffset, byteLength / 4);
    for (let i = 0; i < words.length; i += 4) {
      first = mixed(first, words[i]!);
      second = mixed(second, words[i + 1]!);
      third = mixed(third, words[i + 2]!);
      fourth = mixed(fourth, words[i + 3]!);
    }
  }
  return Int32Array.of(first, second, third, fourth);
};
