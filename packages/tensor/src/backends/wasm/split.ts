// How the work of a step is divided between threads: into parts that compute outputs of their own.
//
// A sum is never divided, and borders lie where the kernels' own tiles end, so the parts give the bits of the whole.
import type { LoopAttrs } from '../../graph/loop.ts';
import type { WindowAttrs } from '../../ops/conv.ts';
import type { MatmulAttrs } from '../../ops/matmul.ts';
import { matmulExtents } from '../../ops/matmul.ts';
import type { Attrs, Primitive } from '../../primitive.ts';
import { sizeOf } from '../../shape.ts';
import type { Spec } from '../../tensor.ts';
import type { PanelAttrs } from './convolutionSteps.ts';
import { forwardGeometry, geometryOf, inputGradGeometry, optionsOf } from './convolutionSteps.ts';
import { panelChannels } from './kernels/filterPanels.ts';
import type { AxisPass, Conv2dGeometry } from './kernels/geometry.ts';
import {
  axesOf,
  dividedAxis,
  forwardPass,
  imagesTogether,
  inputGradPasses,
  simplified,
} from './kernels/geometry.ts';
import type { KernelOptions, Range } from './kernels/kernel.ts';
import { panelRows, tileColumns } from './kernels/microKernel.ts';
import { areGroupsThin, isInputGradThin } from './kernels/thinGroups.ts';
import { isWinogradFaster } from './kernels/winograd/choice.ts';
import { maximumTiles } from './kernels/winograd/convolution.ts';
import { moveSplitters } from './splitMoves.ts';

/** What one kernel of a divided step computes: a smaller step, or a range of the whole one's output. */
export interface StepPart {
  readonly inputs: readonly Spec[];
  readonly output: Spec;
  readonly attrs: Attrs;
  readonly range?: Pick<KernelOptions, 'part' | 'channels'>;
  /** Bytes from the beginning of every input, and of the output, to where the part's begins. */
  readonly offsets: readonly number[];
}

/** A step before it is divided. */
export interface WholeStep {
  readonly op: Primitive;
  readonly inputs: readonly Spec[];
  readonly output: Spec;
  readonly attrs: Attrs;
}

/** The least work that is worth waking a thread. */
export interface LeastWork {
  /** Multiplications of a convolution or matrix product. */
  readonly products: number;
  /** Elements that a loop walks over. */
  readonly elements: number;
}

/** What one thread does in about 30 microseconds. */
export const defaultLeastWork: LeastWork = { products: 4e5, elements: 2.5e4 };

/** How many threads there are, and what they are good for. */
export interface Division {
  readonly threads: number;
  readonly least: LeastWork;
}

/** The parts of a step; undefined where it is too small or has no border to be cut at. */
export const splitStep = (step: WholeStep, division: Division): readonly StepPart[] | undefined => {
  if (division.threads === 1) return undefined;
  const parts = splitters[step.op.name]?.(step, division);
  return parts === undefined || parts.length < 2 ? undefined : parts;
};

type Splitter = (step: WholeStep, division: Division) => readonly StepPart[] | undefined;

/** Ranges that cover `total`, as equal as can be: at most `count`, borders at multiples of `unit`, the last not below `least`. */
const rangesOf = (total: number, count: number, unit = 1, least = 1): readonly Range[] => {
  const units = Math.ceil(total / unit);
  const parts = Math.max(1, Math.min(count, units));
  const starts = Array.from({ length: parts }, (_, i) => Math.ceil((i * units) / parts) * unit);
  if (starts.length > 1 && total - starts.at(-1)! < least) starts.pop();
  return starts.map((from, i) => ({ from, to: starts[i + 1] ?? total }));
};

/** Most parts of a step for each thread, and of all. */
const mostPartsPerThread = 8;
const mostParts = 128;

/** More parts than threads, so that one that is held up elsewhere leaves its share to the others: as many as are worth waking a thread for. */
const partsFor = ({ threads, least }: Division, kind: keyof LeastWork, work: number): number =>
  Math.max(2 * threads, Math.min(mostPartsPerThread * threads, mostParts, Math.floor(work / least[kind])));

const bytesBetween = (from: number, spec: Spec): number => 4 * from * sizeOf(spec.shape.slice(1));

const withBatch = (spec: Spec, { from, to }: Range): Spec => ({
  ...spec,
  shape: [to - from, ...spec.shape.slice(1)],
});

