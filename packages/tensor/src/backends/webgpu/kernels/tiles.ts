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

/** Which tile a product gets: the large one where there are enough of them to keep the device busy. */
export interface TileChoice {
  readonly large: TileSizes;
  readonly small: TileSizes;
  /** For products of few rows. */
  readonly flat: TileSizes;
  readonly fewestLarge: number;
}

/** A choice that is good everywhere. */
export const defaultTiles: TileChoice = {
  large: { rows: 64, columns: 64, threadRows: 8, threadColumns: 8 },
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

/** The tile for a product: large ones read least, small ones leave less of a small product's threads idle. */
export const tileFor = (
  sizes: ProductSizes,
  { large, small, flat, fewestLarge }: TileChoice = defaultTiles,
): TileSizes => {
  if (sizes.m <= flat.rows) return flat;
  const isLarge = sizes.m > small.rows && sizes.n > small.columns;
  return isLarge && groupsOf(sizes, large) >= fewestLarge ? large : small;
};
