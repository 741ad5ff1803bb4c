// The steps of products on texels: what they are told, and what their results are made of.
import type { Graph } from '../../../graph/graph.ts';
import type { Attrs, Primitive } from '../../../primitive.ts';
import { sizeOf } from '../../../shape.ts';
import type { Shape, Spec } from '../../../tensor.ts';
import type { Contents } from '../source.ts';
import { blockRows, lanes } from '../source.ts';

/** One dimension of packed texels, and of the array that they are packed from: index `i` reads number `(i - before) / spread`. */
export interface PackedDimension {
  /** Texels. */
  readonly size: number;
  /** Numbers; beyond them there are zeros. */
  readonly extent: number;
  /** Between two numbers of the array. */
  readonly stride: number;
  /** Zeros before the first number; negative where numbers are left out. */
  readonly before?: number;
  /** Every so many texels there is a number, and between them zeros. */
  readonly spread?: number;
  /** Whether a texel holds four numbers that follow each other in this dimension, of which there is one. */
  readonly isPacked?: boolean;
}

/** Attrs of the step that packs numbers. */
export type PackAttrs = { readonly dimensions: readonly PackedDimension[]; readonly offset: number };

/** Attrs of the step that takes numbers out of blocks. */
export type UnpackAttrs = {
  readonly shape: Shape;
  /** Of the result, neighbouring dimensions as one. */
  readonly extents: readonly number[];
  /** Blocks between two numbers, or between four of the dimension that is packed. */
  readonly strides: readonly number[];
  readonly packed: number;
  /** Rows of numbers, of which so many follow each other before the next texel of the same blocks: their number from the indices, and blocks between two of them. */
  readonly rows: {
    readonly strides: readonly number[];
    readonly count: number;
    readonly stride: number;
  };
  /** Arrays of blocks behind each other that are added up, and their blocks. */
  readonly parts: { readonly count: number; readonly stride: number };
};

/** Attrs of the product of packed matrices [batch,m,k/4] and [batch,k,n/4]. */
export type PackedMatmulAttrs = {
  readonly extents: readonly [batch: number, m: number, n: number, k: number];
};

/** Sizes of convolutions on texels of four channels, all in texels. */
export type PackedWindow = {
  readonly batch: number;
  readonly groups: number;
  /** Texels of a group's channels. */
  readonly inGroup: number;
  /** Of the image with its zeros. */
  readonly image: readonly [number, number];
  readonly out: readonly [number, number];
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly dilation: readonly [number, number];
};

/** Attrs of the convolution of texels of four channels. */
export type PackedConvolutionAttrs = PackedWindow & {
  /** Texels of a group's results. */
  readonly outGroup: number;
};

/** Attrs of the filter gradient, from an image of texels of four channels and cotangents of texels of four columns. */
export type PackedFilterGradAttrs = PackedWindow & {
  /** Filters of a group. */
  readonly filters: number;
  /** Numbers in a row of cotangents. */
  readonly columns: number;
  /** Parts of the sum, which divide the rows of all images. */
  readonly parts: number;
};

const texels = (shape: Shape): Spec => ({ shape: [...shape, lanes], dtype: 'f32' });
const blocks = (shape: Shape): Spec => texels([blockRows, ...shape]);

/** A step that only the pass below makes, and whose kernel is its meaning. */
const packedOp = <A extends Attrs>(name: string, infer: (attrs: A) => Spec): Primitive =>
  ({
    name,
    infer: (_, attrs) => infer(attrs),
    reference: () => {
      throw new TypeError(`${name}: needs a kernel on texels, got a reference run.`);
    },
  }) satisfies Primitive<A> as unknown as Primitive;

/** Packs numbers. */
export const packOp: Primitive = packedOp<PackAttrs>('pack', ({ dimensions }) =>
  texels(dimensions.map(({ size }) => size)),
);
/** Takes numbers out of blocks. */
export const unpackOp: Primitive = packedOp<UnpackAttrs>('unpack', ({ shape }) => ({ shape, dtype: 'f32' }));
/** The product of packed matrices. */
export const matmulOp: Primitive = packedOp<PackedMatmulAttrs>('packedMatmul', ({ extents: [batch, m, n] }) =>
  blocks([batch, blocksFor(m), texelsFor(n)]),
);
/** The convolution of packed images and filters. */
export const convolutionOp: Primitive = packedOp<PackedConvolutionAttrs>('packedConvolution', (attrs) =>
  blocks([attrs.groups * attrs.outGroup, blocksFor(attrs.batch * sizeOf(attrs.out))]),
);
/** The filter gradient of packed images and cotangents. */
export const filterGradOp: Primitive = packedOp<PackedFilterGradAttrs>('packedFilterGrad', (attrs) =>
  blocks([attrs.parts, attrs.groups, blocksFor(attrs.filters), ...attrs.kernel, attrs.inGroup]),
);

/** Ops whose results are not made of numbers. */
const contentsOf: ReadonlyMap<Primitive, Contents> = new Map([
  [packOp, 'texels'],
  [matmulOp, 'blocks'],
  [convolutionOp, 'blocks'],
  [filterGradOp, 'blocks'],
]);

/** What the arrays of all slots are made of. */
export const contentsBySlot = ({ specs, steps }: Graph): readonly Contents[] => {
  const contents = specs.map((): Contents => 'numbers');
  for (const { op, output } of steps) contents[output] = contentsOf.get(op) ?? 'numbers';
  return contents;
};

/** Texels that hold so many numbers. */
export const texelsFor = (numbers: number): number => Math.ceil(numbers / lanes);

/** Blocks that hold so many rows. */
export const blocksFor = (rows: number): number => Math.ceil(rows / blockRows);
