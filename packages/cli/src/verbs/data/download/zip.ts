// Unpacks zip archives as COCO and WIDER FACE are given out: by the directory at their end, also those of more than 4 GB.
import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { Readable, Transform } from 'node:stream';
import { crc32, createInflateRaw } from 'node:zlib';
import { type ArchivedFile, damaged, filePlacer, type UnpackOptions } from './unpack.ts';

/** One entry of the directory. */
interface ZipEntry extends ArchivedFile {
  readonly packedSize: number;
  /** 0 stored, 8 deflated. */
  readonly method: number;
  readonly crc: number;
  readonly isEncrypted: boolean;
  /** Where its own header is in the archive. */
  readonly headerAt: number;
}

const signatures = {
  file: 0x04034b50,
  entry: 0x02014b50,
  end: 0x06054b50,
  end64: 0x06064b50,
  locator64: 0x07064b50,
};
const longestComment = 0xffff;
const endSize = 22;
const mostDirectoryBytes = 2 ** 30;

/**
 * The number of files in the archive, once all are in the folder; files that are there with the right size are left alone.
 *
 * Throws   DownloadError naming the archive when it is damaged, encrypted, or holds names that lead out of the folder
 * Source   PKWARE's APPNOTE 6.3, with Zip64
 */
export async function unpackZip(archive: string, folder: string, options: UnpackOptions): Promise<number> {
  const { signal, onProgress } = options;
  const file = await open(archive, 'r');
  try {
    const { size: total } = await file.stat();
    const entries = await readDirectory(archive, file, total);
    const placer = filePlacer(archive, folder, signal);
    let [done, count] = [0, 0];
    for (const entry of entries) {
      signal.throwIfAborted();
      if (!entry.name.endsWith('/')) {
        if (!(await placer.isThere(entry))) await placer.place(entry, await contentOf(archive, file, entry));
        count += 1;
      }
      done += entry.packedSize;
      onProgress?.(Math.min(done, total), total);
    }
    return count;
  } finally {
    await file.close();
  }
}

async function readAt(archive: string, file: FileHandle, at: number, length: number): Promise<Buffer> {
  const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, at);
  if (at >= 0 && bytesRead === length) return buffer;
  throw damaged(archive, `a complete archive, got its end before byte ${at + length}`);
}

/** All entries, in the order of the directory. */
async function readDirectory(archive: string, file: FileHandle, total: number): Promise<readonly ZipEntry[]> {
  const { count, size, at } = await findDirectory(archive, file, total);
  if (size > mostDirectoryBytes || at + size > total)
    throw damaged(archive, `a directory inside the archive, got one of ${size} bytes at byte ${at}`);
  const directory = await readAt(archive, file, at, size);
  const entries: ZipEntry[] = [];
  for (let from = 0; entries.length < count; ) {
    if (from + 46 > size || directory.readUInt32LE(from) !== signatures.entry)
      throw damaged(archive, `${count} entries in its directory, got ${entries.length}`);
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((field) =>
      directory.readUInt16LE(from + field),
    ) as [number, number, number];
    const end = from + 46 + nameLength + extraLength + commentLength;
    if (end > size) throw damaged(archive, `${count} entries in its directory, got ${entries.length}`);
    entries.push(readEntry(directory.subarray(from, end), nameLength, extraLength));
    from = end;
  }
  return entries;
}

function readEntry(bytes: Buffer, nameLength: number, extraLength: number): ZipEntry {
  const name = bytes.toString('utf8', 46, 46 + nameLength);
  const extra = bytes.subarray(46 + nameLength, 46 + nameLength + extraLength);
  // Numbers too large for four bytes follow in the extra field, in this order.
  const long = longNumbers(extra);
  const number = (field: number): number => {
    const short = bytes.readUInt32LE(field);
    return short === 0xffffffff ? (long.shift() ?? short) : short;
  };
  const size = number(24);
  const packedSize = number(20);
  const headerAt = number(42);
  const [flags, method, crc] = [bytes.readUInt16LE(8), bytes.readUInt16LE(10), bytes.readUInt32LE(16)];
  return { name, size, packedSize, method, crc, isEncrypted: (flags & 1) !== 0, headerAt };
}

