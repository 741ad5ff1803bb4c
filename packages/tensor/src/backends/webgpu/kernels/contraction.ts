// Sums of products as one tiled kernel: C[m, n] = sum over k of A[m, k] B[k, n], for every batch.
//
// A workgroup computes a tile of C. Step by step along k it copies strips of A and B into workgroup memory, from where every thread reads
// what its own smaller tile needs, four rows and four columns at a time.
import type { GpuKernel, KernelContext } from '../kernel.ts';
import { dispatchOf, perElement, stepBindings, workgroupsFor } from '../kernel.ts';
import type { Finish } from './finish.ts';
import { finishTexts, operandTypes } from './finish.ts';
import type { Operand, Source } from './strips.ts';
import { beforeStrips, copyStrip, stripDeclaration } from './strips.ts';
import type { ProductSizes, TileSizes } from './tiles.ts';
import { groupsOf, stripDepth, threadsOf, tileFor } from './tiles.ts';

/** A sum of products of the inputs `input0` and `input1`. */
export interface Contraction extends ProductSizes {
  readonly left: Source;
  readonly right: Source;
  /** The input that the right operand reads; the left one reads the other. */
  readonly rightInput: 0 | 1;
  /** The place of C[m, n] as text over `batch`, `m` and `n`. */
  readonly place: string;
  /** Whether C[m, n] to C[m, n + 3] lie together for every fourth n, and no row ends between them: the output is then one of `vec4f`. */
  readonly isTogether: boolean;
  /** Parts that every sum is computed in, one after the other in the output; one without it. */
  readonly parts?: number;
  /** What is done to every element before it is stored. */
  readonly finish?: Finish;
}

const range = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i);
const lanes = range(4);
const indented = (lines: readonly string[]): readonly string[] => lines.map((line) => `  ${line}`);

/** The kernel of a contraction. */
export const emitContraction = (contraction: Contraction, context: KernelContext): GpuKernel => {
  const { batch, m, n, k, left, right, rightInput, finish, parts = 1 } = contraction;
  const elementType = ({ kind }: Source): string => (kind === 'vector' ? 'vec4f' : 'f32');
  const [leftType, rightType] = [elementType(left), elementType(right)];
  const types = [
    ...(rightInput === 1 ? [leftType, rightType] : [rightType, leftType]),
    ...operandTypes(finish),
  ];
  const firstOf = operandsOnce(types.length, context);
  const { bindings } = stepBindings(types, contraction.isTogether ? 'vec4f' : 'f32', { firstOf });
  if (batch * m * n === 0) return { dispatches: [] };
  if (k === 0)
    return perElement(
      parts * batch * m * n,
      { bindings: [{ ...bindings.at(-1)!, type: 'f32' }], body: ['result[index] = 0.0;'] },
      context,
    );
  const tile = tileFor(contraction, context.tiles);
  const operands = operandsOf(contraction, tile);
  const shader = {
    bindings,
    declarations: [
      ...(finish === undefined ? [] : finishTexts(finish, (operand) => `input${firstOf[2 + operand]}`)),
      ...operands.map(stripDeclaration),
    ],
    workgroupSize: [threadsOf(tile), 1, 1] as const,
    body: tileBody(contraction, operands, tile),
  };
  return { dispatches: [dispatchOf(shader, workgroupsFor(parts * groupsOf(contraction, tile), context))] };
};

const operandsOf = (
  { m, n, k, left, right }: Contraction,
  { rows, columns }: TileSizes,
): readonly [Operand, Operand] => [
  { source: left, strip: 'leftStrip', index: 'm', first: 'firstRow', extent: m, size: rows, k },
  { source: right, strip: 'rightStrip', index: 'n', first: 'firstColumn', extent: n, size: columns, k },
];

/** For every input the first that is the same tensor, but A and B by themselves: their element types may differ from those of the others. */
const operandsOnce = (count: number, { firstOf = [] }: KernelContext): readonly number[] =>
  range(count).map((input) => {
    if (input < 2) return input;
    const same = range(count).find((other) => other >= 2 && firstOf[other] === firstOf[input]);
    return same ?? input;
  });

