// A reader of TensorBoard's event files for tests, written from the formats alone: records, checksums bit by bit, protocol buffers.

/** One event as its fields by number; messages inside are bytes. */
export interface ReadEvent {
  readonly seconds: number;
  readonly step: number;
  readonly version: string | undefined;
  readonly isStart: boolean;
  readonly values: readonly { readonly tag: string; readonly number?: number; readonly image?: ReadImage }[];
}

interface ReadImage {
  readonly height: number;
  readonly width: number;
  readonly png: Buffer;
}

type Field = readonly [number: number, value: number | Buffer];

/** CRC-32C by division, one bit after the other. */
export function checksumBitByBit(bytes: Uint8Array): number {
  let remainder = 0xffffffff;
  for (const byte of bytes) {
    remainder ^= byte;
    for (let bit = 0; bit < 8; bit += 1) {
      const isOdd = (remainder & 1) === 1;
      remainder = (remainder >>> 1) ^ (isOdd ? 0x82f63b78 : 0);
    }
  }
  return ~remainder >>> 0;
}

function unmasked(value: number): number {
  const turned = (value - 0xa282ead8) >>> 0;
  return ((turned >>> 17) | (turned << 15)) >>> 0;
}

function varintAt(bytes: Buffer, start: number): readonly [value: number, next: number] {
  let [value, scale, at] = [0, 1, start];
  for (; ; at += 1, scale *= 128) {
    const byte = bytes.readUInt8(at);
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return [value, at + 1];
  }
}

function fieldsOf(message: Buffer): readonly Field[] {
  const fields: Field[] = [];
  for (let at = 0; at < message.length; ) {
    const [key, after] = varintAt(message, at);
    const [number, wire] = [Math.floor(key / 8), key % 8];
    if (wire === 0) {
      const [value, next] = varintAt(message, after);
      fields.push([number, value]);
      at = next;
    } else if (wire === 1) {
      fields.push([number, message.readDoubleLE(after)]);
      at = after + 8;
    } else if (wire === 5) {
      fields.push([number, message.readFloatLE(after)]);
      at = after + 4;
    } else if (wire === 2) {
      const [length, start] = varintAt(message, after);
      if (start + length > message.length) throw new Error('a field ends behind its message');
      fields.push([number, message.subarray(start, start + length)]);
      at = start + length;
    } else throw new Error(`wire type ${wire}`);
  }
  return fields;
}

const all = (fields: readonly Field[], number: number): readonly (number | Buffer)[] =>
  fields.filter(([found]) => found === number).map(([, value]) => value);
const numberAt = (fields: readonly Field[], number: number): number => Number(all(fields, number)[0] ?? 0);
const bytesAt = (fields: readonly Field[], number: number): Buffer | undefined => {
  const [value] = all(fields, number);
  return typeof value === 'object' ? value : undefined;
};

function imageOf(bytes: Buffer): ReadImage {
  const fields = fieldsOf(bytes);
  const png = bytesAt(fields, 4) ?? Buffer.alloc(0);
  return { height: numberAt(fields, 1), width: numberAt(fields, 2), png };
}

function eventOf(message: Buffer): ReadEvent {
  const fields = fieldsOf(message);
  const summary = bytesAt(fields, 5);
  const session = bytesAt(fields, 7);
  const values = (summary === undefined ? [] : all(fieldsOf(summary), 1)).map((value) => {
    const own = fieldsOf(value as Buffer);
    const image = bytesAt(own, 4);
    const tag = bytesAt(own, 1)?.toString() ?? '';
    return image === undefined ? { tag, number: numberAt(own, 2) } : { tag, image: imageOf(image) };
  });
  return {
    seconds: numberAt(fields, 1),
    step: numberAt(fields, 2),
    version: bytesAt(fields, 3)?.toString(),
    isStart: session !== undefined && numberAt(fieldsOf(session), 1) === 1,
    values,
  };
}

/** The events of a file; throws at the first record with a wrong checksum. */
export function readEvents(file: Buffer): readonly ReadEvent[] {
  const events: ReadEvent[] = [];
  for (let at = 0; at < file.length; ) {
    const head = file.subarray(at, at + 8);
    const length = Number(head.readBigUInt64LE());
    const data = file.subarray(at + 12, at + 12 + length);
    for (const [bytes, place] of [
      [head, at + 8],
      [data, at + 12 + length],
    ] as const)
      if (unmasked(file.readUInt32LE(place)) !== checksumBitByBit(bytes))
        throw new Error(`checksum at ${place}`);
    events.push(eventOf(data));
    at += 16 + length;
  }
  return events;
}