function longNumbers(extra: Buffer): number[] {
  for (let at = 0; at + 4 <= extra.length; ) {
    const [id, length] = [extra.readUInt16LE(at), extra.readUInt16LE(at + 2)];
    if (id === 1) {
      const field = extra.subarray(at + 4, at + 4 + length);
      return Array.from({ length: Math.floor(field.length / 8) }, (_, i) =>
        Number(field.readBigUInt64LE(8 * i)),
      );
    }
    at += 4 + length;
  }
  return [];
}

/** How many entries the directory has, its size, and where it begins. */
async function findDirectory(
  archive: string,
  file: FileHandle,
  total: number,
): Promise<{ readonly count: number; readonly size: number; readonly at: number }> {
  const tailSize = Math.min(total, endSize + longestComment);
  const tailAt = total - tailSize;
  const tail = await readAt(archive, file, tailAt, tailSize);
  let end = tailSize - endSize;
  while (
    end >= 0 &&
    !(tail.readUInt32LE(end) === signatures.end && end + endSize + tail.readUInt16LE(end + 20) === tailSize)
  )
    end -= 1;
  if (end < 0) throw damaged(archive, 'a zip archive, got a file without a directory at its end');
  const [count, size, at] = [
    tail.readUInt16LE(end + 10),
    tail.readUInt32LE(end + 12),
    tail.readUInt32LE(end + 16),
  ];
  if (count !== 0xffff && size !== 0xffffffff && at !== 0xffffffff) return { count, size, at };
  const locatorAt = tailAt + end - 20;
  const locator = locatorAt < 0 ? Buffer.alloc(20) : await readAt(archive, file, locatorAt, 20);
  if (locator.readUInt32LE(0) !== signatures.locator64) return { count, size, at };
  const end64 = await readAt(archive, file, Number(locator.readBigUInt64LE(8)), 56);
  if (end64.readUInt32LE(0) !== signatures.end64)
    throw damaged(archive, 'a directory of 64 bits, got none where it should be');
  const [longCount, longSize, longAt] = [32, 40, 48].map((field) => Number(end64.readBigUInt64LE(field))) as [
    number,
    number,
    number,
  ];
  return { count: longCount, size: longSize, at: longAt };
}

/** The streams that lead to the content of an entry, the last of which checks it. */
async function contentOf(
  archive: string,
  file: FileHandle,
  entry: ZipEntry,
): Promise<readonly (Readable | Transform)[]> {
  const { name, method, packedSize, headerAt, isEncrypted } = entry;
  if (isEncrypted || (method !== 0 && method !== 8))
    throw damaged(
      archive,
      `plain entries, stored or deflated, got ${name} ${isEncrypted ? 'encrypted' : `by method ${method}`}`,
    );
  const header = await readAt(archive, file, headerAt, 30);
  if (header.readUInt32LE(0) !== signatures.file)
    throw damaged(archive, `the entry ${name} at byte ${headerAt}, got something else`);
  const dataAt = headerAt + 30 + header.readUInt16LE(26) + header.readUInt16LE(28);
  const packed =
    packedSize === 0
      ? Readable.from([])
      : createReadStream(archive, { start: dataAt, end: dataAt + packedSize - 1 });
  return [
    packed,
    ...(method === 8 && packedSize > 0 ? [createInflateRaw()] : []),
    checkedContent(archive, entry),
  ];
}

/** Passes bytes on, and fails when there are more than the directory says or the checksum differs. */
function checkedContent(archive: string, { name, size, crc }: ZipEntry): Transform {
  let [bytes, sum] = [0, 0];
  const wrong = (): Error =>
    damaged(archive, `the entry ${name} of ${size} bytes as its checksum says, got other bytes`);
  return new Transform({
    transform: (piece: Buffer, _, done) => {
      bytes += piece.length;
      sum = crc32(piece, sum);
      if (bytes > size) done(wrong());
      else done(null, piece);
    },
    flush: (done) => (bytes === size && sum === crc ? done() : done(wrong())),
  });
}
