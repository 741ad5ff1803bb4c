// One file from the network, so that a stop, a broken line or a full disk costs nothing that has arrived.
import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import {
  type FileHandle,
  mkdir,
  open,
  readFile,
  rename,
  rm,
  stat,
  statfs,
  writeFile,
} from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { DownloadError, networkReason } from './downloadError.ts';

/** What to fetch, and what to call meanwhile. */
export interface FetchRequest {
  readonly url: string;
  /** Where the file goes; until it is complete and checked, it is `<path>.part`. */
  readonly path: string;
  readonly md5?: string | undefined;
  readonly signal: AbortSignal;
  /** Bytes that are there, and all; called for every piece. */
  readonly onProgress?: (done: number, total: number | undefined) => void;
  /** What the user should know, such as a server that cannot go on where it stopped. */
  readonly onNote?: (note: string) => void;
  readonly surroundings?: FetchSurroundings;
}

/** What tests replace. */
export interface FetchSurroundings {
  /** Bytes that may still be written to the disk of a folder. */
  readonly freeBytes: (folder: string) => Promise<number>;
  readonly openFile: (path: string, flags: string) => Promise<Pick<FileHandle, 'write' | 'sync' | 'close'>>;
  /** Milliseconds before the first repetition; doubled for every further one. */
  readonly pause: number;
  /** Milliseconds without a byte after which a connection is given up. */
  readonly patience: number;
}

/** What was fetched, and by what it was checked. */
export interface FetchedFile {
  readonly bytes: number;
  readonly isReused: boolean;
  readonly checked: 'md5' | 'size' | 'nothing';
}

const mostFailures = 5;

/** The disk, and pauses that a server at work does not notice. */
export const realSurroundings: FetchSurroundings = {
  freeBytes: async (folder) => {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  },
  openFile: open,
  pause: 1000,
  patience: 60_000,
};

/** What is known of a part of a file: whose part it is, so that nothing else is appended to it. */
interface PartState {
  readonly url: string;
  /** What the server calls this version of the file: an entity tag, or the time of its last change. */
  readonly version?: string | undefined;
}

/**
 * What was fetched, once the file is complete, checked and has its name; a file of that name is taken as it is.
 *
 * Throws   DownloadError naming the address: what arrived stays in `<path>.part`, and the next call goes on from there, except
 *          when the checksum is wrong; the reason of the signal when it fires, the part staying likewise
 */
export async function fetchFile(request: FetchRequest): Promise<FetchedFile> {
  const { path, url, signal } = request;
  const there = await stat(path).catch(() => undefined);
  if (there !== undefined) return { bytes: there.size, isReused: true, checked: 'nothing' };
  await mkdir(dirname(path), { recursive: true });
  const { pause } = request.surroundings ?? realSurroundings;
  let failures = 0;
  for (;;) {
    const before = await partSize(path);
    try {
      return await fetchRest(request);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof DownloadError) throw error;
      failures = (await partSize(path)) > before ? 1 : failures + 1;
      const reason = networkReason(error);
      if (failures >= mostFailures) throw unreachable(url, reason);
      request.onNote?.(`${basename(path)}: ${reason}; trying again.`);
      await waitFor(pause * 2 ** (failures - 1), signal);
    }
  }
}

async function partSize(path: string): Promise<number> {
  return (await stat(`${path}.part`).catch(() => undefined))?.size ?? 0;
}

async function waitFor(milliseconds: number, signal: AbortSignal): Promise<void> {
  await setTimeout(milliseconds, undefined, { signal }).catch(() => signal.throwIfAborted());
}

/** A server's answer to the request for the rest of a file. */
interface Rest {
  /** Bytes of the part that stay. */
  readonly start: number;
  readonly total: number | undefined;
  readonly version: string | undefined;
  readonly body: AsyncIterable<Uint8Array> | undefined;
}

