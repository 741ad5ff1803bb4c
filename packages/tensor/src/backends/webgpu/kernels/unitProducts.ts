// The products of a tile by the device's matrix units: every subgroup computes four matrices of 16 x 16 from halves, in single precision.
//
// Source  WGSL extension chromium_experimental_subgroup_matrix; the types' parameters are columns first, then rows
import type { Contraction, TileProducts } from './contraction.ts';
import { storeVector } from './stores.ts';
import type { ProductSizes, TileSizes } from './tiles.ts';
import { stripDepth, threadsOf } from './tiles.ts';

/** Rows, columns and depth of one product of the units. */
export const unitSide = 16;

/** Threads of a subgroup, which drive a unit together. */
export const unitThreads = 32;

/** 128 threads, so four subgroups of two by two matrices each. */
export const unitTile: TileSizes = { rows: 64, columns: 64, threadRows: 8, threadColumns: 4 };

const subgroupSide = unitTile.rows / 2;

/** What the shader must be allowed to use. */
export const unitExtensions: readonly string[] = [
  'f16',
  'subgroups',
  'subgroup_size_control',
  'chromium_experimental_subgroup_matrix',
];

const subgroups = threadsOf(unitTile) / unitThreads;
const unitElements = unitSide ** 2;

/** One matrix of every subgroup on its way from the units to the output. */
export const unitDeclaration: string = `var<workgroup> unitSums: array<f32, ${subgroups * unitElements}>;`;

/** Whether a product is large enough not to leave most of a tile unused. */
export const fitsUnits = ({ m, n }: ProductSizes): boolean =>
  m >= unitTile.rows / 2 && n >= unitTile.columns / 2;

const quadrants = [0, 1].flatMap((r) => [0, 1].map((c) => ({ r, c, name: `sums${r}${c}` })));

/** What a thread does before the strips, for each of them, and after all. */
export const unitProducts = (
  contraction: Contraction,
): Pick<TileProducts, 'before' | 'multiply' | 'after'> => {
  const { rows, columns } = unitTile;
  const [left, right] = [
    `subgroup_matrix_left<f16, ${unitSide}, ${unitSide}>`,
    `subgroup_matrix_right<f16, ${unitSide}, ${unitSide}>`,
  ];
  const depths = Array.from({ length: stripDepth / unitSide }, (_, i) => i * unitSide);
  return {
    before: [
      `let unitRow = subgroup / 2u * ${subgroupSide}u;`,
      `let unitColumn = subgroup % 2u * ${subgroupSide}u;`,
      ...quadrants.map(
        ({ name }) => `var ${name} = subgroup_matrix_result<f32, ${unitSide}, ${unitSide}>();`,
      ),
    ],
    multiply: depths.flatMap((d) => [
      '{',
      // a strip holds its rows or columns side by side for every k
      ...[0, 1].map(
        (r) =>
          `  let a${r} = subgroupMatrixLoad<${left}, col_major>(&leftStrip, ${d * rows}u + unitRow + ${r * unitSide}u, ${rows}u);`,
      ),
      ...[0, 1].map(
        (c) =>
          `  let b${c} = subgroupMatrixLoad<${right}, row_major>(&rightStrip, ${d * columns}u + unitColumn + ${c * unitSide}u, ${columns}u);`,
      ),
      ...quadrants.map(
        ({ r, c, name }) => `  ${name} = subgroupMatrixMultiplyAccumulate(a${r}, b${c}, ${name});`,
      ),
      '}',
    ]),
    after: quadrants.flatMap((quadrant) => storeQuadrant(contraction, quadrant)),
  };
};

/** Stores one matrix of every subgroup: all threads share the work, as only memory tells which of them holds which element. */
const storeQuadrant = (
  contraction: Contraction,
  { r, c, name }: (typeof quadrants)[number],
): readonly string[] => {
  const { rows, columns } = unitTile;
  const [perRow, perUnit] = [unitSide / 4, unitElements / 4];
  const isWhole = contraction.m % rows === 0;
  return [
    `subgroupMatrixStore<row_major>(&unitSums, subgroup * ${unitElements}u, ${name}, ${unitSide}u);`,
    'workgroupBarrier();',
    `for (var at = thread; at < ${subgroups * perUnit}; at += ${threadsOf(unitTile)}) {`,
    `  let unit = at / ${perUnit};`,
    `  let m = firstRow + unit / 2 * ${subgroupSide} + ${r * unitSide} + at % ${perUnit} / ${perRow};`,
    ...(isWhole ? [] : [`  if (m < ${contraction.m}) {`]),
    `  let sum = vec4f(${[0, 1, 2, 3].map((lane) => `unitSums[at * 4 + ${lane}]`).join(', ')});`,
    ...storeVector(contraction, {
      first: `firstColumn + unit % 2 * ${subgroupSide} + ${c * unitSide} + at % ${perRow} * 4`,
      columns,
      vector: 'sum',
    }).map((line) => `  ${line}`),
    ...(isWhole ? [] : ['  }']),
    '}',
    'workgroupBarrier();',
  ];
};
