// Writes ZIP archives of stored members, each at a multiple of 64 bytes, as PyTorch lays out its files.
// Source: APPNOTE.TXT, the ZIP file format specification of PKWARE.
import { sentence } from '@autoassign/tensor';
import { WeightsError } from '../../errors.ts';
import { crc32 } from './crc32.ts';

/** A member to write; its name in ASCII. */
export interface ZipPart {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const alignment = 64;
/** Beyond it come other records, which is more than one array of bytes holds anyway. */
const longest = 2 ** 32 - 2;
const mostMembers = 2 ** 16 - 2;

/** Where a member goes. */
interface Place extends ZipPart {
  readonly header: number;
  /** Bytes of filling, in a field of the header. */
  readonly filling: number;
  readonly data: number;
  readonly crc: number;
}

const sizes = { local: 30, entry: 46, end: 22, field: 4 } as const;

const placesOf = (parts: readonly ZipPart[]): Place[] => {
  let at = 0;
  return parts.map((part) => {
    const header = at;
    const unfilled = header + sizes.local + part.name.length + sizes.field;
    const data = Math.ceil(unfilled / alignment) * alignment;
    at = data + part.bytes.length;
    return { ...part, header, filling: data - unfilled, data, crc: crc32(part.bytes) };
  });
};

/**
 * The bytes of an archive.
 *
 * Throws   WeightsError when they would be 4 GiB or more, or of 2^16 members or more
 */
export const zipArchive = (parts: readonly ZipPart[]): Uint8Array => {
  const places = placesOf(parts);
  const last = places.at(-1)!;
  const directory = last.data + last.bytes.length;
  const end = directory + places.reduce((sum, { name }) => sum + sizes.entry + name.length, 0);
  if (end + sizes.end > longest || places.length > mostMembers) throw tooLong(end + sizes.end, places.length);
  const archive = new Uint8Array(end + sizes.end);
  const view = new DataView(archive.buffer);
  const encoder = new TextEncoder();
  let at = directory;
  for (const place of places) {
    putLocal(view, place);
    archive.set(encoder.encode(place.name), place.header + sizes.local);
    archive.set(place.bytes, place.data);
    putEntry(view, at, place);
    archive.set(encoder.encode(place.name), at + sizes.entry);
    at += sizes.entry + place.name.length;
  }
  putEnd(view, { at: end, count: places.length, directory });
  return archive;
};

/** What local header and directory entry have in common, from the version on. */
const putDescription = (view: DataView, at: number, { name, bytes, crc }: Place): void => {
  view.setUint16(at, 20, true); // the version of the format that a reader needs
  view.setUint32(at + 10, crc, true);
  view.setUint32(at + 14, bytes.length, true);
  view.setUint32(at + 18, bytes.length, true);
  view.setUint16(at + 22, name.length, true);
};

const putLocal = (view: DataView, place: Place): void => {
  const { header, filling, name } = place;
  view.setUint32(header, 0x04034b50, true);
  putDescription(view, header + 4, place);
  view.setUint16(header + 28, sizes.field + filling, true);
  view.setUint16(header + sizes.local + name.length, 0x4246, true); // 'FB', the field that PyTorch fills with
  view.setUint16(header + sizes.local + name.length + 2, filling, true);
};

const putEntry = (view: DataView, at: number, place: Place): void => {
  view.setUint32(at, 0x02014b50, true);
  putDescription(view, at + 6, place);
  view.setUint32(at + 42, place.header, true);
};

const putEnd = (
  view: DataView,
  { at, count, directory }: { readonly at: number; readonly count: number; readonly directory: number },
): void => {
  view.setUint32(at, 0x06054b50, true);
  view.setUint16(at + 8, count, true);
  view.setUint16(at + 10, count, true);
  view.setUint32(at + 12, at - directory, true);
  view.setUint32(at + 16, directory, true);
};

const tooLong = (bytes: number, members: number): WeightsError =>
  new WeightsError(
    sentence({
      where: 'writeTorch',
      needs: `at most ${longest} bytes and ${mostMembers} members`,
      got: `${bytes} bytes and ${members} members`,
      advice: 'Write fewer arrays, or safetensors.',
    }),
  );
