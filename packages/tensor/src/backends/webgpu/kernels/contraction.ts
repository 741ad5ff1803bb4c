// Sums of products as one tiled kernel: C[m, n] = sum over k of A[m, k] B[k, n], for every batch.
//
// A workgroup computes a tile of C. Step by step along k it copies strips of A and B into workgroup memory, from where its threads, or the
// device's matrix units, multiply them.
import type { GpuKernel, KernelContext, ProductArithmetic } from '../kernel.ts';
import { dispatchOf, perElement, stepBindings, workgroupsFor } from '../kernel.ts';
import type { Finish } from './finish.ts';
import { finishTexts, operandTypes } from './finish.ts';
import { halfExtensions, readsOf, storeHalves } from './halves.ts';
import type { Operand, Source, StripForm } from './strips.ts';
import { beforeStrips, copyStrip, stripDeclaration, unitForm, vectorForms } from './strips.ts';
import { threadProducts } from './threadProducts.ts';
import type { ProductSizes, TileSizes } from './tiles.ts';
import { groupsOf, stripDepth, threadsOf, tileFor } from './tiles.ts';
import {
  fitsUnits,
  unitDeclaration,
  unitExtensions,
  unitProducts,
  unitThreads,
  unitTile,
} from './unitProducts.ts';

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
  /** Whether elements are stored as halves, which must lie together. */
  readonly isHalved?: boolean;
}

/** How the products of a tile are computed: a part of the shader. */
export interface TileProducts {
  readonly tile: TileSizes;
  readonly form: StripForm;
  readonly extensions: readonly string[];
  readonly subgroupSize?: number;
  readonly declarations: readonly string[];
  /** Statements before the strips, for each of them, and after all. */
  readonly before: readonly string[];
  readonly multiply: readonly string[];
  readonly after: readonly string[];
}

/** The kernel of a contraction. */
export const emitContraction = (given: Contraction, context: KernelContext): GpuKernel => {
  const isHalved = context.halves?.output === true;
  const contraction = { ...given, isHalved };
  const { batch, m, n, k, finish, isTogether, parts = 1 } = contraction;
  const reads = operandReads(contraction, context);
  const types = [...reads.map(({ type }) => type), ...operandTypes(finish)];
  const firstOf = operandsOnce(types.length, context);
  const together = isHalved ? 'vec2u' : 'vec4f';
  const { bindings } = stepBindings(types, isTogether ? together : 'f32', { firstOf });
  if (batch * m * n === 0) return { dispatches: [] };
  if (k === 0)
    return perElement(
      parts * batch * m * n,
      { bindings: [{ ...bindings.at(-1)!, type: 'f32' }], body: ['result[index] = 0.0;'] },
      context,
    );
  const products = productsOf(contraction, context);
  const { tile, extensions, subgroupSize } = products;
  const operands = operandsOf(contraction, products);
  const shader = {
    bindings,
    enables: isHalved ? [...new Set([...halfExtensions(context.products), ...extensions])] : extensions,
    ...(subgroupSize === undefined ? {} : { subgroupSize }),
    declarations: [
      ...(finish === undefined ? [] : finishTexts(finish, (operand) => `input${firstOf[2 + operand]}`)),
      ...operands.map(stripDeclaration),
      ...new Set([
        ...products.declarations,
        ...reads.flatMap(({ declarations }) => declarations),
        ...(isHalved ? storeHalves(context.products) : []),
      ]),
    ],
    workgroupSize: [threadsOf(tile), 1, 1] as const,
    body: tileBody(contraction, operands, products),
  };
  return { dispatches: [dispatchOf(shader, workgroupsFor(parts * groupsOf(contraction, tile), context))] };
};

/** The element types of the inputs 0 and 1, and what their reads call. */
const operandReads = (
  { left, right, rightInput }: Contraction,
  { halves, products }: KernelContext,
): readonly { readonly type: string; readonly declarations: readonly string[] }[] =>
  (rightInput === 1 ? [left, right] : [right, left]).map(({ kind }, input) => {
    const { types, declarations } = readsOf(halves?.inputs[input] === true, products);
    return { type: kind === 'vector' ? types.vector : types.element, declarations };
  });

/** For every input the first that is the same tensor, but A and B by themselves: their element types may differ from those of the others. */
const operandsOnce = (count: number, { firstOf = [] }: KernelContext): readonly number[] => {
  const inputs = [...Array(count).keys()];
  return inputs.map((input) => {
    if (input < 2) return input;
    return inputs.find((other) => other >= 2 && firstOf[other] === firstOf[input]) ?? input;
  });
};

const productsOf = (contraction: Contraction, { products, tiles }: KernelContext): TileProducts => {
  if (products === 'units of half' && fitsUnits(contraction))
    return {
      tile: unitTile,
      form: unitForm,
      extensions: unitExtensions,
      subgroupSize: unitThreads,
      declarations: [unitDeclaration],
      ...unitProducts(contraction),
    };
  const arithmetic = threadArithmetic[products ?? 'single'];
  const form = vectorForms[arithmetic];
  const tile = tileFor(contraction, tiles);
  const extensions = arithmetic === 'half' ? ['f16'] : [];
  return {
    tile,
    form,
    extensions,
    declarations: form.declarations,
    ...threadProducts(contraction, tile, form),
  };
};

/** What threads compute with where the device's units do not. */
const threadArithmetic: Readonly<Record<'single' | ProductArithmetic, keyof typeof vectorForms>> = {
  single: 'single',
  half: 'half',
  'emulated half': 'emulated half',
  'units of half': 'half',
};

const operandsOf = (
  { m, n, k, left, right }: Contraction,
  { tile: { rows, columns }, form }: TileProducts,
): readonly Operand[] => [
  { source: left, strip: 'leftStrip', index: 'm', first: 'firstRow', extent: m, size: rows, k, form },
  { source: right, strip: 'rightStrip', index: 'n', first: 'firstColumn', extent: n, size: columns, k, form },
];

const indented = (lines: readonly string[]): readonly string[] => lines.map((line) => `  ${line}`);

const tileBody = (
  contraction: Contraction,
  operands: readonly Operand[],
  { tile, before, multiply, after }: TileProducts,
): readonly string[] => {
  const { batch, m, n, k, parts = 1 } = contraction;
  const [down, across] = [Math.ceil(m / tile.rows), Math.ceil(n / tile.columns)];
  const partDepth = stripDepth * Math.ceil(k / parts / stripDepth);
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
    `let firstRow = (tile / ${across}) % ${down} * ${tile.rows};`,
    `let firstColumn = tile % ${across} * ${tile.columns};`,
    'let thread = i32(local.x);',
    ...operands.flatMap(beforeStrips),
    ...before,
    parts === 1
      ? `for (var step = 0; step < ${k}; step += ${stripDepth}) {`
      : `for (var step = firstStep; step < min(firstStep + ${partDepth}, ${k}); step += ${stripDepth}) {`,
    ...operands.flatMap((operand) => indented(copyStrip(operand, tile))),
    '  workgroupBarrier();',
    ...indented(multiply),
    '  workgroupBarrier();',
    '}',
    ...after,
  ];
};
