// Matrix products, and convolutions with both their gradients as products of matrices that are never written out.

import type { Epilogue } from '../../../graph/epilogues.ts';
import type { InputGradAttrs, WindowAttrs } from '../../../ops/conv.ts';
import { convExtents } from '../../../ops/conv.ts';
import type { MatmulAttrs } from '../../../ops/matmul.ts';
import { matmulExtents } from '../../../ops/matmul.ts';
import type { Spec } from '../../../tensor.ts';
import type { GpuKernel, KernelContext } from '../kernel.ts';
import type { PartedAttrs } from '../splitSums.ts';
import { emitContraction } from './contraction.ts';
import { readsOf } from './halves.ts';
import type { LaneSource, Source } from './strips.ts';
import { stripDepth } from './tiles.ts';

/** The kernel of a matrix product. */
export const emitMatmul = (
  [a, b]: readonly Spec[],
  _output: Spec,
  attrs: MatmulAttrs,
  context: KernelContext,
): GpuKernel => {
  const { batch, m, n, k } = matmulExtents(a!.shape, b!.shape, attrs);
  return emitContraction(
    {
      batch,
      m,
      n,
      k,
      left: matrixSource(readInput(0, context), ['m', m], ['k', k], attrs.transposeA),
      right: matrixSource(readInput(1, context), ['n', n], ['k', k], !attrs.transposeB),
      rightInput: 1,
      place: `batch * ${m * n} + m * ${n} + n`,
      isTogether: n % 4 === 0,
    },
    context,
  );
};

/** The text of an input's element, or of four that lie together, by their place. */
interface InputText {
  readonly element: (place: string) => string;
  readonly vector: (place: string) => string;
}

const readInput = (input: 0 | 1, { halves, products }: KernelContext): InputText => {
  const { element, vector } = readsOf(halves?.inputs[input] === true, products);
  const name = `input${input}`;
  return { element: (place) => element(name, place), vector: (place) => vector(name, place) };
};

type Axis = readonly [name: string, size: number];

/** How a matrix is read: by vectors along the axis whose elements lie together, where whole vectors fit. That axis is k, or the line where `alongLine`. */
const matrixSource = (input: InputText, line: Axis, depth: Axis, alongLine: boolean): Source => {
  const [[outer, outerSize], [inner, innerSize]] = alongLine ? [depth, line] : [line, depth];
  const row = `(batch * ${outerSize} + ${outer})`;
  if (innerSize % 4 !== 0)
    return { kind: 'element', value: input.element(`${row} * ${innerSize} + ${inner}`) };
  const along = alongLine ? 'line' : 'k';
  return { kind: 'vector', along, value: input.vector(`${row} * ${innerSize / 4} + ${inner} / 4`) };
};

type Extents = ReturnType<typeof convExtents>;

/** Whether every position sees one pixel, its own. */
const isPlain = (e: Extents, { stride, padding }: WindowAttrs): boolean =>
  e.kernelHeight * e.kernelWidth === 1 &&
  e.outHeight === e.height &&
  e.outWidth === e.width &&
  padding.every((side) => side === 0) &&
  stride[0] * stride[1] === 1;

/** What a convolution step may gain: an epilogue, whose inputs follow the filters. */
type Finished = { readonly epilogue?: Epilogue };

/** Whether an index lies in [0, size), in one comparison. Conditions are joined by `&`: what `&&` would spare is less than its branches cost. */
const isWithin = (index: string, size: number): string => `(u32(${index}) < ${size}u)`;

/** Statements that give `y` and `x` of a lane: what position (top, left) sees through the tap, and whether that is in the image. */
const seen = (
  { height, width, kernelWidth }: Extents,
  { dilation }: WindowAttrs,
  tap: string,
): readonly string[] => [
  `let y$ = top$ + ${tap} / ${kernelWidth} * ${dilation[0]};`,
  `let x$ = left$ + ${tap} % ${kernelWidth} * ${dilation[1]};`,
  `let isSeen$ = ${isWithin('y$', height)} & ${isWithin('x$', width)};`,
];

/**
 * A source whose k counts taps, and channels within each. Where strips end with the channels a strip has one tap, and what is seen
 * through it is worked out once.
 */
const tapSource = (
  channels: number,
  line: readonly string[],
  through: (tap: string) => readonly string[],
  place: (channel: string) => string,
  planeSize: number,
  input: InputText,
): LaneSource => {
  const isInside = 'isSeen$';
  if (channels % stripDepth === 0)
    return {
      kind: 'lanes',
      line,
      strip: [...through(`(step / ${channels})`), `let place$ = ${place(`step % ${channels}`)};`],
      isInside,
      value: input.element(`place$ + d * ${planeSize}`),
    };
  const lines = [...through('tap'), `let place$ = ${place('channel')};`];
  return {
    kind: 'lanes',
    line,
    depth: [
      `let tap = k / ${channels};`,
      `let channel = k % ${channels};`,
      ...[0, 1, 2, 3].flatMap((lane) => lines.map((line) => line.replaceAll('$', String(lane)))),
    ],
    isInside,
    value: input.element('place$'),
  };
};

