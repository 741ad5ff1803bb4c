// Convolutions of 3x3 filters as steps of their own: transforms of tiles and filters, one batched matrix product, the transform back.
//
// The product is the backend's matmul, and the planner finds room for what lies between: no kernel here holds memory of its own.
import type { Epilogue } from '../../../graph/epilogues.ts';
import type { Graph, Slot, Step } from '../../../graph/graph.ts';
import type { ConvExtents, FilterGradAttrs, InputGradAttrs, WindowAttrs } from '../../../ops/conv.ts';
import { convExtents } from '../../../ops/conv.ts';
import type { MatmulAttrs } from '../../../ops/matmul.ts';
import { matmulOp } from '../../../ops/matmul.ts';
import type { Attrs, Primitive } from '../../../primitive.ts';
import { sizeOf } from '../../../shape.ts';
import type { Shape, Spec } from '../../../tensor.ts';
import { tileProducts, tileSize } from './transforms.ts';

/** The tiles of all images: `columns` of them with those that fill up the last vector of four. */
export interface TileGrid {
  readonly batch: number;
  readonly down: number;
  readonly across: number;
  readonly columns: number;
  /** Zeros before the first row and column of pixels; negative where pixels are left out. */
  readonly padTop: number;
  readonly padLeft: number;
}

/** Attrs of the steps that read or write tiles. */
export type TileAttrs = { readonly grid: TileGrid };

/** Attrs of the step that transforms filters: whether they are turned by half a circle and their channels exchanged, as in an input gradient. */
export type FilterAttrs = { readonly isTurned: boolean };

/** Attrs of the step that transforms products back into images. */
export type ResultAttrs = TileAttrs & { readonly shape: Shape; readonly epilogue?: Epilogue };

/** Attrs of the step that transforms sums of products back into filters. */
export type GradientAttrs = { readonly shape: Shape };

const f32 = (shape: Shape): Spec => ({ shape, dtype: 'f32' });

/** A step that only the pass below makes, and whose kernel is its meaning. */
const transformOp = <A extends Attrs>(name: string, shapeOf: (input: Shape, attrs: A) => Shape): Primitive =>
  ({
    name,
    infer: ([input], attrs) => f32(shapeOf(input!.shape, attrs)),
    reference: () => {
      throw new TypeError(`${name}: needs the kernel of the webgpu backend, got a reference run.`);
    },
  }) satisfies Primitive<A> as unknown as Primitive;

const inTiles = ([, channels]: Shape, { grid }: TileAttrs): Shape => [tileProducts, channels!, grid.columns];

const pixelTilesOp = transformOp<TileAttrs>('winogradTiles', inTiles);
const gradientTilesOp = transformOp<TileAttrs>('winogradGradientTiles', inTiles);
const filtersOp = transformOp<FilterAttrs>('winogradFilters', ([out, channels], { isTurned }) =>
  isTurned ? [tileProducts, channels!, out!] : [tileProducts, out!, channels!],
);
const resultOp = transformOp<ResultAttrs>('winogradResult', (_input, { shape }) => shape);
const filterGradientOp = transformOp<GradientAttrs>('winogradFilterGradient', (_input, { shape }) => shape);

/** What a convolution must have to be worth three more launches. */
export interface LeastConvolution {
  /** On either side: with fewer the transforms are too large a part. */
  readonly channels: number;
  /** Multiplications. */
  readonly products: number;
}

/** Most bytes of all transformed tiles: what every adapter binds at least. */
const maximumBytes = 2 ** 27;

/** Whether tiles can compute a convolution with these extents, and are worth it. */
const isWorthwhile = (
  e: ConvExtents,
  { stride, dilation, groups }: WindowAttrs,
  least: LeastConvolution,
): boolean => {
  const isPlain = [...stride, ...dilation, groups].every((step) => step === 1);
  if (!isPlain || e.kernelHeight !== 3 || e.kernelWidth !== 3) return false;
  const products = 9 * e.batch * e.channels * e.outChannels * e.outHeight * e.outWidth;
  const tiles = e.batch * Math.ceil((e.height + 2) / tileSize) * Math.ceil((e.width + 2) / tileSize);
  return (
    Math.min(e.channels, e.outChannels) >= least.channels &&
    products >= least.products &&
    4 * tileProducts * Math.max(e.channels, e.outChannels) * tiles <= maximumBytes
  );
};

const gridOf = (
  batch: number,
  [height, width]: readonly [number, number],
  [padTop, padLeft]: readonly number[],
): TileGrid => {
  const [down, across] = [Math.ceil(height / tileSize), Math.ceil(width / tileSize)];
  return {
    batch,
    down,
    across,
    columns: 4 * Math.ceil((batch * down * across) / 4),
    padTop: padTop!,
    padLeft: padLeft!,
  };
};

/** A graph under construction: adds a step and gives its output, a slot of its own unless one is named. */
type AddStep = (op: Primitive, attrs: Attrs, inputs: readonly Slot[], output?: Slot) => Slot;

