// The bytes of TensorBoard's event files: events as protocol buffers, in records with masked checksums.

/** What an event says: that a file begins, that a process begins at a step, a number, or a picture. */
export type TensorboardEvent = { readonly seconds: number; readonly step: number } & (
  | { readonly kind: 'file' }
  | { readonly kind: 'start' }
  | { readonly kind: 'scalars'; readonly values: Readonly<Record<string, number>> }
  | { readonly kind: 'picture'; readonly tag: string; readonly png: Uint8Array; readonly size: PictureSize }
);

interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/** 256 remainders of the polynomial of Castagnoli, bits reversed. */
const remainders = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value;
});

/**
 * The checksum CRC-32C of bytes.
 *
 * Source   RFC 3720, appendix B.4
 */
export function crc32c(bytes: Uint8Array): number {
  let value = 0xffffffff;
  for (const byte of bytes) value = (value >>> 8) ^ (remainders[(value ^ byte) & 0xff] ?? 0);
  return (value ^ 0xffffffff) >>> 0;
}

/** The checksum as records carry it: turned by 15 bits, plus a number, so that checksums of checksums stay good ones. */
function maskedChecksum(bytes: Uint8Array): number {
  const sum = crc32c(bytes);
  return (((sum >>> 15) | (sum << 17)) + 0xa282ead8) >>> 0;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts));
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return Uint8Array.of(...bytes, rest);
}

function littleEndian(size: number, write: (view: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(size);
  write(new DataView(bytes.buffer));
  return bytes;
}

/** A field of a message: its number and wire type, then its value. */
const field = (number: number, wire: number, value: Uint8Array): Uint8Array =>
  joined([varint(number * 8 + wire), value]);
const wholeField = (number: number, value: number): Uint8Array => field(number, 0, varint(value));
const doubleField = (number: number, value: number): Uint8Array =>
  field(
    number,
    1,
    littleEndian(8, (view) => view.setFloat64(0, value, true)),
  );
const floatField = (number: number, value: number): Uint8Array =>
  field(
    number,
    5,
    littleEndian(4, (view) => view.setFloat32(0, value, true)),
  );
const bytesField = (number: number, value: Uint8Array): Uint8Array =>
  field(number, 2, joined([varint(value.length), value]));
const textField = (number: number, value: string): Uint8Array =>
  bytesField(number, new TextEncoder().encode(value));

const rgb = 3;

/** What stands beside time and step in the message of an event. */
function contentOf(event: TensorboardEvent): Uint8Array {
  switch (event.kind) {
    case 'file':
      return textField(3, 'brain.Event:2');
    case 'start':
      return bytesField(7, wholeField(1, 1)); // a session log that says START: what is later than its step no longer counts
    case 'scalars': {
      const values = Object.entries(event.values).map(([tag, value]) =>
        bytesField(1, joined([textField(1, tag), floatField(2, value)])),
      );
      return bytesField(5, joined(values));
    }
    case 'picture': {
      const { width, height } = event.size;
      const image = [
        wholeField(1, height),
        wholeField(2, width),
        wholeField(3, rgb),
        bytesField(4, event.png),
      ];
      return bytesField(5, bytesField(1, joined([textField(1, event.tag), bytesField(4, joined(image))])));
    }
  }
}

/**
 * The record of an event, as it stands in a file.
 *
 * Source   TensorFlow: event.proto and summary.proto for the fields, record_writer.cc for length, checksum, data, checksum
 */
export function tensorboardRecord(event: TensorboardEvent): Uint8Array {
  const data = joined([doubleField(1, event.seconds), wholeField(2, event.step), contentOf(event)]);
  const length = littleEndian(8, (view) => view.setBigUint64(0, BigInt(data.length), true));
  const checksum = (bytes: Uint8Array): Uint8Array =>
    littleEndian(4, (view) => view.setUint32(0, maskedChecksum(bytes), true));
  return joined([length, checksum(length), data, checksum(data)]);
}
