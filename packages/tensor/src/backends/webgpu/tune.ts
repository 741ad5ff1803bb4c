// Choosing the tiles of products for an adapter by trying them.

import { zeros } from '../../compose/fill.ts';
import { compile } from '../../graph/compile.ts';
import { evaluate, read, release } from '../../graph/evaluate.ts';
import { matmul } from '../../ops/matmul.ts';
import type { Tensor } from '../../tensor.ts';
import type { WebgpuOptions } from './device.ts';
import { surveyWebgpu } from './device.ts';
import { webgpuBackend } from './index.ts';
import type { TileChoice, TileSizes } from './kernels/tiles.ts';
import { defaultTiles } from './kernels/tiles.ts';

/** A tile and the milliseconds of one product with it. */
export interface TriedTile {
  readonly tile: TileSizes;
  readonly milliseconds: number;
}

/** What tuning found for one adapter. */
export interface TunedTiles {
  readonly adapter: string;
  readonly tiles: TileChoice;
  /** Everything that was tried, the chosen ones among it. */
  readonly tried: { readonly large: readonly TriedTile[]; readonly small: readonly TriedTile[] };
}

const square = (side: number, threadSide: number): TileSizes => ({
  rows: side,
  columns: side,
  threadRows: threadSide,
  threadColumns: threadSide,
});

const largeCandidates: readonly TileSizes[] = [
  square(64, 8),
  square(128, 8),
  { rows: 128, columns: 64, threadRows: 8, threadColumns: 8 },
  { rows: 64, columns: 64, threadRows: 8, threadColumns: 4 },
  square(64, 4),
];

const smallCandidates: readonly TileSizes[] = [
  square(32, 4),
  { rows: 32, columns: 64, threadRows: 4, threadColumns: 8 },
  { rows: 16, columns: 64, threadRows: 4, threadColumns: 4 },
  square(64, 4),
];

/** Runs that are timed together: one alone may be shorter than the clock of a queue. */
const runsTogether = 4;

/**
 * The tiles with which products run fastest on the adapter that the options name; results are the same with all of them.
 * The sides of the square matrices that are multiplied decide how long it takes; 1024 and 128 suit a GPU, software adapters less.
 *
 * Throws   UnsupportedError without WebGPU or an adapter
 * Example  const { adapter, tiles } = await tuneTiles();
 *          const backend = await createBackend('webgpu', { tiles: { [adapter]: tiles } });
 */
export const tuneTiles = async (
  options: WebgpuOptions = {},
  sides: { readonly large: number; readonly small: number } = { large: 1024, small: 128 },
): Promise<TunedTiles> => {
  const { adapter } = (await surveyWebgpu(options)) as { readonly adapter: string };
  const millisecondsOf = (tile: TileSizes, side: number): Promise<number> =>
    timeProduct(
      {
        ...options,
        tiles: { [adapter]: { ...defaultTiles, large: tile, wide: tile, tall: tile, small: tile } },
      },
      side,
    );
  const tryAll = async (candidates: readonly TileSizes[], side: number): Promise<readonly TriedTile[]> => {
    const tried: TriedTile[] = [];
    for (const tile of candidates) tried.push({ tile, milliseconds: await millisecondsOf(tile, side) });
    return tried;
  };
  const tried = {
    large: await tryAll(largeCandidates, sides.large),
    small: await tryAll(smallCandidates, sides.small),
  };
  const tiles = { ...defaultTiles, large: fastest(tried.large), small: fastest(tried.small) };
  return { adapter, tiles, tried };
};

const fastest = (tried: readonly TriedTile[]): TileSizes =>
  tried.reduce((best, one) => (one.milliseconds < best.milliseconds ? one : best)).tile;

/** The shortest time of a product among three, after one that compiles. */
const timeProduct = async (options: WebgpuOptions, side: number): Promise<number> => {
  const backend = await webgpuBackend(options);
  try {
    const program = compile((a: Tensor, b: Tensor) => matmul(a, b), { backend });
    const matrix = await evaluate(zeros([side, side]), { backend });
    const timeRuns = async (): Promise<number> => {
      const start = performance.now();
      let last: Tensor | undefined;
      for (let run = 0; run < runsTogether; run++) {
        if (last !== undefined) release(last);
        last = await program(matrix, matrix);
      }
      await read(last!);
      return (performance.now() - start) / runsTogether;
    };
    await timeRuns();
    return Math.min(await timeRuns(), await timeRuns(), await timeRuns());
  } finally {
    await backend.destroy();
  }
};