/** An equal graph in which convolutions of 3x3 filters are taken apart where that pays. */
export const takeConvolutionsApart = (graph: Graph, least: LeastConvolution): Graph => {
  const specs = [...graph.specs];
  const steps: Step[] = [];
  const known = new Map<string, Slot>();
  for (const step of graph.steps) {
    const add: AddStep = (op, attrs, inputs, output) => {
      const made =
        output ??
        specs.push(
          op.infer(
            inputs.map((slot) => specs[slot]!),
            attrs,
          ),
        ) - 1;
      steps.push({
        op,
        attrs,
        inputs,
        output: made,
        ...(step.label === undefined ? {} : { label: step.label }),
      });
      return made;
    };
    const filters = (weight: Slot, isTurned: boolean): Slot => {
      const key = `${weight} ${isTurned}`;
      const slot = known.get(key) ?? add(filtersOp, { isTurned }, [weight]);
      known.set(key, slot);
      return slot;
    };
    const replace = replacements[step.op.name];
    if (replace?.({ step, specs, least, add, filters }) !== true) steps.push(step);
  }
  return { ...graph, specs, steps };
};

/** A step, and the graph in which it may be taken apart. */
interface Place {
  readonly step: Step;
  readonly specs: readonly Spec[];
  readonly least: LeastConvolution;
  readonly add: AddStep;
  /** The transform of filters, made once. */
  readonly filters: (weight: Slot, isTurned: boolean) => Slot;
}

/** Adds the steps that a step is taken apart into; false where it stays whole. */
type Replace = (place: Place) => boolean;

const plainProduct: MatmulAttrs = { transposeA: false, transposeB: false };

const replaceForward: Replace = (place) => {
  const { step, specs, least, filters } = place;
  const attrs = step.attrs as WindowAttrs & { readonly epilogue?: Epilogue };
  const [image, weight, ...operands] = step.inputs as readonly [Slot, Slot, ...Slot[]];
  const e = convExtents(specs[image]!.shape, specs[weight]!.shape, attrs);
  if (!isWorthwhile(e, attrs, least)) return false;
  const grid = gridOf(e.batch, [e.outHeight, e.outWidth], attrs.padding);
  addConvolution(place, filters(weight, false), image, grid, operands, attrs.epilogue);
  return true;
};

const replaceInputGrad: Replace = (place) => {
  const { step, specs, least, filters } = place;
  const attrs = step.attrs as InputGradAttrs & { readonly epilogue?: Epilogue };
  const [ct, weight, ...operands] = step.inputs as readonly [Slot, Slot, ...Slot[]];
  const e = convExtents(specs[step.output]!.shape, specs[weight]!.shape, attrs);
  if (!isWorthwhile(e, attrs, least)) return false;
  const [top, left] = attrs.padding;
  const grid = gridOf(e.batch, [e.height, e.width], [2 - top, 2 - left]);
  addConvolution(place, filters(weight, true), ct, grid, operands, attrs.epilogue);
  return true;
};

const addConvolution = (
  { step: { output }, specs, add }: Place,
  filters: Slot,
  source: Slot,
  grid: TileGrid,
  operands: readonly Slot[],
  epilogue: Epilogue | undefined,
): void => {
  const tiles = add(pixelTilesOp, { grid }, [source]);
  const products = add(matmulOp as unknown as Primitive, plainProduct, [filters, tiles]);
  const { shape } = specs[output]!;
  const attrs: ResultAttrs = { grid, shape, ...(epilogue === undefined ? {} : { epilogue }) };
  add(resultOp, attrs, [products, ...operands], output);
};

/** Fewest terms of a sum of products: rounding errors of transformed values find no average in fewer. */
const fewestTerms = 16;

const replaceFilterGrad: Replace = ({ step, specs, least, add }) => {
  const attrs = step.attrs as FilterGradAttrs;
  const [image, ct] = step.inputs as readonly [Slot, Slot];
  const { shape } = specs[step.output]!;
  const e = convExtents(specs[image]!.shape, shape, attrs);
  if (!isWorthwhile(e, attrs, least) || e.batch * e.outHeight * e.outWidth < fewestTerms) return false;
  const grid = gridOf(e.batch, [e.outHeight, e.outWidth], attrs.padding);
  const gradients = add(gradientTilesOp, { grid: { ...grid, padTop: 0, padLeft: 0 } }, [ct]);
  const tiles = add(pixelTilesOp, { grid }, [image]);
  const product: MatmulAttrs = { transposeA: false, transposeB: true };
  const sums = add(matmulOp as unknown as Primitive, product, [gradients, tiles]);
  add(filterGradientOp, { shape }, [sums], step.output);
  return true;
};

const replacements: Readonly<Record<string, Replace>> = {
  conv2d: replaceForward,
  conv2dInputGrad: replaceInputGrad,
  conv2dFilterGrad: replaceFilterGrad,
};

/** Tiles that hold pixels: those before the columns that fill up. */
export const tilesOf = ({ batch, down, across }: TileGrid): number => batch * sizeOf([down, across]);
