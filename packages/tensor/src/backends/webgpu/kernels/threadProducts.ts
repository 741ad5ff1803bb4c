// The products of a tile by its threads: each computes a smaller tile, four columns of a row in a vector.
import type { Contraction, TileProducts } from './contraction.ts';
import { storeVector } from './stores.ts';
import type { VectorForm } from './strips.ts';
import type { TileSizes } from './tiles.ts';
import { stripDepth } from './tiles.ts';

const range = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i);

/** What every thread does before the strips, for each of them, and after all. */
export const threadProducts = (
  contraction: Contraction,
  tile: TileSizes,
  { load }: VectorForm,
): Pick<TileProducts, 'before' | 'multiply' | 'after'> => {
  const { rows, columns, threadRows, threadColumns } = tile;
  const threadsAcross = columns / threadColumns;
  const [aVectors, bVectors] = [range(threadRows / 4), range(threadColumns / 4)];
  const element = (r: number): string => `vec4f(a${Math.floor(r / 4)}.${'xyzw'[r % 4]})`;
  const column = (c: number): string => `threadColumn + ${c * threadsAcross}`;
  return {
    before: [
      `let threadRow = thread / ${threadsAcross};`,
      `let threadColumn = thread % ${threadsAcross};`,
      ...range(threadRows).flatMap((r) => bVectors.map((c) => `var sum${r}x${c} = vec4f();`)),
    ],
    multiply: [
      `for (var d = 0; d < ${stripDepth}; d++) {`,
      ...bVectors.map((c) => `  let b${c} = ${load('rightStrip', `d * ${columns / 4} + ${column(c)}`)};`),
      ...aVectors.map(
        (r) =>
          `  let a${r} = ${load('leftStrip', `d * ${rows / 4} + threadRow * ${threadRows / 4} + ${r}`)};`,
      ),
      ...range(threadRows).flatMap((r) =>
        bVectors.map((c) => `  sum${r}x${c} = fma(${element(r)}, b${c}, sum${r}x${c});`),
      ),
      '}',
    ],
    after: range(threadRows).flatMap((r) => [
      '{',
      `  let m = firstRow + threadRow * ${threadRows} + ${r};`,
      ...(contraction.m % rows === 0 ? [] : [`  if (m < ${contraction.m}) {`]),
      ...bVectors
        .flatMap((c) =>
          storeVector(contraction, {
            first: `firstColumn + (${column(c)}) * 4`,
            columns,
            vector: `sum${r}x${c}`,
          }),
        )
        .map((line) => `  ${line}`),
      ...(contraction.m % rows === 0 ? [] : ['  }']),
      '}',
    ]),
  };
};
