// Reading MATLAB files of version 5: numbers, text and cells, compressed or not.
import { DatasetError, oneLine } from '../../errors.ts';

/** A value of a MATLAB file; arrays have their first dimension innermost. */
export type MatValue =
  | { readonly kind: 'numbers'; readonly shape: readonly number[]; readonly data: Float64Array }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'cells'; readonly shape: readonly number[]; readonly cells: readonly MatValue[] }
  /** Structures, objects and sparse arrays are passed over. */
  | { readonly kind: 'other' };

/** Compressed data that would be larger than this is refused. */
const mostBytes = 2 ** 28;

/** Cells within cells deeper than this are refused. */
const mostDepth = 16;

/**
 * The variables of a MATLAB file of version 5, by name.
 *
 * Throws   DatasetError, naming file and byte, when the file is truncated, malformed or of another version
 * Source   MAT-File Format, version 5, of the MathWorks
 * Example  (await readMat(bytes, 'wider_easy_val.mat')).get('gt_list')
 */
export const readMat = async (bytes: Uint8Array, file: string): Promise<Map<string, MatValue>> => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const header = bytes.length >= 128 ? view.getUint16(126, true) : 0;
  if (header !== 0x4d49 && header !== 0x494d)
    throw malformed({ file, at: 0 }, 'a MATLAB file of version 5', 'another header');
  const source: Source = { view, file, isLittle: header === 0x4d49, origin: 0 };
  if (view.getUint16(124, source.isLittle) >> 8 !== 1)
    throw malformed({ file, at: 124 }, 'a MATLAB file of version 5', 'another version');
  const variables = new Map<string, MatValue>();
  for (let at = 128; at < bytes.length; ) {
    const element = elementAt(source, at, bytes.length);
    const packed = element.type === types.compressed;
    const inner = packed ? await inflated(source, element) : source;
    const matrix = packed ? elementAt(inner, 0, inner.view.byteLength) : element;
    if (matrix.type === types.matrix) {
      const { name, value } = matrixIn(inner, matrix, 0);
      variables.set(name, value);
    }
    at = element.next;
  }
  return variables;
};

/** Bytes to read from; `origin` is where they come from in the file, for messages. */
interface Source {
  readonly view: DataView;
  readonly file: string;
  readonly isLittle: boolean;
  readonly origin: number;
}

/** One element: what it is and where its data lies. */
interface Element {
  readonly type: number;
  readonly start: number;
  readonly end: number;
  /** Where the next element begins. */
  readonly next: number;
}

/** Types of elements. */
const types = { matrix: 14, compressed: 15, utf8: 16, utf16: 17, utf32: 18 } as const;

const malformed = (
  { file, at }: { readonly file: string; readonly at: number },
  needs: string,
  got: string,
  cause?: unknown,
): DatasetError =>
  new DatasetError(`readMat(${file}): needs ${needs}, got ${got} at byte ${at}. Get the file again.`, {
    file,
    field: `byte ${at}`,
    ...(cause === undefined ? {} : { cause }),
  });

const fault = (source: Source, at: number, needs: string, got: string): DatasetError =>
  malformed({ file: source.file, at: source.origin + at }, needs, got);

const elementAt = (source: Source, at: number, limit: number): Element => {
  if (at + 8 > limit) throw fault(source, at, 'the head of an element', 'the end');
  const first = source.view.getUint32(at, source.isLittle);
  const isSmall = first >>> 16 !== 0;
  const type = first & 0xffff;
  const size = isSmall ? first >>> 16 : source.view.getUint32(at + 4, source.isLittle);
  const start = isSmall ? at + 4 : at + 8;
  const end = start + size;
  if (end > limit || (isSmall && size > 4)) throw fault(source, at, `${size} bytes`, 'fewer');
  if (isSmall) return { type, start, end, next: at + 8 };
  // All but compressed elements are filled up to a multiple of 8, the last one perhaps not.
  const filled = type === types.compressed ? end : start + Math.ceil(size / 8) * 8;
  return { type, start, end, next: Math.min(filled, limit) };
};

const inflated = async (source: Source, { start, end }: Element): Promise<Source> => {
  const { buffer, byteOffset } = source.view;
  const packed = new Blob([new Uint8Array(buffer as ArrayBuffer, byteOffset + start, end - start)]);
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  const reader = packed.stream().pipeThrough(new DecompressionStream('deflate')).getReader();
  for (;;) {
    const { done, value } = await reader.read().catch((cause: unknown) => {
      throw malformed({ file: source.file, at: start }, 'compressed data', `"${oneLine(cause)}"`, cause);
    });
    if (done) break;
    size += value.length;
    if (size > mostBytes) {
      await reader.cancel();
      throw malformed({ file: source.file, at: start }, `at most ${mostBytes} bytes of data`, 'more');
    }
    chunks.push(value as Uint8Array<ArrayBuffer>);
  }
  const view = new DataView(await new Blob(chunks).arrayBuffer());
  return { ...source, view, origin: start };
};

