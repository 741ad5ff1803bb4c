// The directory of a ZIP archive of stored members, with every length and position checked before anything is read at it.
// Source: APPNOTE.TXT, the ZIP file format specification of PKWARE.
import type { ByteSource } from '../byteSource.ts';
import { crc32 } from './crc32.ts';
import { textOf } from './machine.ts';
import { type Refuse, readExactly } from './values.ts';

/** A member of an archive, stored as it is. */
export interface ZipMember {
  readonly name: string;
  readonly size: number;
  readonly crc: number;
  /** The position of its local header. */
  readonly header: number;
  /** No byte of it lies here or beyond: the next member's header, or the directory. */
  readonly limit: number;
}

/** The most that is accepted of what a directory may claim. */
const limits = { members: 100_000, directoryBytes: 2 ** 25 } as const;

const signatures = { end: 0x06054b50, end64: 0x06064b50, locator64: 0x07064b50, entry: 0x02014b50 } as const;

/** Sizes of the fixed parts, in bytes. */
const sizes = { end: 22, end64: 56, locator64: 20, entry: 46 } as const;

/** What stands for "see the ZIP64 field". */
const elsewhere = { count: 0xffff, position: 0xffffffff } as const;

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Where the directory is. */
interface DirectoryPlace {
  readonly from: number;
  readonly size: number;
  readonly count: number;
}

/**
 * The members of an archive, by their positions.
 *
 * Throws   what `refuse` throws: no directory, members that are compressed or encrypted, overlap, or lie outside the file
 */
export const zipMembers = async (source: ByteSource, refuse: Refuse): Promise<ZipMember[]> => {
  const { from, size, count } = await directoryPlace(source, refuse);
  if (count > limits.members || size > limits.directoryBytes)
    refuse(`at most ${limits.members} members`, `${count} in a directory of ${size} bytes`);
  const bytes = await readExactly(source, from, from + size, refuse);
  const entries = readEntries(bytes, count, refuse).sort((a, b) => a.header - b.header);
  const names = new Set(entries.map(({ name }) => name));
  if (names.size !== entries.length) refuse('members of different names', 'two of one name');
  return entries.map((entry, i) => {
    const limit = entries[i + 1]?.header ?? from;
    if (entry.header + localSize(entry.name) + entry.size > limit)
      refuse(
        `'${entry.name}' to end before byte ${limit}, where the next part begins`,
        `${entry.size} bytes from byte ${entry.header} on`,
      );
    return { ...entry, limit };
  });
};

/** The least that a member's header takes. */
const localSize = (name: string): number => 30 + new TextEncoder().encode(name).length;

const directoryPlace = async (source: ByteSource, refuse: Refuse): Promise<DirectoryPlace> => {
  const longest = Math.min(source.size, sizes.end + 0xffff);
  const tailFrom = source.size - longest;
  const tail = await readExactly(source, tailFrom, source.size, refuse);
  const at = endPosition(tail);
  if (at === undefined)
    return refuse('the directory of a ZIP archive at the end', 'none; the file may have been cut off');
  const end = viewOf(tail.subarray(at));
  const [disk, count, size, from] = [4, 10, 12, 16].map((place) =>
    place < 12 ? end.getUint16(place, true) : end.getUint32(place, true),
  ) as [number, number, number, number];
  if (disk !== 0 && disk !== elsewhere.count) refuse('an archive in one part', `part ${disk}`);
  const place =
    (await place64(source, tailFrom + at, refuse)) ?? ({ from, size, count } satisfies DirectoryPlace);
  if (!(place.from + place.size <= tailFrom + at))
    refuse('a directory before its end', `${place.size} bytes from byte ${place.from} on`);
  return place;
};

/** The last place whose comment ends with the file. */
const endPosition = (tail: Uint8Array): number | undefined => {
  const view = viewOf(tail);
  for (let at = tail.length - sizes.end; at >= 0; at--)
    if (
      view.getUint32(at, true) === signatures.end &&
      at + sizes.end + view.getUint16(at + 20, true) === tail.length
    )
      return at;
  return undefined;
};

/** The place according to the ZIP64 records, which stand before the end record when there are any. */
const place64 = async (
  source: ByteSource,
  end: number,
  refuse: Refuse,
): Promise<DirectoryPlace | undefined> => {
  if (end < sizes.locator64) return undefined;
  const locator = viewOf(await readExactly(source, end - sizes.locator64, end, refuse));
  if (locator.getUint32(0, true) !== signatures.locator64) return undefined;
  const at = Number(locator.getBigUint64(8, true));
  if (!(at + sizes.end64 <= end - sizes.locator64))
    return refuse('a ZIP64 record before its locator', `byte ${at}`);
  const record = viewOf(await readExactly(source, at, at + sizes.end64, refuse));
  if (record.getUint32(0, true) !== signatures.end64)
    return refuse('a ZIP64 record where its locator says', `none at byte ${at}`);
  const [count, size, from] = [32, 40, 48].map((place) => Number(record.getBigUint64(place, true)));
  return { count: count!, size: size!, from: from! };
};

