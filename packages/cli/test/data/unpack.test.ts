// Unpacking: archives of other programs give their files, damaged ones an error, and nothing leaves the folder.
import { readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DownloadError } from '../../src/verbs/data/download/downloadError.ts';
import { unpackTar } from '../../src/verbs/data/download/tar.ts';
import type { UnpackOptions } from '../../src/verbs/data/download/unpack.ts';
import { unpackZip } from '../../src/verbs/data/download/zip.ts';
import { contentsOf, filesIn, newFolder } from './folders.ts';

const archives = fileURLToPath(new URL('../fixtures/archives/', import.meta.url));
const going = (): UnpackOptions => ({ signal: new AbortController().signal });

function unpack(archive: string, folder: string, options = going()): Promise<number> {
  return (archive.endsWith('.tar') ? unpackTar : unpackZip)(archive, folder, options);
}

const long = 'long'.repeat(20);
const contents = {
  'VOCdevkit/VOC2007/JPEGImages/000001.jpg': 'first picture\n',
  'VOCdevkit/VOC2007/empty.txt': '',
  'VOCdevkit/VOC2007/größe.txt': 'ümläut\n',
  [`VOCdevkit/VOC2007/${long}/000002.xml`]: 'x'.repeat(1500),
};

describe.each(['gnu.tar', 'pax.tar', 'ustar.tar', 'stored.zip', 'deflated.zip', 'zip64.zip'])(
  '%s',
  (name) => {
    const archive = join(archives, name);

    it('gives the files that went in', async () => {
      const folder = await newFolder();
      const seen: number[] = [];
      const options = { ...going(), onProgress: (done: number, total: number) => seen.push(done / total) };
      expect(await unpack(archive, folder, options)).toBe(4);
      expect(await contentsOf(folder)).toEqual(contents);
      expect(seen).toEqual([...seen].sort((a, b) => a - b));
      expect(seen.at(-1)).toBeGreaterThan(0);
      expect(seen.at(-1)).toBeLessThanOrEqual(1);
    });

    it('goes on where it stopped: whole files are left alone, others are written', async () => {
      const folder = await newFolder();
      await unpack(archive, folder);
      const whole = join(folder, 'VOCdevkit/VOC2007/JPEGImages/000001.jpg');
      const half = join(folder, `VOCdevkit/VOC2007/${long}/000002.xml`);
      await utimes(whole, 1, 1);
      await writeFile(half, 'x');
      await unpack(archive, folder);
      expect((await stat(whole)).mtimeMs).toBe(1000);
      expect(await contentsOf(folder)).toEqual(contents);
    });

    it('stops between two files, with none of them half', async () => {
      const folder = await newFolder();
      const controller = new AbortController();
      const options = { signal: controller.signal, onProgress: () => controller.abort() };
      const error = await unpack(archive, folder, options).catch((reason: unknown) => reason);
      expect(error).toBe(controller.signal.reason);
      for (const [file, text] of Object.entries(await contentsOf(folder)))
        expect(text).toBe(contents[file as keyof typeof contents]);
    });

    it('cut short anywhere, gives an error that names it, and no file that differs', async () => {
      const bytes = await readFile(archive);
      const folder = await newFolder();
      // the end of a tar is two empty blocks; the reader needs one of them
      const most = name.endsWith('.tar') ? bytes.length - 1024 : bytes.length - 1;
      await fc.assert(
        fc.asyncProperty(fc.integer({ min: 0, max: most }), fc.nat(), async (length, id) => {
          const cut = join(folder, `${id}-${name}`);
          const target = join(folder, String(id));
          await writeFile(cut, bytes.subarray(0, length));
          const error = await unpack(cut, target).catch((reason: unknown) => reason);
          expect(error).toBeInstanceOf(DownloadError);
          expect(String(error)).toContain(cut);
        }),
        { numRuns: 10 },
      );
    });

    it('with a byte changed anywhere, gives the files or an error, nothing else', async () => {
      const bytes = await readFile(archive);
      const folder = await newFolder();
      let run = 0;
      await fc.assert(
        fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
          run += 1;
          const spoilt = Buffer.from(bytes);
          spoilt[at] = (spoilt[at] ?? 0) ^ change;
          const file = join(folder, `${run}-${name}`);
          await writeFile(file, spoilt);
          const outcome = await unpack(file, join(folder, 'inside', String(run))).catch(
            (reason: unknown) => reason,
          );
          if (typeof outcome !== 'number') expect(outcome).toBeInstanceOf(DownloadError);
          expect((await filesIn(folder)).filter((path) => !/^(inside\/\d+\/|\d+-)/.test(path))).toEqual([]);
        }),
        { numRuns: 15 },
      );
    });
  },
);

describe('refuses', () => {
  it.each([
    ['outside.tar', /names inside the folder, got "\.\.\/empty\.txt"/],
    ['outside.zip', /names inside the folder, got "\.\.\/x\.txt"/],
    ['link.tar', /files and folders only, got link of type "2"/],
    ['PROVENANCE.md', /a zip archive, got a file without a directory/],
  ])('%s', async (name, message) => {
    const folder = await newFolder();
    const error = await unpack(join(archives, name), join(folder, 'inside')).catch(
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(DownloadError);
    expect(String(error)).toMatch(message);
    expect(await filesIn(folder)).toEqual([]);
  });

  it('a checksum that differs, in a stored entry', async () => {
    const folder = await newFolder();
    const bytes = await readFile(join(archives, 'stored.zip'));
    bytes[bytes.indexOf('first picture')] = 0x46;
    const file = join(folder, 'spoilt.zip');
    await writeFile(file, bytes);
    await expect(unpack(file, folder)).rejects.toThrow(
      /the entry .*000001\.jpg of 14 bytes as its checksum says/,
    );
    expect((await filesIn(folder)).map((path) => basename(path))).not.toContain('000001.jpg');
  });
});
