// Downloads from a server on this machine: stops, broken lines, other files, wrong sums and full disks.
import { createHash } from 'node:crypto';
import { open, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DownloadError } from '../../src/verbs/data/download/downloadError.ts';
import type {
  FetchedFile,
  FetchRequest,
  FetchSurroundings,
} from '../../src/verbs/data/download/fetchFile.ts';
import { fetchFile, realSurroundings } from '../../src/verbs/data/download/fetchFile.ts';
import { fileServer } from './fileServer.ts';
import { filesIn, newFolder } from './folders.ts';

const contentOf = (length: number, seed = 7): Buffer =>
  Buffer.from(Uint8Array.from({ length }, (_, i) => (i * seed + (i >> 8)) % 251));
const md5Of = (content: Buffer): string => createHash('md5').update(content).digest('hex');
const content = contentOf(300_000);
const md5 = md5Of(content);
const hasty: FetchSurroundings = { ...realSurroundings, pause: 1, patience: 2000 };

/** Fetches into a folder, noting what is said. */
async function fetched(
  folder: string,
  url: string,
  options: Partial<FetchRequest> = {},
): Promise<{ readonly result: FetchedFile; readonly bytes: Buffer; readonly notes: readonly string[] }> {
  const notes: string[] = [];
  const path = join(folder, 'data.zip');
  const result = await fetchFile({
    url,
    path,
    signal: new AbortController().signal,
    surroundings: hasty,
    onNote: (note) => notes.push(note),
    ...options,
  });
  return { result, bytes: await readFile(path), notes };
}

const failure = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'no failure',
    (reason: unknown) => reason,
  );

/** Resolves when a download into the folder was stopped after a part of it had arrived. */
async function stopInTheMiddle(folder: string, url: string): Promise<void> {
  const controller = new AbortController();
  const onProgress = (done: number): void => {
    if (done > 0) controller.abort();
  };
  const error = await failure(fetched(folder, url, { md5, signal: controller.signal, onProgress }));
  expect(error).toBe(controller.signal.reason);
  const { size } = await stat(join(folder, 'data.zip.part'));
  expect(size).toBeGreaterThan(0);
  expect(size).toBeLessThan(content.length);
}

describe('a server as it should be', () => {
  it('gives the file, checked, with nothing beside it; a second call asks for nothing', async () => {
    const [server, folder] = [await fileServer({ content }), await newFolder()];
    const progress: (number | undefined)[][] = [];
    const { result, bytes, notes } = await fetched(folder, server.url, {
      md5,
      onProgress: (...numbers) => progress.push(numbers),
    });
    expect({ result, isSame: bytes.equals(content), notes }).toEqual({
      result: { bytes: content.length, isReused: false, checked: 'md5' },
      isSame: true,
      notes: [],
    });
    expect([progress[0], progress.at(-1)]).toEqual([
      [0, content.length],
      [content.length, content.length],
    ]);
    expect(await filesIn(folder)).toEqual(['data.zip']);
    expect((await fetched(folder, server.url, { md5 })).result.isReused).toBe(true);
    expect(server.requests).toHaveLength(1);
  });

  it('without a checksum, its size is checked, and said to be', async () => {
    const [server, folder] = [await fileServer({ content }), await newFolder()];
    expect((await fetched(folder, server.url)).result.checked).toBe('size');
    const silent = await fileServer({ content, lengths: false });
    expect((await fetched(await newFolder(), silent.url)).result.checked).toBe('nothing');
  });

  it('goes on after a stop, from where it was', async () => {
    const [server, folder] = [await fileServer({ content, stallsAfter: 100_000 }), await newFolder()];
    await stopInTheMiddle(folder, server.url);
    const { size } = await stat(join(folder, 'data.zip.part'));
    const { bytes } = await fetched(folder, server.url, { md5 });
    expect(bytes.equals(content)).toBe(true);
    expect(server.requests[1]).toEqual({ range: `bytes=${size}-`, ifRange: `"${md5}"` });
  });

  it('only has to check a part that is complete', async () => {
    const [server, folder] = [await fileServer({ content }), await newFolder()];
    await writeFile(join(folder, 'data.zip.part'), content);
    await writeFile(join(folder, 'data.zip.part.json'), JSON.stringify({ url: server.url }));
    const { result, bytes } = await fetched(folder, server.url, { md5 });
    expect([result.checked, bytes.equals(content), await filesIn(folder)]).toEqual([
      'md5',
      true,
      ['data.zip'],
    ]);
  });

  it('a part of an unknown file is not built upon', async () => {
    const [server, folder] = [await fileServer({ content }), await newFolder()];
    await writeFile(join(folder, 'data.zip.part'), 'something else');
    expect((await fetched(folder, server.url, { md5 })).bytes.equals(content)).toBe(true);
    expect(server.requests[0]?.range).toBeUndefined();
  });
});

