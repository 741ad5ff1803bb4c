// The verb `data download`, from a server on this machine: archives fetched, checked, unpacked, and gone on with.
import { createHash } from 'node:crypto';
import { readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, vi } from 'vitest';
import { realSurroundings } from '../../src/verbs/data/download/fetchFile.ts';
import { downloadVerb } from '../../src/verbs/data/download/index.ts';
import type { Archive, Sources } from '../../src/verbs/data/download/sources.ts';
import { publishedSources } from '../../src/verbs/data/download/sources.ts';
import type { FileServer } from './fileServer.ts';
import { fileServer } from './fileServer.ts';
import { filesIn, newFolder } from './folders.ts';
import { runData } from './runData.ts';

const archive = (name: string): Promise<Buffer> =>
  readFile(fileURLToPath(new URL(`../fixtures/archives/${name}`, import.meta.url)));
const md5Of = (content: Buffer): string => createHash('md5').update(content).digest('hex');
const hasty = { ...realSurroundings, pause: 1, patience: 60_000 };

interface Place {
  readonly tar: FileServer;
  readonly zip: FileServer;
  readonly sources: Sources;
}

/** Two servers with an archive each, as the sources of `voc`. */
async function place(change: (archive: Archive) => Archive = (one) => one): Promise<Place> {
  const [tarContent, zipContent] = [await archive('gnu.tar'), await archive('deflated.zip')];
  const [tar, zip] = [await fileServer({ content: tarContent }), await fileServer({ content: zipContent })];
  const archives = [
    { part: 'first', url: tar.url.replace('.zip', '.tar'), md5: md5Of(tarContent), bytes: tarContent.length },
    { part: 'second', url: zip.url, bytes: zipContent.length },
  ].map(change);
  const voc = { title: 'A dataset', page: 'http://example.org', archives, layout: 'VOCdevkit/VOC2007' };
  return { tar, zip, sources: { ...publishedSources, voc } };
}

const verbsOf = ({ sources }: Place, surroundings = hasty) => ({
  download: downloadVerb(sources, surroundings),
});

describe('download', () => {
  it('fetches, checks and unpacks, and has nothing to do the second time', async () => {
    const [servers, folder] = [await place(), await newFolder()];
    const verbs = verbsOf(servers);
    const out = join(folder, 'voc');
    const first = await runData(['download', 'voc', '--out', out], { verbs });
    expect(first).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining(`A dataset in ${out}: VOCdevkit/VOC2007.`),
    });
    expect(first.stderr).toContain('data.tar (9 kB): its MD5 sum is right.');
    expect(first.stderr).toContain(
      'data.zip (2 kB): its size is what the server announced; no checksum is known.',
    );
    expect(await filesIn(join(out, 'VOCdevkit'))).toHaveLength(4);
    await rm(join(out, 'VOCdevkit'), { recursive: true }); // would come back if it were unpacked again
    const second = await runData(['download', 'voc', '--out', out, '--json'], { verbs });
    expect(second.events.map(({ event, isReused }) => [event, isReused])).toEqual([
      ['archive', true],
      ['archive', true],
      ['downloaded', undefined],
    ]);
    expect(await filesIn(out)).toEqual(['data.tar', 'data.tar.unpacked', 'data.zip', 'data.zip.unpacked']);
    expect([servers.tar.requests.length, servers.zip.requests.length]).toEqual([1, 1]);
  });

  it('fetches only what is asked for, and leaves it packed when told to', async () => {
    const [servers, folder] = [await place(), await newFolder()];
    const words = ['download', 'voc', '--out', folder, '--parts', 'second', '--no-unpack'];
    expect((await runData(words, { verbs: verbsOf(servers) })).stdout).toContain('archives, not unpacked');
    expect(await filesIn(folder)).toEqual(['data.zip']);
  });

  it('stopped by Ctrl-C, ends with 130 and says that it goes on, which it does', async () => {
    const [servers, folder] = [await place(), await newFolder()];
    const verbs = verbsOf(servers);
    servers.tar.manner.stallsAfter = 4000;
    const words = ['download', 'voc', '--out', folder];
    const part = join(folder, 'data.tar.part');
    const interruptWhen = vi.waitFor(async () => expect((await stat(part)).size).toBe(4000), {
      timeout: 20_000,
      interval: 10,
    });
    const stopped = await runData(words, { verbs, interruptWhen });
    expect(stopped.exitCode).toBe(130);
    expect(stopped.stderr).toContain(
      'What has arrived of data.tar stays; the same command goes on from there.',
    );
    expect(await filesIn(folder)).toEqual(['data.tar.part', 'data.tar.part.json']);
    expect((await runData(words, { verbs })).exitCode).toBe(0);
    expect(servers.tar.requests[1]?.range).toBe('bytes=4000-');
  });

  it.each<[string, (archive: Archive) => Archive, RegExp]>([
    [
      'another checksum',
      (one) => ({ ...one, md5: '0'.repeat(32) }),
      /needs a file with the MD5 sum 0{32}, got [\da-f]{32}\./,
    ],
    [
      'no room',
      (one) => ({ ...one, bytes: 1e18 }),
      /needs about 4000000000\.0 GB of free space, got .* or fetch less with --parts/,
    ],
  ])('with %s, ends with 1 and one line', async (_, change, message) => {
    const [servers, folder] = [await place(change), await newFolder()];
    const { exitCode, stderr } = await runData(['download', 'voc', '--out', join(folder, 'new', 'voc')], {
      verbs: verbsOf(servers),
    });
    expect(exitCode).toBe(1);
    expect(stderr.trimEnd().split('\n').at(-1)).toMatch(message);
  });

  it('refuses parts and names that there are not', async () => {
    const verbs = verbsOf(await place());
    const parts = await runData(['download', 'voc', '--parts', 'third'], { verbs });
    expect([parts.exitCode, parts.stderr]).toEqual([
      2,
      "autoassign data download: --parts needs archives of voc, got 'third'. Choose from: first, second.\n",
    ]);
    const name = await runData(['download', 'objects365'], { verbs });
    expect([name.exitCode, name.stderr]).toEqual([2, expect.stringContaining('coco, voc, wider')]);
  });
});

describe('the published sources', () => {
  it('are archives with distinct names and MD5 sums, VOC with those of its pages', () => {
    for (const { archives } of Object.values(publishedSources)) {
      expect(new Set(archives.map(({ part }) => part)).size).toBe(archives.length);
      for (const { url, md5 } of archives)
        expect([new URL(url).pathname, md5]).toEqual([
          expect.stringMatching(/\.(tar|zip)$/),
          expect.stringMatching(/^[\da-f]{32}$/),
        ]);
    }
    expect(publishedSources.voc.archives.map(({ md5 }) => md5)).toEqual([
      'c52e279531787c972589f7e41ab4ae64',
      'b6e924de25625d8de591ea690078ad9f',
      '6cd6e144f989b92b3379bac3b3de84fd',
    ]);
  });
});
