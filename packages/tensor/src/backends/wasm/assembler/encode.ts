// Binary encoding of WebAssembly: LEB128 numbers, names, sections, and the one pass that turns
// nested chunks of code into bytes.

/** A function whose index is known only when the module is finished, because imports come first. */
export interface FunctionIndex {
  readonly imported: boolean;
  readonly ordinal: number;
}

/** Code or data under construction: bytes, nested to any depth, so that composing never copies. */
export type Chunk = number | Uint8Array | FunctionIndex | readonly Chunk[];

/**
 * The unsigned LEB128 bytes of an integer.
 *
 * Example  unsigned(300) // [0xac, 0x02]
 */
export function unsigned(value: number): readonly number[] {
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

/** The four little-endian bytes of a 32-bit float. */
export function float32Bytes(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setFloat32(0, value, true);
  return bytes;
}

/** The eight little-endian bytes of a 64-bit float. */
export function float64Bytes(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value, true);
  return bytes;
}

/** The four little-endian bytes of a 32-bit integer. */
export function int32Bytes(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value, true);
  return bytes;
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
  let bytes = new Uint8Array(1024);
  let length = 0;
  const reserve = (count: number): void => {
    if (length + count <= bytes.length) return;
    const grown = new Uint8Array(Math.max(bytes.length * 2, length + count));
    grown.set(bytes);
    bytes = grown;
  };
  const append = (part: Uint8Array): void => {
    reserve(part.length);
    // Copying a few bytes one by one is cheaper than a call of set, and most parts are constants.
    if (part.length > 16) bytes.set(part, length);
    else for (let at = 0; at < part.length; at++) bytes[length + at] = part[at] ?? 0;
    length += part.length;
  };
  const visit = (part: Chunk): void => {
    if (typeof part === 'number') {
      if (length === bytes.length) reserve(1);
      bytes[length++] = part;
    } else if (isList(part)) {
      for (let at = 0; at < part.length; at++) visit(part[at] ?? 0);
    } else if (part instanceof Uint8Array) {
      append(part);
    } else {
      visit(unsigned(part.imported ? part.ordinal : importedFunctions + part.ordinal));
    }
  };
  visit(chunk);
  return bytes.subarray(0, length);
}

// Array.isArray does not recognise read-only arrays.
function isList(part: Exclude<Chunk, number>): part is readonly Chunk[] {
  return Array.isArray(part);
}
