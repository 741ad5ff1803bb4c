// Unpacks tar archives as PASCAL VOC is given out: plain files in folders, names of any length.
import { type FileHandle, open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { damaged, filePlacer, type UnpackOptions } from './unpack.ts';

const blockSize = 512;

/** One entry: its header's fields, and where its bytes begin. */
interface TarEntry {
  readonly name: string;
  readonly size: number;
  /** `0` file, `5` folder, `L` long name, `x` and `g` further fields; others are refused. */
  readonly type: string;
  readonly dataAt: number;
}

/**
 * The number of files in the archive, once all are in the folder; files that are there with the right size are left alone.
 *
 * Throws   DownloadError naming the archive when it is damaged, cut short, or holds names that lead out of the folder or links
 * Source   POSIX.1-2017 (ustar, pax) and the long names of GNU tar
 */
export async function unpackTar(archive: string, folder: string, options: UnpackOptions): Promise<number> {
  const { signal, onProgress } = options;
  const file = await open(archive, 'r');
  try {
    const { size: total } = await file.stat();
    const placer = filePlacer(archive, folder, signal);
    let [at, count] = [0, 0];
    let longName: string | undefined;
    for (;;) {
      signal.throwIfAborted();
      const entry = await readEntry(archive, file, at);
      if (entry === undefined) break;
      const { size, type, dataAt } = entry;
      at = dataAt + Math.ceil(size / blockSize) * blockSize;
      if (at > total)
        throw damaged(archive, `a complete archive, got the end of the file inside ${entry.name}`);
      if (type === 'L' || type === 'x') longName = await readName(archive, file, entry);
      else if (type === '0') {
        const named = { name: longName ?? entry.name, size };
        if (!(await placer.isThere(named))) await placer.place(named, [bytesOf(file, dataAt, size)]);
        count += 1;
      } else if (type !== '5' && type !== 'g')
        throw damaged(archive, `files and folders only, got ${entry.name} of type ${JSON.stringify(type)}`);
      if (type !== 'L' && type !== 'x') longName = undefined;
      onProgress?.(Math.min(at, total), total);
    }
    return count;
  } finally {
    await file.close();
  }
}

/** The bytes of an entry; a stream of its own, so that the file stays open. */
function bytesOf(file: FileHandle, start: number, size: number): Readable {
  return Readable.from(pieces(file, start, size), { objectMode: false });
}

async function* pieces(file: FileHandle, start: number, size: number): AsyncGenerator<Buffer> {
  for (let done = 0; done < size; ) {
    const { bytesRead, buffer } = await file.read(
      Buffer.allocUnsafe(Math.min(1 << 20, size - done)),
      0,
      Math.min(1 << 20, size - done),
      start + done,
    );
    if (bytesRead === 0) throw new Error('the archive became shorter while it was read');
    yield buffer.subarray(0, bytesRead);
    done += bytesRead;
  }
}

/** The entry whose header is at `at`; undefined at the end, which two empty blocks mark. */
async function readEntry(archive: string, file: FileHandle, at: number): Promise<TarEntry | undefined> {
  const { bytesRead, buffer: header } = await file.read(Buffer.alloc(blockSize), 0, blockSize, at);
  if (bytesRead === blockSize && header.every((byte) => byte === 0)) return undefined;
  if (bytesRead < blockSize)
    throw damaged(archive, `a complete archive, got its end after ${at} bytes without the closing blocks`);
  requireChecksum(archive, header, at);
  const text = (from: number, length: number): string => {
    const field = header.subarray(from, from + length);
    const end = field.indexOf(0);
    return field.subarray(0, end < 0 ? length : end).toString('utf8');
  };
  const size = sizeOf(header);
  if (!Number.isSafeInteger(size)) throw damaged(archive, `a size for every entry, got none at byte ${at}`);
  const isUstar = text(257, 5) === 'ustar' && header[263] !== 0x20; // GNU's own header has other fields behind the name
  const prefix = isUstar ? text(345, 155) : '';
  const name = prefix === '' ? text(0, 100) : `${prefix}/${text(0, 100)}`;
  const mark = String.fromCharCode(header[156] ?? 0);
  const isFolder = (mark === '0' || mark === '\0') && name.endsWith('/'); // as tar wrote folders before POSIX
  const type = isFolder ? '5' : mark === '\0' || mark === '7' ? '0' : mark;
  return { name, size: type === '5' ? 0 : size, type, dataAt: at + blockSize };
}

/** The size field: octal digits, or for large files a number in base 256. */
function sizeOf(header: Buffer): number {
  const field = header.subarray(124, 136);
  if (((field[0] ?? 0) & 0x80) !== 0) return Number(field.readBigUInt64BE(4));
  const digits = field
    .toString('latin1')
    .replace(/[\0 ]+$/, '')
    .trim();
  return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN;
}

/** The sum of all bytes of a header, its own field taken as spaces, must be what that field says. */
function requireChecksum(archive: string, header: Buffer, at: number): void {
  const stated = Number.parseInt(header.subarray(148, 156).toString('latin1').replace(/\0.*$/, '').trim(), 8);
  const sum = header.reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 0x20 : byte), 0);
  if (stated !== sum) throw damaged(archive, `a tar archive, got a damaged header at byte ${at}`);
}

const longestName = 1 << 16;

/** The name for the next entry: the whole content (GNU), or the field `path` among others (POSIX). */
async function readName(archive: string, file: FileHandle, entry: TarEntry): Promise<string | undefined> {
  if (entry.size > longestName)
    throw damaged(archive, `names of at most ${longestName} bytes, got ${entry.size}`);
  const { buffer } = await file.read(Buffer.alloc(entry.size), 0, entry.size, entry.dataAt);
  const text = buffer.toString('utf8');
  if (entry.type === 'L') return text.replace(/\0.*$/s, '');
  return /(?:^|\n)\d+ path=([^\n]*)\n/.exec(text)?.[1];
}
