// Sums of products as one tiled kernel: matrix products, and convolutions and their gradients as products of matrices that are
// never written out.
//
// For every batch C[m, n] = sum over k of A[m, k] B[k, n]. A workgroup computes a tile of C; step by step along k it copies strips of
// A and B into workgroup memory, where every thread reads what its own smaller tile needs.
import type { FilterGradAttrs, InputGradAttrs, WindowAttrs } from '../../../ops/conv.ts';
import { convExtents } from '../../../ops/conv.ts';
import type { MatmulAttrs } from '../../../ops/matmul.ts';
import { matmulExtents } from '../../../ops/matmul.ts';
import type { Spec } from '../../../tensor.ts';
import type { GpuKernel, KernelContext } from '../kernel.ts';
import { dispatchOf, perElement, stepBindings } from '../kernel.ts';

/**
 * A sum of products. The texts may use `batch`, `m`, `n` and `k` of type i32, which lie within their sizes, and the inputs `input0` and
 * `input1`.
 */
interface Contraction {
  readonly batch: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Statements of a function body that returns A[m, k]. */
  readonly left: readonly string[];
  /** Statements of a function body that returns B[k, n]. */
  readonly right: readonly string[];
  /** The place of C[m, n]. */
  readonly place: string;
}

/** The sizes of a tile. All are powers of two. */
interface TileSizes {
  /** Rows and columns of C that a workgroup computes. */
  readonly rows: number;
  readonly columns: number;
  /** Of the strips in workgroup memory. */
  readonly depth: number;
  /** Rows and columns of C that a thread computes. */
  readonly threadRows: number;
  readonly threadColumns: number;
}

const largeTile: TileSizes = { rows: 64, columns: 64, depth: 16, threadRows: 4, threadColumns: 4 };
const smallTile: TileSizes = { rows: 32, columns: 32, depth: 16, threadRows: 2, threadColumns: 2 };
const flatTile: TileSizes = { rows: 8, columns: 64, depth: 16, threadRows: 2, threadColumns: 4 };

/** The tile for a product: large ones read least, small ones leave less of a small product's threads idle. */
const tileFor = ({ m, n, batch }: Contraction): TileSizes => {
  if (m <= 8) return flatTile;
  const large = Math.ceil(m / 64) * Math.ceil(n / 64) * batch;
  return m > 32 && n > 32 && large >= 16 ? largeTile : smallTile;
};

const range = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i);

const emitContraction = (contraction: Contraction, context: KernelContext): GpuKernel => {
  const { batch, m, n, k, place } = contraction;
  const { bindings } = stepBindings(['f32', 'f32'], 'f32');
  if (batch * m * n === 0) return { dispatches: [], scratchBytes: 0 };
  if (k === 0)
    return perElement(
      batch * m * n,
      { bindings: bindings.slice(2), body: ['result[index] = 0.0;'] },
      context,
    );
  const tile = tileFor(contraction);
  const shader = {
    bindings,
    declarations: [...elementFunctions(contraction), ...strips(tile)],
    workgroupSize: [tile.columns / tile.threadColumns, tile.rows / tile.threadRows, 1] as const,
    body: tileBody(contraction, tile, place),
  };
  const tilesDown = Math.ceil(m / tile.rows);
  const tilesAcross = Math.ceil(n / tile.columns);
  const most = context.limits.maxComputeWorkgroupsPerDimension;
  // tiles of all columns of one batch lie along x, wrapped where the limit wants it; the kernel counts them itself
  const groups = tilesAcross * tilesDown * batch;
  const rows = Math.ceil(groups / most);
  return { dispatches: [dispatchOf(shader, [Math.ceil(groups / rows), rows, 1])], scratchBytes: 0 };
};

const elementFunctions = ({ left, right }: Contraction): readonly string[] => [
  ['fn leftElement(batch: i32, m: i32, k: i32) -> f32 {', ...left.map((line) => `  ${line}`), '}'].join('\n'),
  ['fn rightElement(batch: i32, k: i32, n: i32) -> f32 {', ...right.map((line) => `  ${line}`), '}'].join(
    '\n',
  ),
];

const strips = ({ rows, columns, depth }: TileSizes): readonly string[] => [
  `var<workgroup> leftStrip: array<f32, ${rows * depth}>;`,
  `var<workgroup> rightStrip: array<f32, ${columns * depth}>;`,
];