describe('a server that misbehaves', () => {
  it('breaks the connection anywhere, again and again: the file arrives whole all the same', async () => {
    const breaks = fc.array(fc.nat(120_000), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(breaks, fc.boolean(), fc.boolean(), async (points, ranges, tags) => {
        const [server, folder] = [
          await fileServer({ content, breaks: [...points], ranges, tags }),
          await newFolder(),
        ];
        const { bytes } = await fetched(folder, server.url, { md5 });
        expect(bytes.equals(content)).toBe(true);
      }),
      { numRuns: 12 },
    );
  });

  it('cannot give parts: it starts over, and says so', async () => {
    const [server, folder] = [
      await fileServer({ content, stallsAfter: 100_000, ranges: false }),
      await newFolder(),
    ];
    await stopInTheMiddle(folder, server.url);
    const { bytes, notes } = await fetched(folder, server.url, { md5 });
    expect(bytes.equals(content)).toBe(true);
    expect(notes).toEqual([expect.stringMatching(/data\.zip: .* starting over\.$/)]);
  });

  it('has another file by now: nothing of the old one stays', async () => {
    const [server, folder] = [await fileServer({ content, stallsAfter: 100_000 }), await newFolder()];
    await stopInTheMiddle(folder, server.url);
    const other = contentOf(200_000, 11);
    server.manner.content = other;
    const { bytes } = await fetched(folder, server.url, { md5: md5Of(other) });
    expect(bytes.equals(other)).toBe(true);
    server.manner.content = content;
  });

  it('falls silent: the connection is given up and taken up again', async () => {
    const [server, folder] = [await fileServer({ content, stallsAfter: 1000 }), await newFolder()];
    const { bytes, notes } = await fetched(folder, server.url, {
      md5,
      surroundings: { ...hasty, patience: 100 },
    });
    expect(bytes.equals(content)).toBe(true);
    expect(notes).toEqual(['data.zip: nothing arrived for 0.1 s; trying again.']);
  });

  it('is busy for a while', async () => {
    const [server, folder] = [await fileServer({ content, statuses: [503, 429] }), await newFolder()];
    const { bytes, notes } = await fetched(folder, server.url, { md5 });
    expect([bytes.equals(content), notes.length]).toEqual([true, 2]);
  });

  it.each([
    [[404], /needs the file at this address, got the answer 404\. It may have moved/, 1],
    [[500, 500, 500, 500, 500], /needs a connection to the server, got "the server answered 500" 5 times/, 5],
  ])('does not give the file: %j', async (statuses, message, requests) => {
    const [server, folder] = [await fileServer({ content, statuses }), await newFolder()];
    const error = await failure(fetched(folder, server.url, { md5 }));
    expect(error).toBeInstanceOf(DownloadError);
    expect(String(error)).toMatch(message);
    expect(server.requests).toHaveLength(requests);
  });

  it('is not there', async () => {
    const error = await failure(fetched(await newFolder(), 'http://127.0.0.1:1/x.zip'));
    expect(String(error)).toMatch(
      /download\(http:\/\/127\.0\.0\.1:1\/x\.zip\): needs a connection .* 5 times/,
    );
  });

  it('gives a file with another checksum: an error with both, and no file', async () => {
    const [server, folder] = [await fileServer({ content: contentOf(5000, 3) }), await newFolder()];
    const error = await failure(fetched(folder, server.url, { md5 }));
    expect(String(error)).toContain(
      `needs a file with the MD5 sum ${md5}, got ${md5Of(contentOf(5000, 3))}.`,
    );
    expect(await filesIn(folder)).toEqual([]);
  });
});

describe('the disk', () => {
  it('has too little room: said before anything is written', async () => {
    const [server, folder] = [await fileServer({ content }), await newFolder()];
    const surroundings = { ...hasty, freeBytes: () => Promise.resolve(299_000) };
    const error = await failure(fetched(folder, server.url, { md5, surroundings }));
    expect(String(error)).toContain(`needs 300 kB of free space in ${folder}, got 299 kB. Make room`);
    expect(await filesIn(folder)).toEqual([]);
  });

  it('runs full: what was written stays, and is built upon when there is room', async () => {
    const [server, folder] = [await fileServer({ content }), await newFolder()];
    let room = 120_000;
    const openFile: FetchSurroundings['openFile'] = async (path, flags) => {
      const file = await open(path, flags);
      const write = async (
        piece: Uint8Array,
        from = 0,
      ): Promise<{ bytesWritten: number; buffer: Uint8Array }> => {
        const length = Math.min(room, piece.length - from);
        if (length === 0) throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
        room -= length;
        return { ...(await file.write(piece, from, length)), buffer: piece };
      };
      const sync = (): Promise<void> => file.sync();
      const close = (): Promise<void> => file.close();
      return { write: write as typeof file.write, sync, close };
    };
    const error = await failure(fetched(folder, server.url, { md5, surroundings: { ...hasty, openFile } }));
    expect(error).toBeInstanceOf(DownloadError);
    expect(String(error)).toMatch(
      /needs free space on the disk for .*data\.zip\.part, got ENOSPC\. Make room; the same command goes on/,
    );
    expect((await stat(join(folder, 'data.zip.part'))).size).toBe(120_000);
    expect((await fetched(folder, server.url, { md5 })).bytes.equals(content)).toBe(true);
    expect(server.requests[1]?.range).toBe('bytes=120000-');
  });
});