/** Parts of whole images, which the named inputs have as their outermost dimension. */
const splitImages = (
  { inputs, output, attrs }: WholeStep,
  perImage: ReadonlySet<number>,
  ranges: readonly Range[],
): readonly StepPart[] =>
  ranges.map((range) => ({
    inputs: inputs.map((spec, at) => (perImage.has(at) ? withBatch(spec, range) : spec)),
    output: withBatch(output, range),
    attrs,
    offsets: [
      ...inputs.map((spec, at) => (perImage.has(at) ? bytesBetween(range.from, spec) : 0)),
      bytesBetween(range.from, output),
    ],
  }));

/** The inputs of a convolution that hold something of every image. */
const imageInputs = ({ attrs }: WholeStep): ReadonlySet<number> => {
  const reads = optionsOf(attrs).epilogue?.reads ?? [];
  return new Set([0, ...reads.flatMap((read) => (read.kind === 'alike' ? [2 + read.operand] : []))]);
};

/** Parts that compute ranges of the whole step's output: of what its kernel calls a part, of result channels, or of both. */
const splitRanges = (
  { inputs, output, attrs }: WholeStep,
  ranges: readonly Pick<KernelOptions, 'part' | 'channels'>[],
): readonly StepPart[] => {
  const offsets = [...inputs, output].map(() => 0);
  return ranges.map((range) => ({ inputs, output, attrs, range, offsets }));
};

/** The same for ranges of parts alone. */
const splitParts = (step: WholeStep, ranges: readonly Range[]): readonly StepPart[] =>
  splitRanges(
    step,
    ranges.map((part) => ({ part })),
  );

/** Parts of result channels. Each packs the images for itself, so there are no more than threads. */
const splitChannels = (step: WholeStep, threads: number): readonly StepPart[] =>
  splitRanges(
    step,
    rangesOf(step.output.shape[1]!, threads, panelRows).map((channels) => ({ channels })),
  );

/** Halves of the result channels. */
const halvesOf = ({ output }: WholeStep): readonly Range[] => rangesOf(output.shape[1]!, 2, panelRows);

/** Every part of every range of channels. */
const crossed = (
  step: WholeStep,
  ofChannels: readonly Range[],
  ofParts: readonly Range[],
): readonly StepPart[] =>
  ofChannels.flatMap((channels) =>
    splitRanges(
      step,
      ofParts.map((part) => ({ part, channels })),
    ),
  );

const productsOf = (geometry: Conv2dGeometry): number => {
  const { batch, channels, outChannels, groups, kernelHeight, kernelWidth, outHeight, outWidth } = geometry;
  return batch * outChannels * outHeight * outWidth * (channels / groups) * kernelHeight * kernelWidth;
};

/** Where positions may be cut: pixels of a pass are tiled from its first one on. */
const unitOf = (pass: { readonly rows: AxisPass; readonly columns: AxisPass }): number => {
  const perPosition = dividedAxis(pass) === 'rows' ? pass.columns.count : 1;
  let unit = 1;
  while ((unit * perPosition) % tileColumns !== 0) unit *= 2;
  return unit;
};

/** Fewest of Winograd's tiles of a part: below, too many of the last panel's are empty. */
const leastTiles = 64;

/** Images or rows of tiles where there are enough of them, with halves of the channels or alone; else channels. No tile shares a sum with another, so any cut gives the same bits. */
const splitWinograd = (step: WholeStep, threads: number, parts: number): readonly StepPart[] => {
  const [batch, , height, width] = step.output.shape as readonly [number, number, number, number];
  const { tileSize = 2 } = optionsOf(step.attrs);
  const rows = Math.ceil(height / tileSize);
  const columns = Math.ceil(width / tileSize);
  const tiles = rows * columns;
  const together = Math.max(1, Math.min(batch, Math.floor(maximumTiles / tiles)));
  const images = rangesOf(batch, parts, together);
  if (images.length >= threads) return splitImages(step, imageInputs(step), images);
  const mostOfRows = Math.floor(rows / Math.ceil(leastTiles / columns));
  const ofRows = rangesOf(rows, Math.min(parts, mostOfRows));
  if (ofRows.length >= 2 * threads) return splitParts(step, ofRows);
  if (batch === 1 && ofRows.length >= threads) return crossed(step, halvesOf(step), ofRows);
  if (batch === 1) return splitChannels(step, threads);
  // few small images: every thread takes some together, fewer than one thread would
  return splitImages(step, imageInputs(step), rangesOf(batch, threads));
};