/** One attempt: asks for what is missing, appends it, checks the whole and gives it its name. */
async function fetchRest(request: FetchRequest): Promise<FetchedFile> {
  const { url, path, md5, signal, surroundings = realSurroundings } = request;
  const controller = new AbortController();
  const stop = (): void => controller.abort(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  try {
    signal.throwIfAborted();
    const rest = await askForRest(request, controller.signal);
    await requireSpace(request, rest);
    if (rest.start === 0) await removePart(path); // the note of whose part it is never stands beside another's
    await writeFile(`${path}.part.json`, JSON.stringify({ url, version: rest.version } satisfies PartState));
    const hash = createHash('md5');
    if (rest.start > 0) await addToHash(hash, `${path}.part`, rest.start);
    const bytes = await append(request, rest, { hash, controller, patience: surroundings.patience });
    if (rest.total !== undefined && bytes !== rest.total)
      throw new Error(`the connection ended after ${bytes} of ${rest.total} bytes`);
    const digest = hash.digest('hex');
    if (md5 !== undefined && digest !== md5) {
      await removePart(path);
      throw wrongChecksum(request, digest);
    }
    await rename(`${path}.part`, path);
    await rm(`${path}.part.json`, { force: true });
    const checked = md5 !== undefined ? 'md5' : rest.total !== undefined ? 'size' : 'nothing';
    return { bytes, isReused: false, checked };
  } finally {
    signal.removeEventListener('abort', stop);
    controller.abort(); // an answer that was refused is not read any further
  }
}

async function removePart(path: string): Promise<void> {
  await rm(`${path}.part`, { force: true });
  await rm(`${path}.part.json`, { force: true });
}

/** Asks for the bytes behind the part that is there, or for the whole file where there is none of this version. */
async function askForRest(request: FetchRequest, signal: AbortSignal): Promise<Rest> {
  const { url, path, onNote } = request;
  const state = await readState(path);
  const size = state?.url === url ? await partSize(path) : 0;
  const headers: Record<string, string> = { 'Accept-Encoding': 'identity' };
  if (size > 0) headers.Range = `bytes=${size}-`;
  if (size > 0 && state?.version !== undefined) headers['If-Range'] = state.version;
  const response = await fetch(url, { headers, signal });
  const { status, body } = response;
  const version =
    response.headers.get('etag')?.replace(/^W\/.*/, '') || response.headers.get('last-modified') || undefined;
  if (status === 206) {
    const [, first, total] =
      /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(response.headers.get('content-range') ?? '') ?? [];
    if (Number(first) === size && body !== null)
      return { start: size, total: total === '*' ? undefined : Number(total), version, body };
    await removePart(path);
    throw new Error('the server sent another part than the one asked for');
  }
  if (status === 416) return completePart(request, response, size);
  if (status === 200 && body !== null) {
    if (size > 0)
      onNote?.(
        `${basename(path)}: the server does not go on where it stopped, or has another file now; starting over.`,
      );
    const length = response.headers.get('content-length');
    return { start: 0, total: length === null ? undefined : Number(length), version, body };
  }
  if (status >= 500 || status === 429) throw new Error(`the server answered ${status}`);
  throw refused(url, status);
}

/** The answer to a request beyond the end: nothing is missing, or the part is not of this file. */
async function completePart({ path }: FetchRequest, response: Response, size: number): Promise<Rest> {
  const total = Number(/^bytes \*\/(\d+)$/.exec(response.headers.get('content-range') ?? '')?.[1]);
  if (total === size) return { start: size, total, version: undefined, body: undefined };
  await removePart(path);
  throw new Error('the server has a shorter file now');
}

async function readState(path: string): Promise<PartState | undefined> {
  try {
    return JSON.parse(await readFile(`${path}.part.json`, 'utf8')) as PartState;
  } catch {
    return undefined; // no part, or one of an unknown file: it is fetched anew
  }
}

async function addToHash(hash: Hash, path: string, length: number): Promise<void> {
  for await (const piece of createReadStream(path, { end: length - 1 })) hash.update(piece as Buffer);
}

/** Appends what arrives to the part and gives the number of bytes that are there in the end. */
async function append(
  { url, path, onProgress, surroundings = realSurroundings }: FetchRequest,
  { start, total, body }: Rest,
  {
    hash,
    controller,
    patience,
  }: { readonly hash: Hash; readonly controller: AbortController; readonly patience: number },
): Promise<number> {
  let bytes = start;
  const file = await surroundings.openFile(`${path}.part`, start > 0 ? 'a' : 'w');
  let timer: NodeJS.Timeout | undefined;
  const beginWaiting = (): void => {
    globalThis.clearTimeout(timer);
    timer = globalThis.setTimeout(
      () => controller.abort(new Error(`nothing arrived for ${patience / 1000} s`)),
      patience,
    );
  };
  try {
    onProgress?.(bytes, total);
    beginWaiting();
    for await (const piece of body ?? []) {
      await writeAll(file, piece).catch((cause: unknown) => {
        throw cannotWrite(url, path, cause);
      });
      hash.update(piece);
      bytes += piece.length;
      onProgress?.(bytes, total);
      beginWaiting();
    }
    await file.sync();
  } finally {
    globalThis.clearTimeout(timer);
    await file.close();
  }
  return bytes;
}

async function writeAll(file: Pick<FileHandle, 'write'>, piece: Uint8Array): Promise<void> {
  for (let from = 0; from < piece.length; ) from += (await file.write(piece, from)).bytesWritten;
}

async function requireSpace(
  { url, path, surroundings = realSurroundings }: FetchRequest,
  rest: Rest,
): Promise<void> {
  if (rest.total === undefined) return;
  const free = await surroundings.freeBytes(dirname(path));
  const missing = rest.total - rest.start;
  if (missing <= free) return;
  throw new DownloadError(
    `download(${url}): needs ${inUnits(missing)} of free space in ${dirname(path)}, got ${inUnits(free)}. Make room, or choose another --out.`,
  );
}

/** A number of bytes as `123 MB` or `1.9 GB`. */
export function inUnits(bytes: number): string {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(1)} GB`;
  return bytes >= 1e6 ? `${Math.round(bytes / 1e6)} MB` : `${Math.ceil(bytes / 1e3)} kB`;
}

function unreachable(url: string, reason: string): DownloadError {
  return new DownloadError(
    `download(${url}): needs a connection to the server, got "${reason}" ${mostFailures} times. Check the network; the same command goes on where this one stopped.`,
  );
}

function refused(url: string, status: number): DownloadError {
  return new DownloadError(
    `download(${url}): needs the file at this address, got the answer ${status}. It may have moved: see the authors' page.`,
  );
}

function wrongChecksum({ url, md5 }: FetchRequest, digest: string): DownloadError {
  return new DownloadError(
    `download(${url}): needs a file with the MD5 sum ${md5}, got ${digest}. The file was removed; give the command again to fetch it anew.`,
  );
}

function cannotWrite(url: string, path: string, cause: unknown): DownloadError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : networkReason(cause);
  const needs = code === 'ENOSPC' || code === 'EDQUOT' ? 'free space on the disk' : 'a disk it can write';
  return new DownloadError(
    `download(${url}): needs ${needs} for ${path}.part, got ${code}. Make room; the same command goes on where this one stopped.`,
    { cause },
  );
}
