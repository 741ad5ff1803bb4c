// The verb `data download`: the archives of a public dataset, fetched, checked and unpacked.
import { stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { UsageError } from '../../../exitCodes.ts';
import type { VerbContext } from '../../../program.ts';
import type { DownloadOptions } from '../options.ts';
import { DownloadError } from './downloadError.ts';
import type { FetchSurroundings } from './fetchFile.ts';
import { fetchFile, inUnits, realSurroundings } from './fetchFile.ts';
import type { Archive, Source, Sources } from './sources.ts';
import { unpackTar } from './tar.ts';
import { unpackZip } from './zip.ts';

/** The archives asked for: all, or those named. */
function chosenArchives({ name, parts }: DownloadOptions, { archives }: Source): readonly Archive[] {
  if (parts === undefined) return archives;
  const unknown = parts.find((part) => !archives.some((archive) => archive.part === part));
  if (unknown !== undefined)
    throw new UsageError(
      `--parts needs archives of ${name}, got '${unknown}'. Choose from: ${archives.map(({ part }) => part).join(', ')}.`,
    );
  return archives.filter(({ part }) => parts.includes(part));
}

/** Counts bytes in whole megabytes, or kilobytes where there are few. */
function byteProgress(label: string, { reporter }: VerbContext) {
  let shown: { readonly update: (done: number) => void; readonly finish: () => void } | undefined;
  return {
    update: (done: number, total = done): void => {
      const [scale, unit] = total >= 20e6 ? [1e6, 'MB'] : [1e3, 'kB'];
      if (shown === undefined) {
        const progress = reporter.progress({
          label,
          total: Math.ceil(total / scale),
          start: Math.floor(done / scale),
          unit,
        });
        const update = (bytes: number): void =>
          progress.update(bytes === total ? Math.ceil(bytes / scale) : Math.floor(bytes / scale));
        shown = { update, finish: progress.finish };
      }
      shown.update(done);
    },
    finish: (): void => shown?.finish(),
  };
}

/** Fetches one archive and says by what it was checked. */
async function fetchArchive(
  { url, md5 }: Archive,
  path: string,
  surroundings: FetchSurroundings,
  context: VerbContext,
): Promise<void> {
  const { reporter, signal } = context;
  const name = basename(path);
  const progress = byteProgress(name, context);
  try {
    const fetched = await fetchFile({
      url,
      path,
      md5,
      signal,
      surroundings,
      onProgress: progress.update,
      onNote: reporter.message,
    });
    progress.finish();
    const { bytes, isReused, checked } = fetched;
    const words = isReused
      ? 'is there already'
      : {
          md5: 'its MD5 sum is right',
          size: 'its size is what the server announced; no checksum is known',
          nothing: 'neither size nor checksum are known',
        }[checked];
    reporter.message(`${name} (${inUnits(bytes)}): ${words}.`);
    reporter.event({ event: 'archive', url, path, bytes, isReused, checked });
  } catch (error) {
    progress.finish();
    if (signal.aborted)
      reporter.message(`What has arrived of ${name} stays; the same command goes on from there.`);
    throw error;
  }
}

/** Unpacks one archive, unless that was done before. */
async function unpack(path: string, folder: string, context: VerbContext): Promise<void> {
  const { reporter, signal } = context;
  const name = basename(path);
  const marker = `${path}.unpacked`;
  if ((await stat(marker).catch(() => undefined)) !== undefined) {
    reporter.message(`${name} is unpacked already.`);
    return;
  }
  const progress = byteProgress(`unpack ${name}`, context);
  try {
    const work = name.endsWith('.tar') ? unpackTar : unpackZip;
    const files = await work(path, folder, { signal, onProgress: progress.update });
    await writeFile(marker, '');
    reporter.event({ event: 'unpacked', path, files });
  } finally {
    progress.finish();
  }
}

/** Whether all archives and what is in them will fit: what is packed in them is hardly larger than they are. */
async function requireSpace(
  archives: readonly Archive[],
  { folder, isUnpacked }: { readonly folder: string; readonly isUnpacked: boolean },
  { freeBytes }: FetchSurroundings,
): Promise<void> {
  const sizes = await Promise.all(
    archives.map(async ({ url, bytes }) => {
      const path = join(folder, basename(new URL(url).pathname));
      const there = await Promise.all(
        ['', '.part'].map(async (end) => (await stat(path + end).catch(() => undefined))?.size ?? 0),
      );
      const isDone = (await stat(`${path}.unpacked`).catch(() => undefined)) !== undefined;
      return Math.max(0, bytes - Math.max(...there)) + (isUnpacked && !isDone ? bytes : 0);
    }),
  );
  const missing = sizes.reduce((sum, size) => sum + size, 0);
  const existing = await nearestFolder(folder);
  const free = await freeBytes(existing);
  if (missing <= free) return;
  throw new DownloadError(
    `download(${folder}): needs about ${inUnits(missing)} of free space, got ${inUnits(free)}. Make room, choose another --out, or fetch less with --parts.`,
  );
}

async function nearestFolder(folder: string): Promise<string> {
  const there = await stat(folder).catch(() => undefined);
  const parent = join(folder, '..');
  return there?.isDirectory() || parent === folder ? folder : nearestFolder(parent);
}

/** The verb, fetching from the given sources. */
export function downloadVerb(sources: Sources, surroundings: FetchSurroundings = realSurroundings) {
  return async (options: DownloadOptions, context: VerbContext): Promise<void> => {
    const { name, out = join('data', name) } = options;
    const { reporter } = context;
    const source = sources[name];
    const archives = chosenArchives(options, source);
    await requireSpace(archives, { folder: out, isUnpacked: options.unpack }, surroundings);
    reporter.message(`${source.title}, from ${source.page}: mind the terms of use there.`);
    for (const archive of archives) {
      const path = join(out, basename(new URL(archive.url).pathname));
      await fetchArchive(archive, path, surroundings, context);
      if (options.unpack) await unpack(path, out, context);
    }
    reporter.event({ event: 'downloaded', name, folder: out, parts: archives.map(({ part }) => part) });
    const state = options.unpack
      ? `${source.layout}. The archives may be removed; '${context.commandFor('data')} info ${out}' tells what is there.`
      : 'archives, not unpacked.';
    reporter.result(`${source.title} in ${out}: ${state}`);
  };
}
