// Tiles that were tuned, from one run to the next.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { keepTiles, readTiles, tilesFile, tunedText } from '../src/tunedTiles.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tiles-'));
});
afterEach(() => rm(folder, { recursive: true }));

const square = (side: number, threadSide: number) => ({
  rows: side,
  columns: side,
  threadRows: threadSide,
  threadColumns: threadSide,
});
const [large, small] = [square(128, 8), square(32, 4)];
const tiles = { large, wide: large, tall: large, small, flat: square(8, 4), fewestLarge: 16 };
const tuned = (adapter: string) => ({
  adapter,
  tiles,
  tried: {
    large: [
      { tile: small, milliseconds: 9 },
      { tile: large, milliseconds: 4.25 },
    ],
    small: [{ tile: small, milliseconds: 1 }],
  },
});

test('are kept per adapter', async () => {
  const file = join(folder, 'deep', 'tiles.json');
  expect(await readTiles(file)).toEqual({});
  await keepTiles(tuned('first'), file);
  await keepTiles(tuned('second'), file);
  expect(await readTiles(file)).toEqual({ first: tiles, second: tiles });
});

test.each(['', '[]', '{"first": {"large": {"rows": 8}}}'])(
  'a file that holds %j is an error until it is tuned again',
  async (text) => {
    const file = join(folder, 'tiles.json');
    await writeFile(file, text);
    await expect(readTiles(file)).rejects.toThrow(`readTiles(${file}): needs tiles`);
    await keepTiles(tuned('first'), file);
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({ first: tiles });
  },
);

test('live in the cache folder of the user', () => {
  expect(tilesFile({ XDG_CACHE_HOME: '/caches' })).toBe(join('/caches', 'autoassign', 'tiles.json'));
});

test('are listed fastest first', () => {
  const lines = tunedText(tuned('a GPU'), 'file').split('\n');
  expect(lines[2]).toContain('128x128, 8x8 per thread: 4.25 ms');
});
