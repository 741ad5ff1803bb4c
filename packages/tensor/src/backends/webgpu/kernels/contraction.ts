// Sums of products as one tiled kernel: C[m, n] = sum over k of A[m, k] B[k, n], for every batch.
//
// A workgroup computes a tile of C. Step by step along k it copies strips of A and B into workgroup memory, where every thread reads
// what its own smaller tile needs: four columns of B at a time, and single elements of A. What belongs to a column of B is worked out
// once per thread, what belongs to a strip once per strip: convolutions then cost little more than the products they stand for.
import type { Epilogue } from '../../../graph/epilogues.ts';
import type { Spec } from '../../../tensor.ts';
import { expressionText } from '../expressionText.ts';
import type { FunctionName } from '../functions.ts';
import { declarationsOf } from '../functions.ts';
import type { GpuKernel, KernelContext } from '../kernel.ts';
import { dispatchOf, perElement, stepBindings, storedType } from '../kernel.ts';

/**
 * How elements of B are read. Texts use `batch`, `n` (a column), `step` (the first k of the strip), `k` and `d` (k - step), all i32. Those
 * of a column and of a value are written once per lane, with the lane's number in the place of `$`.
 */
export interface RightSource {
  /** Statements that name what a column needs. */
  readonly column: readonly string[];
  /** Statements per strip and lane. */
  readonly strip?: readonly string[];
  /** Statements per k that all lanes share. */
  readonly depth?: readonly string[];
  /** Whether the lane reads anything there; always without it. */
  readonly isInside?: string;
  /** The element of the lane. */
  readonly value: string;
}

/** A sum of products of the inputs `input0` and `input1`. */
export interface Contraction {
  readonly batch: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** A[m, k] as text over `batch`, `m` and `k`. */
  readonly left: string;
  readonly right: RightSource;
  /** B[k, n] to B[k, n + 3] as text over `batch`, `k` and `n`, where they lie together: the input is then one of `vec4f`. */
  readonly rightVector?: { readonly input: 0 | 1; readonly value: string };
  /** The place of C[m, n] as text over `batch`, `m` and `n`. */
  readonly place: string;
  /** What is done to every element before it is stored. */
  readonly finish?: Finish;
}

/** An epilogue, the inputs from `input2` on that it reads, and the channel of C[m, n] as text over `batch` and `m`. */
export interface Finish {
  readonly epilogue: Epilogue;
  readonly operands: readonly Spec[];
  readonly channel: string;
}

/** The sizes of a tile, powers of two; 64 threads compute it. */
interface TileSizes {
  /** Rows and columns of C that a workgroup computes. */
  readonly rows: number;
  readonly columns: number;
  /** Rows and columns of C that a thread computes. */
  readonly threadRows: number;
  readonly threadColumns: number;
}

/** Depth of the strips. */
export const stripDepth = 16;

const threads = 64;

const largeTile: TileSizes = { rows: 64, columns: 64, threadRows: 8, threadColumns: 8 };
const smallTile: TileSizes = { rows: 32, columns: 32, threadRows: 4, threadColumns: 4 };
const flatTile: TileSizes = { rows: 8, columns: 64, threadRows: 2, threadColumns: 4 };

/** Fewest large tiles that keep a GPU busy. */
const fewestLargeTiles = 16;

/** The tile for a product: large ones read least, small ones leave less of a small product's threads idle. */
const tileFor = ({ m, n, batch }: Contraction): TileSizes => {
  if (m <= flatTile.rows) return flatTile;
  const tiles = Math.ceil(m / largeTile.rows) * Math.ceil(n / largeTile.columns) * batch;
  return m > smallTile.rows && n > smallTile.columns && tiles >= fewestLargeTiles ? largeTile : smallTile;
};

const range = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i);
const lanes = range(4);
const indented = (lines: readonly string[]): readonly string[] => lines.map((line) => `  ${line}`);
const perLane = (lines: readonly string[] = []): readonly string[] =>
  lanes.flatMap((lane) => lines.map((line) => line.replaceAll('$', String(lane))));