const tileBody = (
  { batch, m, n, k }: Contraction,
  { rows, columns, depth, threadRows, threadColumns }: TileSizes,
  place: string,
): readonly string[] => {
  const [down, across] = [Math.ceil(m / rows), Math.ceil(n / columns)];
  const [threadsDown, threadsAcross] = [rows / threadRows, columns / threadColumns];
  const threads = threadsDown * threadsAcross;
  const sums = range(threadRows).flatMap((r) =>
    range(threadColumns).map((c) => ({ r, c, name: `sum${r}x${c}` })),
  );
  const strip = (name: string, width: number, element: string): readonly string[] => [
    `for (var at = thread; at < ${width * depth}; at += ${threads}) {`,
    ...element.split('\n').map((line) => `  ${line}`),
    `  ${name}[at] = value;`,
    '}',
  ];
  return [
    'let tile = i32(group.y * groups.x + group.x);',
    `if (tile >= ${down * across * batch}) { return; }`,
    `let batch = tile / ${down * across};`,
    `let firstRow = (tile / ${across}) % ${down} * ${rows};`,
    `let firstColumn = tile % ${across} * ${columns};`,
    `let thread = i32(local.y * ${threadsAcross}u + local.x);`,
    ...sums.map(({ name }) => `var ${name} = 0.0;`),
    `for (var step = 0; step < ${k}; step += ${depth}) {`,
    // the strip of A holds a row of C per column, so that a thread's rows lie side by side
    ...strip(
      'leftStrip',
      rows,
      [
        `let m = firstRow + at / ${depth};`,
        `let k = step + at % ${depth};`,
        'var value = 0.0;',
        `if (m < ${m} && k < ${k}) { value = leftElement(batch, m, k); }`,
      ].join('\n'),
    ).map((line) => `  ${line}`),
    ...strip(
      'rightStrip',
      columns,
      [
        `let k = step + at / ${columns};`,
        `let n = firstColumn + at % ${columns};`,
        'var value = 0.0;',
        `if (k < ${k} && n < ${n}) { value = rightElement(batch, k, n); }`,
      ].join('\n'),
    ).map((line) => `  ${line}`),
    '  workgroupBarrier();',
    `  for (var at = 0; at < ${depth}; at++) {`,
    ...range(threadRows).map(
      (r) => `    let a${r} = leftStrip[(i32(local.y) * ${threadRows} + ${r}) * ${depth} + at];`,
    ),
    ...range(threadColumns).map(
      (c) => `    let b${c} = rightStrip[at * ${columns} + i32(local.x) + ${c * threadsAcross}];`,
    ),
    ...sums.map(({ r, c, name }) => `    ${name} += a${r} * b${c};`),
    '  }',
    '  workgroupBarrier();',
    '}',
    ...sums.flatMap(({ r, c, name }) => [
      '{',
      `  let m = firstRow + i32(local.y) * ${threadRows} + ${r};`,
      `  let n = firstColumn + i32(local.x) + ${c * threadsAcross};`,
      `  if (m < ${m} && n < ${n}) { result[${place}] = ${name}; }`,
      '}',
    ]),
  ];
};

/** The kernel of a matrix product. */
export const emitMatmul = (
  [a, b]: readonly Spec[],
  _output: Spec,
  attrs: MatmulAttrs,
  context: KernelContext,
): GpuKernel => {
  const { batch, m, n, k } = matmulExtents(a!.shape, b!.shape, attrs);
  const left = attrs.transposeA ? `k * ${m} + m` : `m * ${k} + k`;
  const right = attrs.transposeB ? `n * ${k} + k` : `k * ${n} + n`;
  return emitContraction(
    {
      batch,
      m,
      n,
      k,
      left: [`return input0[batch * ${m * k} + ${left}];`],
      right: [`return input1[batch * ${k * n} + ${right}];`],
      place: `batch * ${m * n} + m * ${n} + n`,
    },
    context,
  );
};

type Extents = ReturnType<typeof convExtents>;

/** Statements that give `y` and `x`, the pixel that output position (oy, ox) sees through tap (ky, kx), or return 0 outside the image. */
const pixelSeen = (
  { height, width }: Extents,
  { stride, padding, dilation }: WindowAttrs,
): readonly string[] => [
  `let y = oy * ${stride[0]} - ${padding[0]} + ky * ${dilation[0]};`,
  `let x = ox * ${stride[1]} - ${padding[1]} + kx * ${dilation[1]};`,
  `if (y < 0 || y >= ${height} || x < 0 || x >= ${width}) { return 0.0; }`,
];

/** Statements that name the parts of a flat index, the last innermost. */
const parts = (
  index: string,
  names: readonly (readonly [name: string, size: number])[],
): readonly string[] => {
  let inner = 1;
  const lines: string[] = [];
  for (let i = names.length - 1; i >= 0; i--) {
    const [name, size] = names[i]!;
    const quotient = inner === 1 ? index : `${index} / ${inner}`;
    lines.push(`let ${name} = ${i === 0 ? quotient : `(${quotient}) % ${size}`};`);
    inner *= size;
  }
  return lines;
};