const hexadecimal = (value: number): string => value.toString(16).padStart(8, '0');

type Entry = Omit<ZipMember, 'limit'>;

const readEntries = (bytes: Uint8Array, count: number, refuse: Refuse): Entry[] => {
  const entries: Entry[] = [];
  let at = 0;
  while (entries.length < count) {
    const fixed = bytes.subarray(at, at + sizes.entry);
    if (fixed.length < sizes.entry || viewOf(fixed).getUint32(0, true) !== signatures.entry)
      return refuse(`${count} members in the directory`, `${entries.length}`);
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((place) =>
      viewOf(fixed).getUint16(place, true),
    ) as [number, number, number];
    const extraFrom = at + sizes.entry + nameLength;
    const name = textOf(bytes.subarray(at + sizes.entry, extraFrom), refuse);
    const extra = bytes.subarray(extraFrom, extraFrom + extraLength);
    entries.push(entryOf(viewOf(fixed), { name, extra, refuse }));
    at = extraFrom + extraLength + commentLength;
  }
  if (at !== bytes.length) refuse(`a directory of ${at} bytes`, `${bytes.length} bytes`);
  return entries;
};

const methods: Readonly<Record<number, string>> = { 8: 'deflate', 12: 'bzip2', 14: 'LZMA', 93: 'Zstandard' };

const entryOf = (
  fixed: DataView,
  { name, extra, refuse }: { readonly name: string; readonly extra: Uint8Array; readonly refuse: Refuse },
): Entry => {
  const [flags, method] = [fixed.getUint16(8, true), fixed.getUint16(10, true)];
  if (method !== 0)
    refuse(
      `'${name}' stored without compression`,
      `method ${method}${methods[method] === undefined ? '' : ` (${methods[method]})`}`,
      'PyTorch never compresses its files; save it again with torch.save.',
    );
  if ((flags & 1) !== 0) refuse(`'${name}' without encryption`, 'an encrypted one');
  const wide = wideNumbers(extra);
  const number = (place: number): number => {
    const value = fixed.getUint32(place, true);
    return value === elsewhere.position ? (wide.shift() ?? value) : value;
  };
  const [size, compressed, header] = [number(24), number(20), number(42)];
  if (size !== compressed) refuse(`'${name}' of one size`, `${compressed} bytes that become ${size}`);
  return { name, size, crc: fixed.getUint32(16, true), header };
};

/** The numbers of the ZIP64 field: those that have no room elsewhere, in their order. */
const wideNumbers = (extra: Uint8Array): number[] => {
  const view = viewOf(extra);
  for (let at = 0; at + 4 <= extra.length; at += 4 + view.getUint16(at + 2, true)) {
    const length = Math.min(view.getUint16(at + 2, true), extra.length - at - 4);
    if (view.getUint16(at, true) === 1)
      return Array.from({ length: Math.floor(length / 8) }, (_, i) =>
        Number(view.getBigUint64(at + 4 + 8 * i, true)),
      );
  }
  return [];
};

/**
 * The bytes of a member.
 *
 * Throws   what `refuse` throws, when its header or checksum is not what the directory says
 */
export const readMember = async (
  source: ByteSource,
  member: ZipMember,
  refuse: Refuse,
): Promise<Uint8Array> => {
  const { name, size, crc, header, limit } = member;
  const local = await readExactly(source, header, Math.min(header + 30, limit), refuse);
  if (local.length < 30 || viewOf(local).getUint32(0, true) !== 0x04034b50)
    return refuse(`the header of '${name}' at byte ${header}`, 'none');
  const from = header + 30 + viewOf(local).getUint16(26, true) + viewOf(local).getUint16(28, true);
  if (from + size > limit)
    refuse(`'${name}' to end before byte ${limit}`, `${size} bytes from byte ${from} on`);
  const bytes = await readExactly(source, from, from + size, refuse);
  const found = crc32(bytes);
  // PyTorch can be told not to compute checksums, and writes 0 then
  if (found !== crc && crc !== 0)
    refuse(`'${name}' with the checksum ${hexadecimal(crc)}`, hexadecimal(found));
  return bytes;
};
