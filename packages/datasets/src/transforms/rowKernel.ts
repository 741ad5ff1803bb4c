// The two inner loops of resizing as WebAssembly, which runs them in less than half of JavaScript's time, to the same bits.

/** Rows of a picture being resized, in the memory of an instance of its own. */
export interface RowKernel {
  /** Stretches an old row to the new width into one of the two stretched rows. */
  stretch(row: Uint8Array, into: 0 | 1): void;
  /** The new row at `part` of the way from stretched row `above` to `below`, until the next call. */
  blend(above: 0 | 1, below: 0 | 1, part: number): Uint8Array;
}

/** For every new position, the two old ones it lies between and how far it is from the first. */
export interface Positions {
  readonly first: Int32Array;
  readonly second: Int32Array;
  readonly part: Float64Array;
}

interface Loops {
  readonly memory: WebAssembly.Memory;
  readonly stretch: (column: number, lastColumn: number, values: number) => void;
  readonly blend: (above: number, below: number, part: number, target: number, end: number) => void;
}

const channels = 3;
/** A new column in memory: addresses of its two old pixels (i32), and its part (f64). */
const columnBytes = 16;
const pixelBytes = channels * Float64Array.BYTES_PER_ELEMENT;

/**
 * A kernel for rows of `oldWidth` pixels that are stretched to as many as there are columns.
 *
 * Example  const kernel = rowKernel(640, columns); kernel.stretch(row, 0)
 */
export const rowKernel = (oldWidth: number, { first, second, part }: Positions): RowKernel => {
  const width = part.length;
  const values = [columnBytes * width, (columnBytes + pixelBytes) * width] as const;
  const old = (columnBytes + 2 * pixelBytes) * width;
  const target = old + channels * oldWidth;
  const end = target + channels * width;
  const { memory, stretch, blend } = new WebAssembly.Instance(compiled()).exports as unknown as Loops;
  memory.grow(Math.ceil(end / 65536) - 1);
  const view = new DataView(memory.buffer);
  for (let x = 0; x < width; x++) {
    view.setInt32(columnBytes * x, old + channels * first[x]!, true);
    view.setInt32(columnBytes * x + 4, old + channels * second[x]!, true);
    view.setFloat64(columnBytes * x + 8, part[x]!, true);
  }
  const oldRow = new Uint8Array(memory.buffer, old, channels * oldWidth);
  const newRow = new Uint8Array(memory.buffer, target, channels * width);
  return {
    stretch: (row, into) => {
      oldRow.set(row);
      stretch(0, values[0], values[into]);
    },
    blend: (above, below, partY) => {
      blend(values[above], values[below], partY, target, end);
      return newRow;
    },
  };
};

/** Compiled once: instances share the code, and with it what the engine learns about it. */
let code: WebAssembly.Module | undefined;
const compiled = (): WebAssembly.Module => {
  code ??= new WebAssembly.Module(Uint8Array.from(moduleBytes()));
  return code;
};

const [i32, f64] = [0x7f, 0x7c];
const get = (local: number): number[] => [0x20, local];
const set = (local: number): number[] => [0x21, local];
/** Adds a number below 64 to a local. */
const advance = (local: number, by: number): number[] => [...get(local), 0x41, by, 0x6a, ...set(local)];
const loadInteger = (offset: number): number[] => [0x28, 2, offset];
const loadNumber = (offset: number): number[] => [0x2b, 3, offset];
/** The byte at an address as a double. */
const loadByte = (offset: number): number[] => [0x2d, 0, offset, 0xb8];
const storeNumber = (offset: number): number[] => [0x39, 3, offset];
const storeByte: readonly number[] = [0x3a, 0, 0];
const half: readonly number[] = [0x44, 0, 0, 0, 0, 0, 0, 0xe0, 0x3f];
const [add, subtract, multiply, cut] = [0xa0, 0xa1, 0xa2, 0xab];
/** Repeats the body for as long as one local is below another. */
const whileBelow = (local: number, end: number, body: readonly number[]): number[] => [
  ...[0x03, 0x40],
  ...body,
  ...[...get(local), ...get(end), 0x49, 0x0d, 0x00],
  0x0b,
];

/** first + part * (second - first), where `second` is a number on its way and the others are locals. */
const between = (first: number, second: readonly number[], part: number): number[] => [
  ...get(first),
  ...get(part),
  ...second,
  ...get(first),
  ...[subtract, multiply, add],
];

/** Parameters: column, last column, values; locals: left, right, part, the first of two bytes. */
const stretchBody = (): number[] => {
  const [column, last, values, left, right, part, first] = [0, 1, 2, 3, 4, 5, 6];
  const channel = (c: number): number[] => [
    ...[...get(left), ...loadByte(c), ...set(first)],
    ...get(values),
    ...between(first, [...get(right), ...loadByte(c)], part),
    ...storeNumber(8 * c),
  ];
  return whileBelow(column, last, [
    ...[...get(column), ...loadInteger(0), ...set(left)],
    ...[...get(column), ...loadInteger(4), ...set(right)],
    ...[...get(column), ...loadNumber(8), ...set(part)],
    ...[0, 1, 2].flatMap(channel),
    ...advance(column, columnBytes),
    ...advance(values, pixelBytes),
  ]);
};

/** Parameters: above, below, part, target, end; local: the number above. */
const blendBody = (): number[] => {
  const [above, below, part, target, end, first] = [0, 1, 2, 3, 4, 5];
  return whileBelow(target, end, [
    ...[...get(above), ...loadNumber(0), ...set(first)],
    ...get(target),
    ...between(first, [...get(below), ...loadNumber(0)], part),
    ...[...half, add, cut],
    ...storeByte,
    ...advance(above, 8),
    ...advance(below, 8),
    ...advance(target, 1),
  ]);
};

/** A WebAssembly module with one page of memory and the two loops. */
const moduleBytes = (): number[] => {
  const stretch = [...[2, 2, i32, 2, f64], ...stretchBody(), 0x0b];
  const blend = [...[1, 1, f64], ...blendBody(), 0x0b];
  const types = [
    [0x60, 3, i32, i32, i32, 0],
    [0x60, 5, i32, i32, f64, i32, i32, 0],
  ];
  const exported = (name: string, kind: number, index: number): number[] => [
    ...[name.length, ...new TextEncoder().encode(name)],
    ...[kind, index],
  ];
  const exports = [exported('memory', 2, 0), exported('stretch', 0, 0), exported('blend', 0, 1)];
  const sized = (body: readonly number[]): number[] => [...length(body.length), ...body];
  const section = (id: number, entries: readonly (readonly number[])[]): number[] => [
    id,
    ...sized([entries.length, ...entries.flat()]),
  ];
  return [
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, types),
    ...section(3, [[0], [1]]),
    ...section(5, [[0, 1]]),
    ...section(7, exports),
    ...section(10, [sized(stretch), sized(blend)]),
  ];
};

/** A length below 16384 in LEB128. */
const length = (value: number): number[] => (value < 128 ? [value] : [(value & 127) | 128, value >> 7]);
