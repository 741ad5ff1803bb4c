// How large the tiles are that the workgroups of a product compute.

/** The sizes of a product C[m, n] = sum over k, for every batch. */
export interface ProductSizes {
  readonly batch: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

/** The sizes of a tile, powers of two. */
export interface TileSizes {
  /** Rows and columns of C that a workgroup computes. */
  readonly rows: number;
  readonly columns: number;
  /** Rows and columns of C that a thread computes, multiples of four. */
  readonly threadRows: number;
  readonly threadColumns: number;
}

/** Depth of the strips of A and B that lie in workgroup memory at a time. */
export const stripDepth = 16;

/** Which tiles products get. */
export interface TileChoice {
  readonly large: TileSizes;
  /** As large, for products of few rows or of few columns. */
  readonly wide: TileSizes;
  readonly tall: TileSizes;
  readonly small: TileSizes;
  /** For products of hardly any rows. */
  readonly flat: TileSizes;
  /** Fewest tiles that keep the device busy. */
  readonly fewestLarge: number;
}

/** A choice that is good everywhere. */
export const defaultTiles: TileChoice = {
  large: { rows: 64, columns: 64, threadRows: 8, threadColumns: 8 },
  wide: { rows: 32, columns: 128, threadRows: 8, threadColumns: 8 },
  tall: { rows: 128, columns: 32, threadRows: 8, threadColumns: 8 },
  small: { rows: 32, columns: 32, threadRows: 4, threadColumns: 4 },
  flat: { rows: 8, columns: 128, threadRows: 4, threadColumns: 4 },
  fewestLarge: 16,
};

/** Threads of a workgroup. */
export const threadsOf = ({ rows, columns, threadRows, threadColumns }: TileSizes): number =>
  (rows / threadRows) * (columns / threadColumns);

/** Workgroups of a product. */
export const groupsOf = ({ batch, m, n }: ProductSizes, { rows, columns }: TileSizes): number =>
  Math.ceil(m / rows) * Math.ceil(n / columns) * batch;

/** Most work beyond that of small tiles that large ones may do at their edges: they are so much faster. */
const mostWaste = 1.25;

/**
 * The tile for a product: of the large ones, which read least, the one that leaves least of itself unused, where there are enough of
 * them; else the small one.
 */
export const tileFor = (
  sizes: ProductSizes,
  { large, wide, tall, small, flat, fewestLarge }: TileChoice = defaultTiles,
): TileSizes => {
  if (sizes.m <= flat.rows) return flat;
  const areaOf = (tile: TileSizes): number => groupsOf(sizes, tile) * tile.rows * tile.columns;
  const fitting = [large, wide, tall].filter(
    (tile) => groupsOf(sizes, tile) >= fewestLarge && areaOf(tile) <= mostWaste * areaOf(small),
  );
  return fitting.reduce<TileSizes>(
    (best, tile) => (best === small || areaOf(tile) < areaOf(best) ? tile : best),
    small,
  );
};