/** Fewest positions of a part: where there are fewer for as many parts, the halves of the channels are divided too. */
const leastPositions = 128;

/** Images where there are enough of them, else positions of the passes' first dimension, and channels where those are few. */
const splitGathered = (
  step: WholeStep,
  division: Division,
  geometry: Conv2dGeometry,
  passes: readonly { readonly rows: AxisPass; readonly columns: AxisPass }[],
): readonly StepPart[] | undefined => {
  const [, , height, width] = step.output.shape as readonly [number, number, number, number];
  const { batch } = geometry;
  const { threads } = division;
  const products = productsOf(geometry);
  if (products < division.least.products) return undefined;
  const parts = partsFor(division, 'products', products);
  if (optionsOf(step.attrs).panels === 'winograd') return splitWinograd(step, threads, parts);
  const together = imagesTogether(batch, height * width);
  const images = rangesOf(batch, parts, together);
  if (images.length >= threads) return splitImages(step, imageInputs(step), images);
  const axes = new Set(passes.map(dividedAxis));
  const isSeen = passes.every(({ rows, columns }) => rows.taps * columns.taps > 0);
  // of images taken together each must begin with a tile of its own, or parts would shift the tiles of the later ones
  const isAligned =
    together === 1 || passes.every(({ rows, columns }) => (rows.count * columns.count) % tileColumns === 0);
  const mostOfPositions = Math.floor((batch * height * width) / leastPositions);
  const areFew = mostOfPositions < parts;
  const isHalved = areFew && geometry.groups === 1;
  const ofPositions = Math.min(parts / (isHalved ? 2 : 1), mostOfPositions);
  const canDivide = axes.size === 1 && isSeen && isAligned && (isHalved || !areFew);
  if (!canDivide || ofPositions < threads)
    return geometry.groups === 1
      ? splitChannels(step, threads)
      : splitImages(step, imageInputs(step), images);
  const [axis] = axes;
  const positions = Math.max(...passes.map((pass) => pass[axis!].count));
  const unit = Math.max(...passes.map(unitOf));
  const ranges = rangesOf(positions, ofPositions, unit);
  return isHalved ? crossed(step, halvesOf(step), ranges) : splitParts(step, ranges);
};

/** Groups of all images, which share nothing. */
const splitThin = (step: WholeStep, division: Division, geometry: Conv2dGeometry) => {
  const products = productsOf(geometry);
  if (products < division.least.products) return undefined;
  const parts = partsFor(division, 'products', products);
  return splitParts(step, rangesOf(geometry.batch * geometry.groups, parts));
};

const splitConv2d: Splitter = (step, division) => {
  const geometry = simplified(forwardGeometry(step.inputs, step.attrs));
  if (areGroupsThin(geometry)) return splitThin(step, division, geometry);
  const { rows, columns } = axesOf(geometry);
  return splitGathered(step, division, geometry, [
    { rows: forwardPass(rows), columns: forwardPass(columns) },
  ]);
};

const splitInputGrad: Splitter = (step, division) => {
  const geometry = simplified(inputGradGeometry(step.inputs, step.attrs));
  if (isInputGradThin(geometry)) return splitThin(step, division, geometry);
  const axes = axesOf(geometry);
  const columnPasses = inputGradPasses(axes.columns);
  const passes = inputGradPasses(axes.rows).flatMap((rows) =>
    columnPasses.map((columns) => ({ rows, columns })),
  );
  return splitGathered(step, division, geometry, passes);
};

/** The pixels of all images are summed, so it is the filters that are divided: each part takes some of them, or of their taps. */
const splitFilterGrad: Splitter = (step, division) => {
  const { threads } = division;
  const geometry = geometryOf(step.inputs[0]!.shape, step.output.shape, step.attrs as WindowAttrs);
  const products = productsOf(geometry);
  if (products < division.least.products) return undefined;
  // every part pads and transforms the images for itself, so there are no more than threads
  if (isWinogradFaster(geometry, 'output'))
    return splitParts(step, rangesOf(geometry.outChannels, threads, panelRows));
  if (areGroupsThin(geometry))
    return splitParts(step, rangesOf(geometry.groups, partsFor(division, 'products', products)));
  const taps = sizeOf(step.output.shape.slice(1));
  return splitParts(step, rangesOf(taps, threads, tileColumns));
};

const splitPanels: Splitter = (step, division) => {
  const elements = sizeOf(step.output.shape);
  if (elements < division.least.elements) return undefined;
  const { form } = step.attrs as PanelAttrs;
  const parts = partsFor(division, 'elements', elements);
  return splitParts(step, rangesOf(panelChannels(form), parts, panelRows));
};

