// Columns of numbers that grow without copying what they hold, and become parts of a table at the end.

/** The arrays a column can be made of. */
export type Numbers = Float64Array | Int32Array | Uint32Array | Uint16Array | Uint8Array;

/** A column while it grows. */
export interface GrowingColumn<Column extends Numbers> {
  push(value: number): void;
  length(): number;
  /** The pieces it has grown to, in order; the column is empty again. */
  take(): Column[];
}

/** Small files take small pieces; large ones are not copied while they grow, and are freed piece by piece. */
const [firstPiece, largestPiece] = [1 << 8, 1 << 16];

/** Memory that can be given back at once, which the types of the platform do not have yet. */
interface Returnable extends ArrayBuffer {
  readonly resizable?: boolean;
  resize?(bytes: number): void;
}

const returnable = (bytes: number): ArrayBuffer => {
  const Resizable = ArrayBuffer as new (bytes: number, options: { maxByteLength: number }) => Returnable;
  return new Resizable(bytes, { maxByteLength: bytes });
};

/** Gives the memory of a piece back: the engine would wait until it had twice as much. */
const giveBack = ({ buffer }: Numbers): void => {
  const memory = buffer as Returnable;
  if (memory.resizable === true) memory.resize?.(0);
};

/**
 * An empty column of arrays of that type.
 *
 * Example  const ids = growingColumn(Float64Array); ids.push(7)
 */
const growingColumn = <Column extends Numbers>(
  Type: (new (memory: ArrayBuffer) => Column) & { readonly BYTES_PER_ELEMENT: number },
): GrowingColumn<Column> => {
  const create = (length: number): Column => new Type(returnable(length * Type.BYTES_PER_ELEMENT));
  let pieces: Column[] = [];
  let piece = create(0);
  let used = 0;
  let before = 0;
  return {
    push: (value) => {
      if (used === piece.length) {
        before += used;
        piece = create(Math.min(largestPiece, Math.max(firstPiece, 4 * used)));
        pieces.push(piece);
        used = 0;
      }
      piece[used] = value;
      used += 1;
    },
    length: () => before + used,
    take: () => {
      const taken = pieces;
      if (taken.length > 0) taken[taken.length - 1] = piece.subarray(0, used) as Column;
      pieces = [];
      piece = create(0);
      used = 0;
      before = 0;
      return taken;
    },
  };
};

/** An empty column of doubles. */
export const doubles = (): GrowingColumn<Float64Array> => growingColumn(Float64Array);

/** An empty column of integers of 32 bits. */
export const integers = (): GrowingColumn<Int32Array> => growingColumn(Int32Array);

/** An empty column of bytes. */
export const bytes = (): GrowingColumn<Uint8Array> => growingColumn(Uint8Array);

/** Ids, which nearly always have 32 bits. */
export type Identifiers = Int32Array | Float64Array;

/** An empty column of integers of any size; from the first that takes more than 32 bits, all take 64. */
export const identifiers = (): GrowingColumn<Identifiers> => {
  const narrow = integers();
  const wide = doubles();
  return {
    push: (value) => {
      if (wide.length() === 0 && value === (value | 0)) narrow.push(value);
      else wide.push(value);
    },
    length: () => narrow.length() + wide.length(),
    take: () => [...narrow.take(), ...wide.take()],
  };
};

/**
 * The numbers of all pieces, one after the other, in one array of those that `create` makes; the pieces are given up.
 *
 * Example  joinPieces(widths.take(), (length) => new Int32Array(length))
 */
export const joinPieces = <Column extends Numbers>(
  pieces: Numbers[],
  create: (length: number) => Column,
): Column => {
  const column = create(lengthOf(pieces));
  let at = 0;
  for (let piece = pieces.shift(); piece !== undefined; piece = pieces.shift()) {
    column.set(piece, at);
    at += piece.length;
    giveBack(piece);
  }
  return column;
};

const lengthOf = (pieces: readonly Numbers[]): number => pieces.reduce((sum, { length }) => sum + length, 0);

/** The ids of all pieces in one array, of the type they need; the pieces are given up. */
export const joinIdentifiers = (pieces: Identifiers[]): Identifiers => {
  const isNarrow = pieces.every((piece) => piece instanceof Int32Array);
  return joinPieces<Identifiers>(pieces, (length) =>
    isNarrow ? new Int32Array(length) : new Float64Array(length),
  );
};

/**
 * Gives pieces up that are not needed any more.
 */
export const dropPieces = (pieces: Numbers[]): void => {
  for (const piece of pieces) giveBack(piece);
  pieces.length = 0;
};

/** The place of a row that is left out. */
export const nowhere = 0xffffffff;

/**
 * `column`, filled with rows of `width` numbers that go where `places` says; the pieces are given up.
 *
 * Example  placeRows(boxes.take(), 4, places, new Float64Array(4 * count))
 */
export const placeRows = <Column extends Numbers>(
  pieces: Numbers[],
  width: number,
  places: Uint32Array,
  column: Column,
): Column => {
  let row = 0;
  for (let piece = pieces.shift(); piece !== undefined; piece = pieces.shift()) {
    for (let at = 0; at < piece.length; at += width) {
      const place = places[row]!;
      row += 1;
      if (place === nowhere) continue;
      for (let i = 0; i < width; i++) column[place * width + i] = piece[at + i]!;
    }
    giveBack(piece);
  }
  return column;
};

/**
 * Reads the numbers of pieces by index, for indices that never fall.
 *
 * Example  const xAt = forwardReader(pieces); xAt(0); xAt(4)
 */
export const forwardReader = (pieces: readonly Numbers[]): ((index: number) => number) => {
  let current = 0;
  let start = 0;
  return (index) => {
    while (index - start >= pieces[current]!.length) {
      start += pieces[current]!.length;
      current += 1;
    }
    return pieces[current]![index - start]!;
  };
};