const tileBody = (
  contraction: Contraction,
  operands: readonly Operand[],
  tile: TileSizes,
): readonly string[] => {
  const { batch, m, n, k, parts = 1 } = contraction;
  const { rows, columns, threadRows, threadColumns } = tile;
  const partDepth = stripDepth * Math.ceil(k / parts / stripDepth);
  const [down, across] = [Math.ceil(m / rows), Math.ceil(n / columns)];
  const threadsAcross = columns / threadColumns;
  const [aVectors, bVectors] = [range(threadRows / 4), range(threadColumns / 4)];
  const sums = range(threadRows).flatMap((r) => bVectors.map((c) => `sum${r}x${c}`));
  return [
    'let tile = i32(group.y * groups.x + group.x);',
    `if (tile >= ${parts * groupsOf(contraction, tile)}) { return; }`,
    ...(parts === 1
      ? [`let batch = tile / ${down * across};`]
      : [
          `let part = tile / ${batch * down * across};`,
          `let batch = tile / ${down * across} % ${batch};`,
          `let firstStep = part * ${partDepth};`,
        ]),
    `let firstRow = (tile / ${across}) % ${down} * ${rows};`,
    `let firstColumn = tile % ${across} * ${columns};`,
    'let thread = i32(local.x);',
    `let threadRow = thread / ${threadsAcross};`,
    `let threadColumn = thread % ${threadsAcross};`,
    ...operands.flatMap(beforeStrips),
    ...sums.map((name) => `var ${name} = vec4f();`),
    parts === 1
      ? `for (var step = 0; step < ${k}; step += ${stripDepth}) {`
      : `for (var step = firstStep; step < min(firstStep + ${partDepth}, ${k}); step += ${stripDepth}) {`,
    ...operands.flatMap((operand) => indented(copyStrip(operand, tile))),
    '  workgroupBarrier();',
    `  for (var d = 0; d < ${stripDepth}; d++) {`,
    ...bVectors.map(
      (c) => `    let b${c} = rightStrip[d * ${columns / 4} + threadColumn + ${c * threadsAcross}];`,
    ),
    ...aVectors.map(
      (r) => `    let a${r} = leftStrip[d * ${rows / 4} + threadRow * ${threadRows / 4} + ${r}];`,
    ),
    ...range(threadRows).flatMap((r) =>
      bVectors.map(
        (c) => `    sum${r}x${c} = fma(vec4f(a${Math.floor(r / 4)}.${'xyzw'[r % 4]}), b${c}, sum${r}x${c});`,
      ),
    ),
    '  }',
    '  workgroupBarrier();',
    '}',
    ...storeTexts(contraction, tile),
  ];
};

/** Stores what a thread has computed. */
const storeTexts = (contraction: Contraction, tile: TileSizes): readonly string[] => {
  const { m, n } = contraction;
  const { rows, columns, threadRows, threadColumns } = tile;
  const threadsAcross = columns / threadColumns;
  const vector = (r: number, c: number): readonly string[] => {
    const first = `firstColumn + (threadColumn + ${c * threadsAcross}) * 4`;
    const bound = n % columns === 0 ? '' : `if (n < ${n}) `;
    const sum = `sum${r}x${c}`;
    if (contraction.isTogether) {
      const value = contraction.finish === undefined ? sum : finishedVector(contraction, sum);
      return [
        `  { let n = ${first}; ${bound}{ let place = ${placeOf(contraction)}; result[place / 4] = ${value}; } }`,
      ];
    }
    return lanes.map((lane) => {
      const element = `${sum}.${'xyzw'[lane]}`;
      const value =
        contraction.finish === undefined ? element : finished(contraction.finish, element, 'place');
      return `  { let n = ${first} + ${lane}; ${bound}{ let place = ${placeOf(contraction)}; result[place] = ${value}; } }`;
    });
  };
  const row = (r: number): readonly string[] => [
    `  let m = firstRow + threadRow * ${threadRows} + ${r};`,
    ...(m % rows === 0 ? [] : [`  if (m < ${m}) {`]),
    ...range(threadColumns / 4).flatMap((c) => vector(r, c)),
    ...(m % rows === 0 ? [] : ['  }']),
  ];
  return range(threadRows).flatMap((r) => ['{', ...row(r), '}']);
};

const placeOf = ({ batch, m, n, place, parts = 1 }: Contraction): string =>
  parts === 1 ? place : `part * ${batch * m * n} + ${place}`;

const finished = ({ channel }: Finish, element: string, place: string): string =>
  `finish(${element}, ${place}, ${channel})`;

const finishedVector = ({ finish }: Contraction, sum: string): string =>
  `vec4f(${lanes.map((lane) => finished(finish!, `${sum}.${'xyzw'[lane]}`, `place + ${lane}`)).join(', ')})`;