/** The kernel of a convolution: filters times the pixels that every output position sees. A batch is a group. */
export const emitConv2d = (
  [image, weight]: readonly Spec[],
  _output: Spec,
  attrs: WindowAttrs,
  context: KernelContext,
): GpuKernel => {
  const e = convExtents(image!.shape, weight!.shape, attrs);
  const { groups } = attrs;
  const [inGroup, outGroup] = [e.channels / groups, e.outChannels / groups];
  const positions = e.outHeight * e.outWidth;
  const taps = e.kernelHeight * e.kernelWidth;
  const k = inGroup * taps;
  return emitContraction(
    {
      batch: groups,
      m: outGroup,
      n: e.batch * positions,
      k,
      left: [`return input1[(batch * ${outGroup} + m) * ${k} + k];`],
      right: [
        ...parts('n', [
          ['picture', e.batch],
          ['oy', e.outHeight],
          ['ox', e.outWidth],
        ]),
        ...parts('k', [
          ['c', inGroup],
          ['ky', e.kernelHeight],
          ['kx', e.kernelWidth],
        ]),
        ...pixelSeen(e, attrs),
        `return input0[((picture * ${e.channels} + batch * ${inGroup} + c) * ${e.height} + y) * ${e.width} + x];`,
      ],
      place: `(n / ${positions} * ${e.outChannels} + batch * ${outGroup} + m) * ${positions} + n % ${positions}`,
    },
    context,
  );
};

/** The kernel of a convolution's gradient with respect to its image: filters, turned, times the output gradients that saw a pixel. */
export const emitConv2dInputGrad = (
  [, weight]: readonly Spec[],
  output: Spec,
  attrs: InputGradAttrs,
  context: KernelContext,
): GpuKernel => {
  const e = convExtents(output.shape, weight!.shape, attrs);
  const { groups, stride, padding, dilation } = attrs;
  const [inGroup, outGroup] = [e.channels / groups, e.outChannels / groups];
  const pixels = e.height * e.width;
  const taps = e.kernelHeight * e.kernelWidth;
  return emitContraction(
    {
      batch: groups,
      m: inGroup,
      n: e.batch * pixels,
      k: outGroup * taps,
      left: [
        `return input1[((batch * ${outGroup} + k / ${taps}) * ${inGroup} + m) * ${taps} + k % ${taps}];`,
      ],
      right: [
        ...parts('n', [
          ['picture', e.batch],
          ['y', e.height],
          ['x', e.width],
        ]),
        ...parts('k', [
          ['o', outGroup],
          ['ky', e.kernelHeight],
          ['kx', e.kernelWidth],
        ]),
        `let down = y + ${padding[0]} - ky * ${dilation[0]};`,
        `let right = x + ${padding[1]} - kx * ${dilation[1]};`,
        `if (down < 0 || right < 0 || down % ${stride[0]} != 0 || right % ${stride[1]} != 0) { return 0.0; }`,
        `let oy = down / ${stride[0]};`,
        `let ox = right / ${stride[1]};`,
        `if (oy >= ${e.outHeight} || ox >= ${e.outWidth}) { return 0.0; }`,
        `return input0[((picture * ${e.outChannels} + batch * ${outGroup} + o) * ${e.outHeight} + oy) * ${e.outWidth} + ox];`,
      ],
      place: `(n / ${pixels} * ${e.channels} + batch * ${inGroup} + m) * ${pixels} + n % ${pixels}`,
    },
    context,
  );
};

/** The kernel of a convolution's gradient with respect to its filters: output gradients times pixels, summed over all positions. */
export const emitConv2dFilterGrad = (
  [image]: readonly Spec[],
  output: Spec,
  attrs: FilterGradAttrs,
  context: KernelContext,
): GpuKernel => {
  const e = convExtents(image!.shape, output.shape, attrs);
  const { groups } = attrs;
  const [inGroup, outGroup] = [e.channels / groups, e.outChannels / groups];
  const positions = e.outHeight * e.outWidth;
  const n = inGroup * e.kernelHeight * e.kernelWidth;
  return emitContraction(
    {
      batch: groups,
      m: outGroup,
      n,
      k: e.batch * positions,
      left: [
        `return input1[(k / ${positions} * ${e.outChannels} + batch * ${outGroup} + m) * ${positions} + k % ${positions}];`,
      ],
      right: [
        ...parts('k', [
          ['picture', e.batch],
          ['oy', e.outHeight],
          ['ox', e.outWidth],
        ]),
        ...parts('n', [
          ['c', inGroup],
          ['ky', e.kernelHeight],
          ['kx', e.kernelWidth],
        ]),
        ...pixelSeen(e, attrs),
        `return input0[((picture * ${e.channels} + batch * ${inGroup} + c) * ${e.height} + y) * ${e.width} + x];`,
      ],
      place: `(batch * ${outGroup} + m) * ${n} + n`,
    },
    context,
  );
};