/** The kernel of a contraction. */
export const emitContraction = (contraction: Contraction, context: KernelContext): GpuKernel => {
  const { batch, m, n, k, rightVector, finish } = contraction;
  const types: string[] = ['f32', 'f32', ...(finish?.operands.map(({ dtype }) => storedType(dtype)) ?? [])];
  if (rightVector !== undefined) types[rightVector.input] = 'vec4f';
  const firstOf = operandsOnce(types.length, context);
  const { bindings } = stepBindings(types, 'f32', { firstOf });
  if (batch * m * n === 0) return { dispatches: [] };
  if (k === 0)
    return perElement(
      batch * m * n,
      { bindings: bindings.slice(-1), body: ['result[index] = 0.0;'] },
      context,
    );
  const tile = tileFor(contraction);
  const shader = {
    bindings,
    declarations: [
      ...(finish === undefined ? [] : finishTexts(finish, firstOf)),
      `var<workgroup> leftStrip: array<f32, ${tile.rows * stripDepth}>;`,
      `var<workgroup> rightStrip: array<vec4f, ${(tile.columns * stripDepth) / 4}>;`,
    ],
    workgroupSize: [tile.columns / tile.threadColumns, tile.rows / tile.threadRows, 1] as const,
    body: tileBody(contraction, tile),
  };
  const groups = Math.ceil(m / tile.rows) * Math.ceil(n / tile.columns) * batch;
  const rows = Math.ceil(groups / context.limits.maxComputeWorkgroupsPerDimension);
  return { dispatches: [dispatchOf(shader, [Math.ceil(groups / rows), rows, 1])] };
};

const tileBody = (contraction: Contraction, tile: TileSizes): readonly string[] => {
  const { batch, m, n, k } = contraction;
  const { rows, columns, threadRows, threadColumns } = tile;
  const [down, across] = [Math.ceil(m / rows), Math.ceil(n / columns)];
  const threadsAcross = columns / threadColumns;
  const sums = range(threadRows).flatMap((r) =>
    range(threadColumns / 4).map((c) => ({ r, c, name: `sum${r}x${c}` })),
  );
  return [
    'let tile = i32(group.y * groups.x + group.x);',
    `if (tile >= ${down * across * batch}) { return; }`,
    `let batch = tile / ${down * across};`,
    `let firstRow = (tile / ${across}) % ${down} * ${rows};`,
    `let firstColumn = tile % ${across} * ${columns};`,
    `let thread = i32(local.y * ${threadsAcross}u + local.x);`,
    ...columnTexts(contraction, tile),
    ...sums.map(({ name }) => `var ${name} = vec4f();`),
    `for (var step = 0; step < ${k}; step += ${stripDepth}) {`,
    ...indented(leftTexts(contraction, tile)),
    ...indented(rightTexts(contraction, tile)),
    '  workgroupBarrier();',
    `  for (var d = 0; d < ${stripDepth}; d++) {`,
    ...range(threadColumns / 4).map(
      (c) => `    let b${c} = rightStrip[d * ${columns / 4} + i32(local.x) + ${c * threadsAcross}];`,
    ),
    ...range(threadRows).flatMap((r) => [
      `    let a${r} = vec4f(leftStrip[d * ${rows} + i32(local.y) * ${threadRows} + ${r}]);`,
      ...range(threadColumns / 4).map((c) => `    sum${r}x${c} = fma(a${r}, b${c}, sum${r}x${c});`),
    ]),
    '  }',
    '  workgroupBarrier();',
    '}',
    ...storeTexts(contraction, tile),
  ];
};

/** For every input the first that is the same tensor, but A and B by themselves: their element types may differ from those of the others. */
const operandsOnce = (count: number, { firstOf = [] }: KernelContext): readonly number[] =>
  range(count).map((input) => {
    if (input < 2) return input;
    const same = range(count).find((other) => other >= 2 && firstOf[other] === firstOf[input]);
    return same ?? input;
  });

/** The function `finish(sum, place, channel)` of an epilogue. */
const finishTexts = ({ epilogue }: Finish, firstOf: readonly number[]): readonly string[] => {
  const used = new Set<FunctionName>();
  const nameOf = (operand: number): string => `input${firstOf[2 + operand]}`;
  const { statements, value } = expressionText(
    epilogue.expression,
    (input) => {
      const read = epilogue.reads[input]!;
      if (read.kind === 'result') return 'sum';
      if (read.kind === 'alike') return `${nameOf(read.operand)}[place]`;
      return `${nameOf(read.operand)}[channel * ${read.stride} + ${read.offset}]`;
    },
    (name) => used.add(name),
  );
  const lines = indented([...statements, `return ${value};`]);
  return [
    ...declarationsOf(used),
    ['fn finish(sum: f32, place: i32, channel: i32) -> f32 {', ...lines, '}'].join('\n'),
  ];
};

