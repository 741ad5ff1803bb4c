// Bytes that are read where they are needed: of an array, of a Blob or file of a browser, or of whatever else the caller reads.

/** Bytes at positions, so that a large file is never in memory twice. */
export interface ByteSource {
  /** Number of bytes. */
  readonly size: number;
  /** The bytes from one position to before another, both within the size; fewer only when the source has become shorter. */
  readonly read: (from: number, to: number) => Promise<Uint8Array>;
}

/** A source over bytes in memory; what it gives are views of them. */
export const sourceOfBytes = (bytes: Uint8Array): ByteSource => ({
  size: bytes.length,
  read: async (from, to) => bytes.subarray(from, to),
});

/**
 * A source over a Blob, such as a file that was dropped on a page.
 *
 * Example  const file = await openWeights(sourceOfBlob(input.files[0]), { label: input.files[0].name })
 */
export const sourceOfBlob = (blob: Blob): ByteSource => ({
  size: blob.size,
  read: async (from, to) => new Uint8Array(await blob.slice(from, to).arrayBuffer()),
});