/** The images of one side of a convolution: channels of a group, and their pixels. */
interface Side {
  readonly channels: number;
  readonly pixels: number;
}

/** A convolution as filters times what every pixel of the result is made of. */
interface Filtered {
  readonly e: Extents;
  readonly attrs: WindowAttrs & Finished;
  readonly operands: readonly Spec[];
  readonly right: LaneSource;
  readonly source: Side;
  readonly result: Side;
  /** Whether rows of the product are the filters' inner channels, as in an input gradient. */
  readonly isTurned: boolean;
}

/** The kernel of filters times gathered pixels. A batch is a group, k counts taps and channels within each. */
const emitFiltered = (
  { e, attrs, operands, right, source, result, isTurned }: Filtered,
  context: KernelContext,
): GpuKernel => {
  const { groups, epilogue } = attrs;
  const taps = e.kernelHeight * e.kernelWidth;
  const [depth, rows] = [source.channels, result.channels];
  const filter = isTurned
    ? `(batch * ${depth} + k % ${depth}) * ${rows} + m`
    : `(batch * ${rows} + m) * ${depth} + k % ${depth}`;
  const four = `(n / ${result.pixels} * ${groups * depth} + batch * ${depth} + k) * ${result.pixels / 4} + n % ${result.pixels} / 4`;
  const isVector = isPlain(e, attrs) && result.pixels % 4 === 0;
  const [images, filters] = [readInput(0, context), readInput(1, context)];
  const halves = context.halves?.inputs.slice(2);
  return emitContraction(
    {
      batch: groups,
      m: rows,
      n: e.batch * result.pixels,
      k: depth * taps,
      left:
        taps === 1
          ? matrixSource(filters, ['m', rows], ['k', depth], isTurned)
          : { kind: 'element', value: filters.element(`(${filter}) * ${taps} + k / ${depth}`) },
      right: isVector ? { kind: 'vector', along: 'line', value: images.vector(four) } : right,
      rightInput: 0,
      place: `(n / ${result.pixels} * ${groups * rows} + batch * ${rows} + m) * ${result.pixels} + n % ${result.pixels}`,
      isTogether: result.pixels % 4 === 0,
      ...(epilogue === undefined
        ? {}
        : { finish: { epilogue, operands, channel: `batch * ${rows} + m`, halves } }),
    },
    context,
  );
};

/** The kernel of a convolution: filters times the pixels that every output position sees. A batch is a group. */
export const emitConv2d = (
  [image, weight, ...operands]: readonly Spec[],
  _output: Spec,
  attrs: WindowAttrs & Finished,
  context: KernelContext,
): GpuKernel => {
  const e = convExtents(image!.shape, weight!.shape, attrs);
  const { groups, stride, padding } = attrs;
  const [inGroup, outGroup] = [e.channels / groups, e.outChannels / groups];
  const positions = e.outHeight * e.outWidth;
  const pixels = e.height * e.width;
  const right = tapSource(
    inGroup,
    [
      `let top$ = n$ / ${e.outWidth} % ${e.outHeight} * ${stride[0]} - ${padding[0]};`,
      `let left$ = n$ % ${e.outWidth} * ${stride[1]} - ${padding[1]};`,
      `let base$ = (n$ / ${positions} * ${e.channels} + batch * ${inGroup}) * ${pixels};`,
    ],
    (tap) => seen(e, attrs, tap),
    (channel) => `base$ + (${channel}) * ${pixels} + y$ * ${e.width} + x$`,
    pixels,
    readInput(0, context),
  );
  return emitFiltered(
    {
      e,
      attrs,
      operands,
      right,
      source: { channels: inGroup, pixels },
      result: { channels: outGroup, pixels: positions },
      isTurned: false,
    },
    context,
  );
};