/** What belongs to the four columns that a thread copies: they stay the same from strip to strip. */
const columnTexts = ({ right, rightVector }: Contraction, { columns }: TileSizes): readonly string[] => [
  `let ownColumn = firstColumn + thread % ${columns / 4} * 4;`,
  ...(rightVector === undefined
    ? lanes.flatMap((lane) => [
        `let n${lane} = ownColumn + ${lane};`,
        ...right.column.map((line) => line.replaceAll('$', String(lane))),
      ])
    : []),
];

/** Copies a strip of A. Neighbouring threads read along k, where most matrices lie together. */
const leftTexts = ({ left, m, k }: Contraction, { rows }: TileSizes): readonly string[] => {
  const bounds = [
    ...(m % rows === 0 ? [] : [`(m < ${m})`]),
    ...(k % stripDepth === 0 ? [] : [`(k < ${k})`]),
  ].join(' & ');
  return [
    `for (var at = thread; at < ${rows * stripDepth}; at += ${threads}) {`,
    `  let d = at % ${stripDepth};`,
    `  let row = at / ${stripDepth};`,
    '  let k = step + d;',
    '  let m = firstRow + row;',
    '  var value = 0.0;',
    bounds === '' ? `  value = ${left};` : `  if (${bounds}) { value = ${left}; }`,
    `  leftStrip[d * ${rows} + row] = value;`,
    '}',
  ];
};

/** Copies a strip of B, four columns at a time. */
const rightTexts = ({ right, rightVector, n, k }: Contraction, { columns }: TileSizes): readonly string[] => {
  const isWhole = k % stripDepth === 0;
  const kBound = isWhole ? [] : [`(k < ${k})`];
  const vectorBounds = [...(n % columns === 0 ? [] : [`(n < ${n})`]), ...kBound].join(' & ');
  const laneBounds = (lane: number): string =>
    [
      ...(n % columns === 0 ? [] : [`(n${lane} < ${n})`]),
      ...kBound,
      ...(right.isInside === undefined ? [] : [right.isInside.replaceAll('$', String(lane))]),
    ].join(' & ');
  const lane = (at: number): string => {
    const value = right.value.replaceAll('$', String(at));
    const bounds = laneBounds(at);
    return bounds === ''
      ? `value.${'xyzw'[at]} = ${value};`
      : `if (${bounds}) { value.${'xyzw'[at]} = ${value}; }`;
  };
  const copied =
    rightVector === undefined
      ? [...(right.depth ?? []), ...lanes.map(lane)]
      : [
          'let n = ownColumn;',
          vectorBounds === ''
            ? `value = ${rightVector.value};`
            : `if (${vectorBounds}) { value = ${rightVector.value}; }`,
        ];
  return [
    ...(rightVector === undefined ? perLane(right.strip) : []),
    `for (var d = thread / ${columns / 4}; d < ${stripDepth}; d += ${threads / (columns / 4)}) {`,
    '  let k = step + d;',
    '  var value = vec4f();',
    ...indented(copied),
    `  rightStrip[d * ${columns / 4} + thread % ${columns / 4}] = value;`,
    '}',
  ];
};

/** Stores what a thread has computed. */
const storeTexts = ({ m, n, place, finish }: Contraction, tile: TileSizes): readonly string[] => {
  const { rows, columns, threadRows, threadColumns } = tile;
  const threadsAcross = columns / threadColumns;
  const row = (r: number): readonly string[] => [
    `  let m = firstRow + i32(local.y) * ${threadRows} + ${r};`,
    ...(m % rows === 0 ? [] : [`  if (m < ${m}) {`]),
    ...range(threadColumns / 4).flatMap((c) =>
      lanes.map((at) => {
        const column = `firstColumn + (i32(local.x) + ${c * threadsAcross}) * 4 + ${at}`;
        const bound = n % columns === 0 ? '' : `if (n < ${n}) `;
        const sum = `sum${r}x${c}.${'xyzw'[at]}`;
        const store =
          finish === undefined
            ? `result[${place}] = ${sum};`
            : `let place = ${place}; result[place] = finish(${sum}, place, ${finish.channel});`;
        return `  { let n = ${column}; ${bound}{ ${store} } }`;
      }),
    ),
    ...(m % rows === 0 ? [] : ['  }']),
  ];
  return range(threadRows).flatMap((r) => ['{', ...row(r), '}']);
};
