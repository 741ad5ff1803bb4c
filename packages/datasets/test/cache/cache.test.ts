// What was read of an annotation file and kept beside it: the same when it is read again, and of no use once anything has changed.
import { readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Dataset,
  type FileSource,
  type OpenOptions,
  openCoco,
  sourceOfFolder,
} from '@autoassign/datasets';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeCache, encodeCache } from '../../src/cache/format.ts';
import { type ImageTable, tableBuilder } from '../../src/table.ts';
import { cocoFolder, validCoco } from '../samples.ts';

const key = { state: { size: 12_345_678, modified: 1_700_000_000_123.25 }, reader: 'openCoco' };

const anyTable: fc.Arbitrary<ImageTable> = fc
  .record({
    files: fc.array(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 5 }),
    objects: fc.array(fc.tuple(fc.nat(), fc.double(), fc.nat({ max: 65_535 }), fc.nat({ max: 15 })), {
      maxLength: 9,
    }),
  })
  .map(({ files, objects }) => {
    const builder = tableBuilder();
    for (const [id, file] of files.entries()) builder.addImage({ id, file, width: id + 1, height: 7 });
    for (const [id, x, label, flags] of objects)
      builder.addObject(id % files.length, {
        id,
        x,
        y: -x,
        width: 1,
        height: 2,
        area: x / 3,
        label,
        flags,
        attributes: { flags },
      });
    return builder.build();
  });
const anyFacts = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 4 });

const joined = (parts: readonly Uint8Array[]): Uint8Array =>
  Uint8Array.from(parts.flatMap((part) => [...part]));

describe('the format', () => {
  test('gives back what was put in, from bytes anywhere in memory', () => {
    fc.assert(
      fc.property(anyTable, anyFacts, fc.nat({ max: 9 }), (table, facts, offset) => {
        const bytes = joined(encodeCache({ table, facts }, key));
        const moved = new Uint8Array(bytes.length + offset);
        moved.set(bytes, offset);
        expect(decodeCache(moved.subarray(offset), key)).toEqual({
          table,
          facts: JSON.parse(JSON.stringify(facts)),
        });
      }),
      { numRuns: 60 },
    );
  });

  test('is refused when any byte has changed, or any are missing or too many', () => {
    fc.assert(
      fc.property(anyTable, anyFacts, fc.nat({ max: 254 }), (table, facts, change) => {
        const bytes = joined(encodeCache({ table, facts }, key));
        for (let at = 0; at < bytes.length; at++) {
          const before = bytes[at]!;
          bytes[at] = before ^ (change + 1);
          expect(decodeCache(bytes, key), `byte ${at}`).toBeUndefined();
          bytes[at] = before;
          expect(decodeCache(bytes.subarray(0, at), key), `${at} bytes`).toBeUndefined();
        }
        for (const more of [1, 16]) {
          const longer = new Uint8Array(bytes.length + more);
          longer.set(bytes);
          expect(decodeCache(longer, key)).toBeUndefined();
        }
        expect(decodeCache(bytes, key)).toBeDefined();
      }),
      { numRuns: 4 },
    );
  });

  test('is refused for another file, another time and another reader', () => {
    const table = tableBuilder().build();
    const bytes = joined(encodeCache({ table, facts: {} }, key));
    const { size, modified } = key.state;
    for (const other of [
      { ...key, state: { size: size + 1, modified } },
      { ...key, state: { size, modified: modified + 0.25 } },
      { ...key, reader: 'openObjects365' },
    ])
      expect(decodeCache(bytes, other)).toBeUndefined();
    expect(decodeCache(bytes, key)).toEqual({ table, facts: {} });
  });
});

