// Products as steps on texels: operands packed four numbers to a texel, a product whose threads compute blocks of four texels, and unpacking.
//
// A thread that computes one number reads two for every multiplication, and reading costs much more than multiplying. Sixteen results at
// once need eight reads of texels for 64 multiplications. The rows of a block are far apart, so that neighbouring threads read neighbours.
import type { Graph, Slot, Step } from '../../../graph/graph.ts';
import type { ConvExtents, FilterGradAttrs, InputGradAttrs, WindowAttrs } from '../../../ops/conv.ts';
import { convExtents } from '../../../ops/conv.ts';
import type { MatmulAttrs } from '../../../ops/matmul.ts';
import { matmulExtents } from '../../../ops/matmul.ts';
import type { Attrs, Primitive } from '../../../primitive.ts';
import { sizeOf } from '../../../shape.ts';
import type { Shape, Spec } from '../../../tensor.ts';
import { mostNumbers } from '../modes.ts';
import { lanes } from '../source.ts';
import type {
  PackAttrs,
  PackedConvolutionAttrs,
  PackedDimension,
  PackedFilterGradAttrs,
  PackedMatmulAttrs,
  PackedWindow,
  UnpackAttrs,
} from './ops.ts';
import { blocksFor, convolutionOp, filterGradOp, matmulOp, packOp, texelsFor, unpackOp } from './ops.ts';

/** Multiplications of a product that is worth three more launches. */
const leastProducts = 2 ** 16;

/** A graph under construction: adds a step and gives its output, a slot of its own unless one is named. */
type AddStep = (op: Primitive, attrs: Attrs, inputs: readonly Slot[], output?: Slot) => Slot;

/** A step, and the specs of its inputs and its output. */
interface Place {
  readonly step: Step;
  readonly inputs: readonly Spec[];
  readonly output: Spec;
  readonly add: AddStep;
}

/** An equal graph in which products of at least so many multiplications are computed on texels. */
export const packProducts = (graph: Graph, least: number = leastProducts): Graph => {
  const specs = [...graph.specs];
  const steps: Step[] = [];
  for (const step of graph.steps) {
    const replace = replacements[step.op.name];
    const inputs = step.inputs.map((slot) => specs[slot]!);
    const output = specs[step.output]!;
    const made: Step[] = [];
    const first = specs.length;
    const add: AddStep = (op, attrs, from, to) => {
      const slot = to ?? specs.push(op.infer([], attrs)) - 1;
      const label = step.label === undefined ? {} : { label: step.label };
      made.push({ op, attrs, inputs: from, output: slot, ...label });
      return slot;
    };
    const isLarge = replace !== undefined && replace.products(inputs, output, step.attrs) >= least;
    if (isLarge) replace.build({ step, inputs, output, add });
    if (made.length > 0 && specs.slice(first).every(({ shape }) => sizeOf(shape) <= mostNumbers))
      steps.push(...made);
    else {
      specs.length = first;
      steps.push(step);
    }
  }
  return { ...graph, specs, steps };
};

/** How a product becomes steps on texels. */
interface Replacement {
  /** Multiplications, zero where it should stay. */
  readonly products: (inputs: readonly Spec[], output: Spec, attrs: Attrs) => number;
  readonly build: (place: Place) => void;
}

const matmul: Replacement = {
  products: ([a, b], _output, attrs) => {
    const { batch, m, n, k } = matmulExtents(a!.shape, b!.shape, attrs as MatmulAttrs);
    return n < lanes ? 0 : batch * m * n * k;
  },
  build: ({ step, inputs: [a, b], output, add }) => {
    const { transposeA, transposeB } = step.attrs as MatmulAttrs;
    const { batch, m, n, k } = matmulExtents(a!.shape, b!.shape, step.attrs as MatmulAttrs);
    const [left, right] = step.inputs as readonly [Slot, Slot];
    const rows = add(
      packOp,
      packAttrs([
        { size: batch, extent: batch, stride: m * k },
        { size: m, extent: m, stride: transposeA ? 1 : k },
        { size: texelsFor(k), extent: k, stride: transposeA ? m : 1, isPacked: true },
      ]),
      [left],
    );
    const columns = add(
      packOp,
      packAttrs([
        { size: batch, extent: batch, stride: k * n },
        { size: lanes * texelsFor(k), extent: k, stride: transposeB ? 1 : n },
        { size: texelsFor(n), extent: n, stride: transposeB ? k : 1, isPacked: true },
      ]),
      [right],
    );
    const product = add(matmulOp, { extents: [batch, m, n, k] } satisfies PackedMatmulAttrs, [rows, columns]);
    const unpack: UnpackAttrs = {
      shape: output.shape,
      extents: [batch, m, n],
      strides: [blocksFor(m) * texelsFor(n), 0, 1],
      packed: 2,
      rows: { strides: [0, 1, 0], count: blocksFor(m), stride: texelsFor(n) },
      parts: { count: 1, stride: 0 },
    };
    add(unpackOp, unpack, [product], step.output);
  },
};

