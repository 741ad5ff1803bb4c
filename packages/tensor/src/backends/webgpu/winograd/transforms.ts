// Winograd's convolution F(2x2, 3x3) and its adjoint, the filter gradient, as matrices, and their products as WGSL.
//
// An output tile is A'((G g G') * (B' d B))A with g the filter, d the 4x4 pixels that the tile reads and * the product element by element:
// four outputs from 16 products, not 36. Seen from the filter the same sum reads G'((A y A') * (B' d B))G with y the tile's output gradients.
// Source  Lavin and Gray, Fast Algorithms for Convolutional Neural Networks (2015), sections 4.1 and 4.3

/** A matrix by rows. */
export type Matrix = readonly (readonly number[])[];

/** Output pixels of a tile along one dimension. */
export const tileSize = 2;

/** Pixels that a tile reads along one dimension. */
export const tileReach = 4;

/** Products of a tile. */
export const tileProducts: number = tileReach ** 2;

/** B', for pixels. */
export const pixelMatrix: Matrix = [
  [1, 0, -1, 0],
  [0, 1, 1, 0],
  [0, -1, 1, 0],
  [0, 1, 0, -1],
];

/** G, for filters. */
export const filterMatrix: Matrix = [
  [1, 0, 0],
  [0.5, 0.5, 0.5],
  [0.5, -0.5, 0.5],
  [0, 0, 1],
];

/** A', for outputs. */
export const outputMatrix: Matrix = [
  [1, 1, 1, 0],
  [0, 1, -1, -1],
];

/** The rows of a matrix as columns. */
export const transposed = (matrix: Matrix): Matrix =>
  matrix[0]!.map((_, column) => matrix.map((row) => row[column]!));

/**
 * Statements that name the elements of M X M' as `<name><row><column>`, of X as `value` gives them. Between them are those of M X,
 * `<name>Lines...`.
 */
export const bothSides = (
  matrix: Matrix,
  name: string,
  value: (row: number, column: number) => string,
): readonly string[] => {
  const columns = [...matrix[0]!.keys()];
  const rows = [...matrix.keys()];
  const lines = columns.flatMap((column) =>
    rows.map(
      (row) => `let ${name}Lines${row}${column} = ${combination(matrix[row]!, (at) => value(at, column))};`,
    ),
  );
  const elements = rows.flatMap((row) =>
    rows.map(
      (column) =>
        `let ${name}${row}${column} = ${combination(matrix[column]!, (at) => `${name}Lines${row}${at}`)};`,
    ),
  );
  return [...lines, ...elements];
};

/** The sum of values times coefficients. */
const combination = (coefficients: readonly number[], value: (at: number) => string): string =>
  coefficients
    .flatMap((coefficient, at) => {
      if (coefficient === 0) return [];
      const size = Math.abs(coefficient) === 1 ? '' : `${Math.abs(coefficient)} * `;
      return [{ sign: coefficient < 0 ? '-' : '+', term: `${size}${value(at)}` }];
    })
    .map(({ sign, term }, at) => (at === 0 ? (sign === '-' ? `-${term}` : term) : ` ${sign} ${term}`))
    .join('');