/** Classes of arrays. */
const classes = { cell: 1, char: 4, firstNumeric: 6, lastNumeric: 15 } as const;

const matrixIn = (
  source: Source,
  { start, end }: Element,
  depth: number,
): { readonly name: string; readonly value: MatValue } => {
  if (start === end)
    return { name: '', value: { kind: 'numbers', shape: [0, 0], data: new Float64Array(0) } };
  if (depth > mostDepth) throw fault(source, start, `cells at most ${mostDepth} deep`, 'deeper ones');
  const flags = elementAt(source, start, end);
  const dimensions = elementAt(source, flags.next, end);
  const title = elementAt(source, dimensions.next, end);
  if (flags.end - flags.start !== 8) throw fault(source, start, 'flags of an array', 'others');
  const shape = [...numbersIn(source, dimensions)];
  const count = shape.reduce((product, length) => product * length, 1);
  if (
    shape.length < 2 ||
    !shape.every((length) => Number.isInteger(length) && length >= 0) ||
    count > end - start
  )
    throw fault(
      source,
      dimensions.start,
      'dimensions that fit the data',
      `[${shape.slice(0, 8).join(', ')}]`,
    );
  const name = textIn(source, title);
  const kind = source.view.getUint32(flags.start, source.isLittle) & 0xff;
  if (kind === classes.cell) {
    let at = title.next;
    const cells = Array.from({ length: count }, () => {
      const cell = elementAt(source, at, end);
      if (cell.type !== types.matrix) throw fault(source, at, 'a cell', `type ${cell.type}`);
      at = cell.next;
      return matrixIn(source, cell, depth + 1).value;
    });
    return { name, value: { kind: 'cells', shape, cells } };
  }
  if (kind === classes.char)
    return { name, value: { kind: 'text', text: textIn(source, elementAt(source, title.next, end)) } };
  if (kind < classes.firstNumeric || kind > classes.lastNumeric) return { name, value: { kind: 'other' } };
  const data = numbersIn(source, elementAt(source, title.next, end));
  if (data.length !== count) throw fault(source, title.next, `${count} numbers`, String(data.length));
  return { name, value: { kind: 'numbers', shape, data } };
};

/** Bytes and reader of each type of number. */
const readers: Readonly<
  Record<number, readonly [size: number, (view: DataView, at: number, isLittle: boolean) => number]>
> = {
  1: [1, (view, at) => view.getInt8(at)],
  2: [1, (view, at) => view.getUint8(at)],
  3: [2, (view, at, isLittle) => view.getInt16(at, isLittle)],
  4: [2, (view, at, isLittle) => view.getUint16(at, isLittle)],
  5: [4, (view, at, isLittle) => view.getInt32(at, isLittle)],
  6: [4, (view, at, isLittle) => view.getUint32(at, isLittle)],
  7: [4, (view, at, isLittle) => view.getFloat32(at, isLittle)],
  9: [8, (view, at, isLittle) => view.getFloat64(at, isLittle)],
  12: [8, (view, at, isLittle) => Number(view.getBigInt64(at, isLittle))],
  13: [8, (view, at, isLittle) => Number(view.getBigUint64(at, isLittle))],
};

const numbersIn = (source: Source, { type, start, end }: Element): Float64Array => {
  const reader = readers[type];
  if (reader === undefined) throw fault(source, start, 'numbers', `type ${type}`);
  const [size, read] = reader;
  if ((end - start) % size !== 0)
    throw fault(source, start, `numbers of ${size} bytes`, `${end - start} bytes`);
  return Float64Array.from({ length: (end - start) / size }, (_, i) =>
    read(source.view, start + i * size, source.isLittle),
  );
};

const textIn = (source: Source, element: Element): string => {
  const { type, start, end } = element;
  if (type === types.utf8) {
    const { buffer, byteOffset } = source.view;
    return new TextDecoder().decode(new Uint8Array(buffer, byteOffset + start, end - start));
  }
  const asNumbers = { [types.utf16]: 4, [types.utf32]: 6 }[type] ?? type;
  return Array.from(numbersIn(source, { ...element, type: asNumbers }), characterOf).join('');
};

const characterOf = (code: number): string =>
  code >= 0 && code <= 0x10ffff && Number.isInteger(code) ? String.fromCodePoint(code) : '\ufffd';