const packAttrs = (dimensions: readonly PackedDimension[], offset = 0): PackAttrs => ({ dimensions, offset });

/** Multiplications of a convolution; zero where texels would hold channels of two groups. */
const productsOf = (e: ConvExtents, { groups }: WindowAttrs): number => {
  const [inGroup, outGroup] = [e.channels / groups, e.outChannels / groups];
  if (groups > 1 && (inGroup % lanes > 0 || outGroup % lanes > 0)) return 0;
  return e.batch * e.outChannels * e.outHeight * e.outWidth * inGroup * e.kernelHeight * e.kernelWidth;
};

/** The step that packs four channels of [N,C,H,W], with zeros around the images and between their pixels. */
const packedImage = (
  [batch, channels, height, width]: Shape,
  size: readonly [number, number],
  before: readonly [number, number],
  spread: readonly [number, number] = [1, 1],
): PackAttrs =>
  packAttrs([
    { size: batch!, extent: batch!, stride: channels! * height! * width! },
    { size: texelsFor(channels!), extent: channels!, stride: height! * width!, isPacked: true },
    { size: size[0], extent: height!, stride: width!, before: before[0], spread: spread[0] },
    { size: size[1], extent: width!, stride: 1, before: before[1], spread: spread[1] },
  ]);

/** The step that takes [N,C,H,W] out of blocks of four channels of four pixels. */
const unpackedImage = (shape: Shape): UnpackAttrs => {
  const [batch, channels, height, width] = shape as readonly [number, number, number, number];
  const plane = height * width;
  const count = blocksFor(batch * plane);
  return {
    shape,
    extents: [batch, channels, plane],
    strides: [0, count, 0],
    packed: 1,
    rows: { strides: [plane, 0, 1], count, stride: 1 },
    parts: { count: 1, stride: 0 },
  };
};

const spanOf = (out: number, stride: number, kernel: number, dilation: number): number =>
  (out - 1) * stride + (kernel - 1) * dilation + 1;

/** What a convolution and its filter gradient have in common. */
const windowOf = (e: ConvExtents, { stride, dilation, groups }: WindowAttrs): PackedWindow => ({
  batch: e.batch,
  groups,
  inGroup: texelsFor(e.channels / groups),
  image: [
    spanOf(e.outHeight, stride[0], e.kernelHeight, dilation[0]),
    spanOf(e.outWidth, stride[1], e.kernelWidth, dilation[1]),
  ],
  out: [e.outHeight, e.outWidth],
  kernel: [e.kernelHeight, e.kernelWidth],
  stride,
  dilation,
});

const conv2d: Replacement = {
  products: ([x, weight], _output, attrs) =>
    productsOf(convExtents(x!.shape, weight!.shape, attrs as WindowAttrs), attrs as WindowAttrs),
  build: ({ step, inputs: [x, weight], output, add }) => {
    const attrs = step.attrs as WindowAttrs;
    const e = convExtents(x!.shape, weight!.shape, attrs);
    const window = windowOf(e, attrs);
    const [image, filter] = step.inputs as readonly [Slot, Slot];
    const [top, left] = attrs.padding;
    const [inGroup, taps] = [e.channels / attrs.groups, e.kernelHeight * e.kernelWidth];
    const pixels = add(packOp, packedImage(x!.shape, window.image, [top, left]), [image]);
    const filters = add(
      packOp,
      packAttrs([
        { size: texelsFor(e.outChannels), extent: e.outChannels, stride: inGroup * taps, isPacked: true },
        { size: taps, extent: taps, stride: 1 },
        { size: lanes * window.inGroup, extent: inGroup, stride: taps },
      ]),
      [filter],
    );
    const outGroup = texelsFor(e.outChannels / attrs.groups);
    const product: PackedConvolutionAttrs = { ...window, outGroup };
    add(unpackOp, unpackedImage(output.shape), [add(convolutionOp, product, [pixels, filters])], step.output);
  },
};

