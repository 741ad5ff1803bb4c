// Protocol buffers, the writing half: fields of messages as lists of byte pieces, joined once at the end.

/** A field, or several: pieces of bytes in order. Large arrays stay where they are until all is joined. */
export type Pieces = readonly Uint8Array[];

/** A number of at most 64 bits, seven bits to a byte; negative ones in two's complement. */
const varint = (value: number | bigint): Uint8Array => {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest >= 128n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Uint8Array.of(...bytes, Number(rest));
};

/** How the value of a field follows its number. */
const wire = { varint: 0, delimited: 2, fixed32: 5 } as const;

const tag = (field: number, type: number): Uint8Array => varint(8 * field + type);

/** The number of bytes of all pieces. */
export const lengthOf = (pieces: Pieces): number => pieces.reduce((total, { length }) => total + length, 0);

/** A field that holds a whole number. */
export const integerField = (field: number, value: number | bigint): Pieces => [
  tag(field, wire.varint),
  varint(value),
];

/** A field that holds a number in single precision. */
export const floatField = (field: number, value: number): Pieces => {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setFloat32(0, value, true);
  return [tag(field, wire.fixed32), bytes];
};

/** A field that holds a message with the given fields, or bytes as they are. */
export const messageField = (field: number, ...fields: readonly Pieces[]): Pieces => {
  const content = fields.flat();
  return [tag(field, wire.delimited), varint(lengthOf(content)), ...content];
};

/** A field that holds text. */
export const textField = (field: number, value: string): Pieces =>
  messageField(field, [new TextEncoder().encode(value)]);

/** The bytes of all pieces, one after the other. */
export const join = (pieces: Pieces): Uint8Array<ArrayBuffer> => {
  const bytes = new Uint8Array(lengthOf(pieces));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
};
