// Tiles of products tuned for the GPUs of this machine: a small file in the user's cache folder, by adapter.
import { mkdir, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TileChoice, TileSizes, TriedTile, TunedTiles } from '@autoassign/tensor';
import { fileWriteError, writeJson } from './atomicFile.ts';
import { UsageError } from './exitCodes.ts';

/** Tiles by adapter, as backend webgpu takes them. */
export type TilesByAdapter = Readonly<Record<string, TileChoice>>;

/** Where the tiles are kept. */
export function tilesFile(environment: NodeJS.ProcessEnv = process.env): string {
  const caches = environment.XDG_CACHE_HOME ?? environment.LOCALAPPDATA ?? join(homedir(), '.cache');
  return join(caches, 'autoassign', 'tiles.json');
}

function isSizes(value: unknown): value is TileSizes {
  const { rows, columns, threadRows, threadColumns } = (value ?? {}) as Partial<TileSizes>;
  return [rows, columns, threadRows, threadColumns].every((size) => Number.isInteger(size));
}

function isChoice(value: unknown): value is TileChoice {
  const { large, wide, tall, small, flat, fewestLarge } = (value ?? {}) as Partial<TileChoice>;
  return [large, wide, tall, small, flat].every(isSizes) && Number.isInteger(fewestLarge);
}

/**
 * The tiles that were tuned on this machine; none before the first tuning.
 *
 * Throws   UsageError when the file holds something else
 */
export async function readTiles(file: string = tilesFile()): Promise<TilesByAdapter> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '{}';
    throw error;
  });
  const tiles = parsed(text);
  if (tiles !== undefined) return tiles;
  throw new UsageError(
    `readTiles(${file}): needs tiles as doctor --tune writes them, got something else. Delete the file, or tune again.`,
  );
}

function parsed(text: string): TilesByAdapter | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject && Object.values(value).every(isChoice) ? (value as TilesByAdapter) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Resolves when the file holds what was tuned, besides what it held for other adapters.
 *
 * Throws   FileWriteError that names the file
 */
export async function keepTiles({ adapter, tiles }: TunedTiles, file: string = tilesFile()): Promise<void> {
  const others = await readTiles(file).catch((): TilesByAdapter => ({}));
  await mkdir(dirname(file), { recursive: true }).catch((error: unknown) => {
    throw fileWriteError(file, error);
  });
  await writeJson(file, { ...others, [adapter]: tiles });
}

/** What was tried, fastest first, as lines. */
export function tunedText({ adapter, tried }: TunedTiles, file: string): string {
  const line = ({ tile, milliseconds }: TriedTile): string =>
    `    ${tile.rows}x${tile.columns}, ${tile.threadRows}x${tile.threadColumns} per thread: ${milliseconds.toFixed(2)} ms`;
  const sorted = (all: readonly TriedTile[]): readonly TriedTile[] =>
    [...all].sort((a, b) => a.milliseconds - b.milliseconds);
  return [
    `Tiles of matrix products on ${adapter}, fastest first:`,
    '  large products',
    ...sorted(tried.large).map(line),
    '  small products',
    ...sorted(tried.small).map(line),
    `Kept in ${file} for --backend webgpu.`,
  ].join('\n');
}