/** A convolution of the cotangents, spread by the stride, with the filters turned by half a circle. */
const conv2dInputGrad: Replacement = {
  products: ([, weight], output, attrs) =>
    productsOf(convExtents(output.shape, weight!.shape, attrs as InputGradAttrs), attrs as InputGradAttrs),
  build: ({ step, inputs: [ct, weight], output, add }) => {
    const attrs = step.attrs as InputGradAttrs;
    const { dilation, groups, stride } = attrs;
    const e = convExtents(output.shape, weight!.shape, attrs);
    const [cotangent, filter] = step.inputs as readonly [Slot, Slot];
    const [top, left] = attrs.padding;
    const reach = [(e.kernelHeight - 1) * dilation[0], (e.kernelWidth - 1) * dilation[1]] as const;
    const [inGroup, outGroup] = [e.channels / groups, e.outChannels / groups];
    const taps = e.kernelHeight * e.kernelWidth;
    const image = [e.height + reach[0], e.width + reach[1]] as const;
    const before = [reach[0] - top, reach[1] - left] as const;
    const pixels = add(packOp, packedImage(ct!.shape, image, before, stride), [cotangent]);
    const filters = add(
      packOp,
      packAttrs(
        [
          { size: groups, extent: groups, stride: outGroup * inGroup * taps },
          { size: texelsFor(inGroup), extent: inGroup, stride: taps, isPacked: true },
          { size: taps, extent: taps, stride: -1 },
          { size: lanes * texelsFor(outGroup), extent: outGroup, stride: inGroup * taps },
        ],
        taps - 1,
      ),
      [filter],
    );
    const product: PackedConvolutionAttrs = {
      ...{ batch: e.batch, groups, image, dilation, stride: [1, 1] },
      inGroup: texelsFor(outGroup),
      outGroup: texelsFor(inGroup),
      out: [e.height, e.width],
      kernel: [e.kernelHeight, e.kernelWidth],
    };
    add(unpackOp, unpackedImage(output.shape), [add(convolutionOp, product, [pixels, filters])], step.output);
  },
};

/** Threads that keep a GPU busy. */
const enoughThreads = 2 ** 13;

/** The largest divisor of `n` that is at most `most`, which is 1 or more. */
const divisorUpTo = (n: number, most: number): number => {
  let divisor = Math.min(n, Math.floor(most));
  while (n % divisor > 0) divisor--;
  return divisor;
};

const conv2dFilterGrad: Replacement = {
  products: ([x], output, attrs) =>
    productsOf(convExtents(x!.shape, output.shape, attrs as FilterGradAttrs), attrs as FilterGradAttrs),
  build: ({ step, inputs: [x, ct], output, add }) => {
    const attrs = step.attrs as FilterGradAttrs;
    const e = convExtents(x!.shape, output.shape, attrs);
    const window = windowOf(e, attrs);
    const [image, cotangent] = step.inputs as readonly [Slot, Slot];
    const [top, left] = attrs.padding;
    const pixels = add(packOp, packedImage(x!.shape, window.image, [top, left]), [image]);
    const [rows, taps] = [e.batch * e.outHeight, e.kernelHeight * e.kernelWidth];
    const columns = add(
      packOp,
      packAttrs([
        { size: sizeOf(ct!.shape.slice(0, 3)), extent: sizeOf(ct!.shape.slice(0, 3)), stride: e.outWidth },
        { size: texelsFor(e.outWidth), extent: e.outWidth, stride: 1, isPacked: true },
      ]),
      [cotangent],
    );
    const filters = e.outChannels / attrs.groups;
    const blocksOfFilters = blocksFor(filters) * taps * window.inGroup;
    const threads = attrs.groups * blocksOfFilters;
    const product: PackedFilterGradAttrs = {
      ...window,
      filters,
      columns: e.outWidth,
      parts: divisorUpTo(rows, Math.max(1, enoughThreads / threads)),
    };
    const unpack: UnpackAttrs = {
      shape: output.shape,
      extents: [attrs.groups, filters, e.channels / attrs.groups, taps],
      strides: [blocksOfFilters, 0, 1, window.inGroup],
      packed: 2,
      rows: { strides: [0, 1, 0, 0], count: blocksFor(filters), stride: taps * window.inGroup },
      parts: { count: product.parts, stride: threads },
    };
    const sums = add(filterGradOp, product, [pixels, columns]);
    add(unpackOp, unpack, [sums], step.output);
  },
};

const replacements: Readonly<Record<string, Replacement>> = {
  matmul,
  conv2d,
  conv2dInputGrad,
  conv2dFilterGrad,
};
