// The memory that images are put into: a few pieces, used again and again, shared with worker threads where there are any.

/** Pieces of memory, each for the images of one batch. */
export interface BatchMemory {
  /** A piece for that many numbers, with anything in it. */
  take(length: number): Float32Array;
  /** Gives a piece back; whoever takes it next writes into it. */
  give(piece: Float32Array): void;
}

/**
 * Memory without any piece yet. There are never more pieces than were out at the same time, and each is as large as the
 * largest batch that it has held.
 *
 * Example  const memory = batchMemory(true); const images = memory.take(3 * 800 * 1088)
 */
export const batchMemory = (isShared: boolean): BatchMemory => {
  const idle: ArrayBufferLike[] = [];
  const create = (bytes: number): ArrayBufferLike =>
    isShared ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes);
  return {
    take: (length) => {
      const bytes = length * Float32Array.BYTES_PER_ELEMENT;
      const fitting = idle.findIndex((piece) => piece.byteLength >= bytes);
      // One that is too small makes room for one that is large enough.
      const [piece] = idle.splice(Math.max(0, fitting), 1);
      return new Float32Array(fitting < 0 ? create(bytes) : piece!, 0, length);
    },
    give: (piece) => {
      idle.push(piece.buffer);
    },
  };
};