describe('beside a large file', () => {
  const path = 'annotations/instances_val.json';
  /** Blanks make the file of the samples large enough to be kept; one of its boxes is spoilt. */
  const largeText = (xOfSecond = 5): string => {
    const content = validCoco();
    content.annotations[0]!.bbox = [1, 1, 0, 4];
    content.annotations[1]!.bbox = [xOfSecond, 5, 20, 20];
    return JSON.stringify(content) + ' '.repeat(1 << 23);
  };
  const largeFolder = async (): Promise<string> => {
    const folder = await cocoFolder();
    await writeFile(join(folder, path), largeText());
    return folder;
  };
  const contentOf = (dataset: Dataset): unknown => [
    Array.from({ length: dataset.length }, (_, i) => dataset.record(i)),
    dataset.report,
    dataset.classes,
    dataset.categoryIds,
  ];
  /** Opens a folder and tells whether its annotation file was read. */
  const open = async (
    folder: string,
    options: OpenOptions = {},
  ): Promise<{ content: unknown; wasRead: boolean }> => {
    const source = sourceOfFolder(folder);
    let wasRead = false;
    const watched: FileSource = {
      ...source,
      stream: (file) => {
        wasRead = true;
        return source.stream!(file);
      },
    };
    return { content: contentOf(await openCoco(watched, options)), wasRead };
  };
  const cacheOf = (folder: string): string => join(folder, `${path}.autoassign`);

  test('the second opening reads what the first has kept, problems included', async () => {
    const folder = await largeFolder();
    const first = await open(folder);
    const again = await open(folder);
    expect([first.wasRead, again.wasRead]).toEqual([true, false]);
    expect(again.content).toEqual(first.content);
    expect(again.content).toMatchObject([
      {},
      { objects: 2, problems: [{ kind: 'box of zero size' }] },
      {},
      {},
    ]);
    await expect(open(folder, { onProblem: 'strict' })).rejects.toThrow(/annotations\[0\]\.bbox/);
  });

  test('a folder that has moved is named by its new place', async () => {
    const folder = await largeFolder();
    await open(folder);
    const { report } = await openCoco(join(folder, '..', folder.slice(folder.lastIndexOf('/') + 1), path));
    expect(report.problems[0]!.message).toContain(`openCoco(${report.problems[0]!.file}): needs`);
    const renamed = await openCoco({ ...sourceOfFolder(folder), name: 'elsewhere' });
    expect(renamed.report.problems[0]).toMatchObject({
      file: `elsewhere/${path}`,
      message: expect.stringContaining(`openCoco(elsewhere/${path}): needs annotations[0].bbox`),
    });
  });

  test('small files, and those opened without, leave nothing behind', async () => {
    const small = await cocoFolder();
    await open(small);
    expect(await readdir(join(small, 'annotations'))).toEqual(['instances_val.json']);
    const folder = await largeFolder();
    await open(folder, { cache: false });
    expect(await readdir(join(folder, 'annotations'))).toEqual(['instances_val.json']);
    await open(folder);
    expect((await open(folder, { cache: false })).wasRead).toBe(true);
  });

  test('a file that has changed in content, or in time, is read again', async () => {
    const folder = await largeFolder();
    const first = await open(folder);
    const { atime, mtime } = await stat(join(folder, path));
    await utimes(join(folder, path), atime, new Date(mtime.getTime() + 1000));
    const touched = await open(folder);
    expect([touched.wasRead, touched.content]).toEqual([true, first.content]);
    await writeFile(join(folder, path), largeText(6));
    const changed = await open(folder);
    expect(changed.wasRead).toBe(true);
    expect(changed.content).toMatchObject([[{ annotations: [{ box: [6, 5, 26, 25] }] }, {}], {}, {}, {}]);
    expect((await open(folder)).content).toEqual(changed.content);
  });

  test('a damaged one is noticed and made again', async () => {
    const folder = await largeFolder();
    const first = await open(folder);
    const whole = await readFile(cacheOf(folder));
    const damages: readonly (() => Uint8Array)[] = [
      () => new Uint8Array(0),
      () => whole.subarray(0, whole.length >> 1),
      () => whole.map((byte, i) => (i === 300 ? byte ^ 1 : byte)),
      () =>
        Buffer.from(
          'not a cache at all, but longer than its header would be, so that all of it is looked at',
        ),
    ];
    for (const damage of damages) {
      await writeFile(cacheOf(folder), damage());
      const found = await open(folder);
      expect([found.wasRead, found.content]).toEqual([true, first.content]);
      expect(await readFile(cacheOf(folder))).toEqual(whole);
    }
  });

  test('a folder where nothing can be written is no error', async () => {
    const folder = await largeFolder();
    const source: FileSource = { ...sourceOfFolder(folder), write: () => Promise.reject(new Error('EROFS')) };
    expect((await openCoco(source)).report.objects).toBe(2);
    const { write: _, ...readOnly } = sourceOfFolder(folder);
    expect((await openCoco(readOnly)).report.objects).toBe(2);
    expect(await readdir(join(folder, 'annotations'))).toEqual(['instances_val.json']);
  });

  test('several openings at once get the same, and leave one file', async () => {
    const folder = await largeFolder();
    const found = await Promise.all([1, 2, 3].map(() => open(folder)));
    for (const { content } of found) expect(content).toEqual(found[0]!.content);
    expect(await readdir(join(folder, 'annotations'))).toEqual([
      'instances_val.json',
      'instances_val.json.autoassign',
    ]);
    expect((await open(folder)).wasRead).toBe(false);
  });
});