const splitMatmul: Splitter = (step, division) => {
  const attrs = step.attrs as MatmulAttrs;
  const [a, b] = step.inputs as readonly [Spec, Spec];
  const { batch, m, n, k } = matmulExtents(a.shape, b.shape, attrs);
  const products = batch * m * n * k;
  if (products < division.least.products) return undefined;
  const parts = partsFor(division, 'products', products);
  const flat = (spec: Spec): Spec => ({ ...spec, shape: [batch, ...spec.shape.slice(-2)] });
  if (batch > 1)
    return splitImages(
      { ...step, inputs: [flat(a), flat(b)], output: flat(step.output) },
      new Set([0, 1]),
      rangesOf(batch, parts),
    );
  // products of few rows go another way, with other bits
  if (attrs.transposeA || m <= 4 * panelRows) return undefined;
  return rangesOf(m, parts, 2 * panelRows, panelRows + 1).map(({ from, to }) => ({
    inputs: [{ ...a, shape: [to - from, k] }, flat(b)],
    output: { ...step.output, shape: [to - from, n] },
    attrs,
    offsets: [4 * from * k, 0, 4 * from * n],
  }));
};

/** The outermost kept dimension is divided; a single one where vectors end. */
const splitLoop: Splitter = ({ inputs, output, attrs }, division) => {
  const { loop, spec } = attrs as LoopAttrs;
  const kept = loop.extents.length - (loop.reduction?.rank ?? 0);
  const elements = sizeOf(loop.extents);
  if (kept === 0 || elements < division.least.elements) return undefined;
  const parts = partsFor(division, 'elements', elements);
  const [outermost, ...inner] = loop.extents as readonly [number, ...number[]];
  const outputStride = sizeOf(inner.slice(0, kept - 1));
  const isVector = kept === 1;
  return rangesOf(outermost, parts, isVector ? 16 : 1, isVector ? 4 : 1).map(({ from, to }) => {
    const part = { ...loop, extents: [to - from, ...inner] };
    const partAttrs: LoopAttrs = { spec, loop: part };
    return {
      inputs,
      output,
      attrs: partAttrs,
      offsets: [...loop.strides.map((strides) => 4 * from * strides[0]!), 4 * from * outputStride],
    };
  });
};

/** Planes of channels, whichever image they belong to. */
const splitPool: Splitter = (step, division) => {
  const elements = sizeOf(step.inputs[0]!.shape);
  if (elements < division.least.elements) return undefined;
  const planes = (spec: Spec): Spec => {
    const [images, channels, ...rest] = spec.shape as readonly [number, number, ...number[]];
    return { ...spec, shape: [images * channels, 1, ...rest] };
  };
  const flat = { ...step, inputs: step.inputs.map(planes), output: planes(step.output) };
  return splitImages(
    flat,
    new Set([0]),
    rangesOf(flat.output.shape[0]!, partsFor(division, 'elements', elements)),
  );
};

/** Channels, which share their points but no sums; each part makes the tables for itself, so there are no more than threads. */
const splitSample: Splitter = (step, { threads, least }) => {
  const channels = step.inputs[0]!.shape[1]!;
  return largestOf(step) < least.elements ? undefined : splitParts(step, rangesOf(channels, threads));
};

/** Rows of points: the sums over channels stay whole. */
const splitPointGrad: Splitter = (step, division) => {
  const rows = sizeOf(step.output.shape.slice(0, 3));
  const elements = largestOf(step);
  return elements < division.least.elements
    ? undefined
    : splitParts(step, rangesOf(rows, partsFor(division, 'elements', elements)));
};

/** The elements of the largest tensor of a step. */
const largestOf = ({ inputs, output }: WholeStep): number =>
  Math.max(...[...inputs, output].map(({ shape }) => sizeOf(shape)));

const splitters: Readonly<Record<string, Splitter>> = {
  filterPanels: splitPanels,
  conv2d: splitConv2d,
  conv2dInputGrad: splitInputGrad,
  conv2dFilterGrad: splitFilterGrad,
  matmul: splitMatmul,
  loop: splitLoop,
  poolArgMax2d: splitPool,
  sampleBilinear: splitSample,
  sampleBilinearInputGrad: splitSample,
  sampleBilinearPointGrad: splitPointGrad,
  ...moveSplitters,
};
