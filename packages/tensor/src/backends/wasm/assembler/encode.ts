// Binary encoding of WebAssembly: LEB128 numbers, names, sections, and the one pass that turns
// nested chunks of code into bytes.

/** A function whose index is known only when the module is finished, because imports come first. */
export interface FunctionIndex {
  readonly imported: boolean;
  readonly ordinal: number;
}

/** Code or data under construction: bytes, nested to any depth, so that composing never copies. */
export type Chunk = number | Uint8Array | FunctionIndex | readonly Chunk[];

/** The bytes of numbers that take one: most do, and code is full of them. */
const single: readonly (readonly number[])[] = Array.from({ length: 0x80 }, (_, byte) => [byte]);

/**
 * The unsigned LEB128 bytes of an integer.
 *
 * Example  unsigned(300) // [0xac, 0x02]
 */
export function unsigned(value: number): readonly number[] {
  const known = single[value];
  if (known !== undefined) return known;
  const bytes: number[] = [];
  let rest = value >>> 0;
  while (rest >= 0x80) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  bytes.push(rest);
  return bytes;
}

/**
 * The signed LEB128 bytes of a 32-bit integer.
 *
 * Example  signed(-1) // [0x7f]
 */
export function signed(value: number): readonly number[] {
  const known = value < 0x40 ? single[value] : undefined;
  if (known !== undefined) return known;
  const bytes: number[] = [];
  let rest = value | 0;
  for (;;) {
    const low = rest & 0x7f;
    rest >>= 7;
    const signBit = low & 0x40;
    if ((rest === 0 && signBit === 0) || (rest === -1 && signBit !== 0)) {
      bytes.push(low);
      return bytes;
    }
    bytes.push(low | 0x80);
  }
}

/** Where numbers are turned into bytes. */
const scratch = new DataView(new ArrayBuffer(8));
const scratchBytes = (count: number): readonly number[] =>
  Array.from({ length: count }, (_, at) => scratch.getUint8(at));

/** The four little-endian bytes of a 32-bit float. */
export function float32Bytes(value: number): readonly number[] {
  scratch.setFloat32(0, value, true);
  return scratchBytes(4);
}

/** The eight little-endian bytes of a 64-bit float. */
export function float64Bytes(value: number): readonly number[] {
  scratch.setFloat64(0, value, true);
  return scratchBytes(8);
}

/** The four little-endian bytes of a 32-bit integer. */
export function int32Bytes(value: number): readonly number[] {
  scratch.setInt32(0, value, true);
  return scratchBytes(4);
}

/** A name as WebAssembly stores it: its length and its UTF-8 bytes. */
export function name(text: string): Chunk {
  const bytes = new TextEncoder().encode(text);
  return [unsigned(bytes.length), bytes];
}

/** A vector as WebAssembly stores it: the number of items and the items. */
export function vector(items: readonly Chunk[]): Chunk {
  return [unsigned(items.length), items];
}

/** Bytes preceded by their length, the form of sections and function bodies. */
export function sized(bytes: Uint8Array): Chunk {
  return [unsigned(bytes.length), bytes];
}

/** The bytes of a chunk, with the indices of defined functions moved behind the imported ones. */
export function flatten(chunk: Chunk, importedFunctions = 0): Uint8Array<ArrayBuffer> {
  const writer = byteWriter();
  writer.write(chunk, ({ imported, ordinal }) => {
    for (const byte of unsigned(imported ? ordinal : importedFunctions + ordinal)) writer.put(byte);
  });
  return writer.take();
}

/** Bytes in the making. */
export interface ByteWriter {
  readonly put: (byte: number) => void;
  /** Writes the bytes of a chunk; function indices go to `index`. */
  readonly write: (chunk: Chunk, index: (func: FunctionIndex) => void) => void;
  /** The bytes since the last call. */
  readonly take: () => Uint8Array<ArrayBuffer>;
}

/** A writer without bytes. */
export function byteWriter(): ByteWriter {
  let bytes = new Uint8Array(1024);
  let length = 0;
  const reserve = (count: number): void => {
    if (length + count <= bytes.length) return;
    const grown = new Uint8Array(Math.max(bytes.length * 2, length + count));
    grown.set(bytes);
    bytes = grown;
  };
  const put = (byte: number): void => {
    if (length === bytes.length) reserve(1);
    bytes[length++] = byte;
  };
  const write = (part: Chunk, index: (func: FunctionIndex) => void): void => {
    if (typeof part === 'number') put(part);
    else if (isList(part)) {
      for (let at = 0; at < part.length; at++) write(part[at] ?? 0, index);
    } else if (part instanceof Uint8Array) {
      reserve(part.length);
      bytes.set(part, length);
      length += part.length;
    } else index(part);
  };
  const take = (): Uint8Array<ArrayBuffer> => {
    const taken = bytes.slice(0, length);
    length = 0;
    return taken;
  };
  return { put, write, take };
}

/**
 * The same code in few pieces: its bytes, and between them the functions whose index is not known yet. Code as it is built is a tree of
 * many small lists; packed function by function they die young, which is most of what a large module costs otherwise.
 */
export function packed(chunk: Chunk, writer: ByteWriter): Chunk {
  const pieces: Chunk[] = [];
  writer.write(chunk, (func) => {
    pieces.push(writer.take(), func);
  });
  pieces.push(writer.take());
  return pieces;
}

// Array.isArray does not recognise read-only arrays.
function isList(part: Exclude<Chunk, number>): part is readonly Chunk[] {
  return Array.isArray(part);
}