/** The kernel of a convolution's gradient with respect to its image: filters, turned, times the output gradients that saw a pixel. */
export const emitConv2dInputGrad = (
  [, weight, ...operands]: readonly Spec[],
  output: Spec,
  attrs: InputGradAttrs & Finished,
  context: KernelContext,
): GpuKernel => {
  const e = convExtents(output.shape, weight!.shape, attrs);
  const { groups, stride, padding, dilation } = attrs;
  const [inGroup, outGroup] = [e.channels / groups, e.outChannels / groups];
  const pixels = e.height * e.width;
  const positions = e.outHeight * e.outWidth;
  const along = (name: string, from: string, axis: 0 | 1, tap: string): readonly string[] => {
    const far = `${from}$ - ${tap} * ${dilation[axis]}`;
    if (stride[axis] === 1) return [`let ${name}$ = ${far};`];
    return [`let far${name}$ = ${far};`, `let ${name}$ = far${name}$ / ${stride[axis]};`];
  };
  const isOnGrid = ([0, 1] as const).flatMap((axis) => {
    const name = ['fary$', 'farx$'][axis]!;
    return stride[axis] === 1 ? [] : [`(${name} >= 0)`, `(${name} % ${stride[axis]} == 0)`];
  });
  const right = tapSource(
    outGroup,
    [
      `let down$ = n$ / ${e.width} % ${e.height} + ${padding[0]};`,
      `let across$ = n$ % ${e.width} + ${padding[1]};`,
      `let base$ = (n$ / ${pixels} * ${e.outChannels} + batch * ${outGroup}) * ${positions};`,
    ],
    (tap) => [
      ...along('y', 'down', 0, `(${tap} / ${e.kernelWidth})`),
      ...along('x', 'across', 1, `(${tap} % ${e.kernelWidth})`),
      `let isSeen$ = ${[...isOnGrid, isWithin('y$', e.outHeight), isWithin('x$', e.outWidth)].join(' & ')};`,
    ],
    (channel) => `base$ + (${channel}) * ${positions} + y$ * ${e.outWidth} + x$`,
    positions,
    readInput(0, context),
  );
  return emitFiltered(
    {
      e,
      attrs,
      operands,
      right,
      source: { channels: outGroup, pixels: positions },
      result: { channels: inGroup, pixels },
      isTurned: true,
    },
    context,
  );
};

/** The kernel of a convolution's gradient with respect to its filters: output gradients times pixels, summed over all positions. */
export const emitConv2dFilterGrad = (
  [image]: readonly Spec[],
  output: Spec,
  attrs: PartedAttrs,
  context: KernelContext,
): GpuKernel => {
  const e = convExtents(image!.shape, output.shape.slice(-4), attrs);
  const { groups, stride, padding, dilation } = attrs;
  const [inGroup, outGroup] = [e.channels / groups, e.outChannels / groups];
  const positions = e.outHeight * e.outWidth;
  const taps = e.kernelHeight * e.kernelWidth;
  const pixels = e.height * e.width;
  const lanes = [0, 1, 2, 3];
  const [images, gradients] = [readInput(0, context), readInput(1, context)];
  const right: LaneSource = {
    kind: 'lanes',
    line: [
      `let base$ = (batch * ${inGroup} + n$ / ${taps}) * ${pixels};`,
      `let top$ = n$ % ${taps} / ${e.kernelWidth} * ${dilation[0]} - ${padding[0]};`,
      `let left$ = n$ % ${e.kernelWidth} * ${dilation[1]} - ${padding[1]};`,
    ],
    depth: [
      `let picture = k / ${positions} * ${e.channels * pixels};`,
      `let down = k / ${e.outWidth} % ${e.outHeight} * ${stride[0]};`,
      `let across = k % ${e.outWidth} * ${stride[1]};`,
      ...lanes.flatMap((lane) => [
        `let y${lane} = down + top${lane};`,
        `let x${lane} = across + left${lane};`,
      ]),
    ],
    isInside: `${isWithin('y$', e.height)} & ${isWithin('x$', e.width)}`,
    value: images.element(`picture + base$ + y$ * ${e.width} + x$`),
  };
  const n = inGroup * taps;
  const isVector = positions % 4 === 0;
  const leftPlace = `(k / ${positions} * ${e.outChannels} + batch * ${outGroup} + m) * ${isVector ? positions / 4 : positions} + k % ${positions}`;
  const together = `(k / ${positions} * ${e.channels} + batch * ${inGroup} + n) * ${positions / 4} + k % ${positions} / 4`;
  return emitContraction(
    {
      batch: groups,
      m: outGroup,
      n,
      k: e.batch * positions,
      left: isVector
        ? { kind: 'vector', along: 'k', value: gradients.vector(`${leftPlace} / 4`) }
        : { kind: 'element', value: gradients.element(leftPlace) },
      right:
        isVector && isPlain(e, attrs)
          ? { kind: 'vector', along: 'k', value: images.vector(together) }
          : right,
      rightInput: 0,
      place: `(batch * ${outGroup} + m) * ${n} + n`,
      isTogether: n % 4 === 0,
      parts: attrs.parts ?? 1,
    },
    context,
  );
};
