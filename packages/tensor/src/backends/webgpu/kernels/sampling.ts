// Kernels of bilinear sampling and its two adjoints.
import type { SampleAttrs, SampleExtents, SampleInputGradAttrs } from '../../../ops/sampling.ts';
import { componentOrders, sampleExtents } from '../../../ops/sampling.ts';
import { sizeOf } from '../../../shape.ts';
import type { Spec } from '../../../tensor.ts';
import type { GpuKernel, KernelContext } from '../kernel.ts';
import { perElement, stepBindings } from '../kernel.ts';

/**
 * Statements that name the point at `first` of the array of points: whether it `isNear` enough to read anything, the pixel `row`,
 * `column` before it, and how far behind that it lies.
 */
const namePoint = (
  points: string,
  first: string,
  { places, height, width }: SampleExtents,
): readonly string[] => [
  `let givenY = ${points}[${first}];`,
  `let givenX = ${points}[${first} + ${places}];`,
  `let isNear = givenY > -1.0 && givenY < ${height}.0 && givenX > -1.0 && givenX < ${width}.0;`,
  'let y = select(0.0, givenY, isNear);',
  'let x = select(0.0, givenX, isNear);',
  'let row = i32(floor(y));',
  'let column = i32(floor(x));',
  'let fy = y - floor(y);',
  'let fx = x - floor(x);',
];

/** The weight of the pixel a step `step` (0 or 1) behind the first along one axis. */
const axisWeight = (order: number, step: string, fraction: string): string => {
  if (order === 0) return `abs(f32(1 - ${step}) - ${fraction})`;
  return order === 1 ? `f32(2 * ${step} - 1)` : '0.0';
};

/** Statements that run for each `pixel` around a point in the image's rows from `top` up to `bottom`: `i` rows and `j` columns behind the first. */
const eachPixel = (
  { width }: SampleExtents,
  [top, bottom]: readonly [string, string],
  use: readonly string[],
): readonly string[] => [
  `for (var i = max(0, ${top} - row); i < min(2, ${bottom} - row); i++) {`,
  `  for (var j = max(0, -column); j < min(2, ${width} - column); j++) {`,
  `    let pixel = (row + i) * ${width} + column + j;`,
  ...use.map((line) => `    ${line}`),
  '  }',
  '}',
];

const indented = (lines: readonly string[]): readonly string[] => lines.map((line) => `  ${line}`);

const weightOf = ([alongY, alongX]: SampleAttrs['order']): string =>
  `${axisWeight(alongY, 'i', 'fy')} * ${axisWeight(alongX, 'j', 'fx')}`;

/** The kernel of `sampleBilinear`: a thread per element of the result. */
export const emitSample = (
  [image, points]: readonly Spec[],
  output: Spec,
  { order }: SampleAttrs,
  context: KernelContext,
): GpuKernel => {
  const e = sampleExtents(image!.shape, points!.shape);
  const { bindings, nameOf } = stepBindings(['f32', 'f32', 'f32'], 'f32', context);
  const body = [
    `let place = index % ${e.places};`,
    `let plane = index / ${e.places * e.taps};`,
    `let tap = plane / ${e.channels / e.groups} * ${e.taps} + index / ${e.places} % ${e.taps};`,
    ...namePoint(nameOf(1), `2 * tap * ${e.places} + place`, e),
    'var total = 0.0;',
    'if (isNear) {',
    ...indented(
      eachPixel(
        e,
        ['0', String(e.height)],
        [`total += ${weightOf(order)} * ${nameOf(0)}[plane * ${e.height * e.width} + pixel];`],
      ),
    ),
    '}',
    `result[index] = ${nameOf(2)}[tap * ${e.places} + place] * total;`,
  ];
  return perElement(sizeOf(output.shape), { bindings, body }, context);
};

/** Threads that keep a device busy. */
const manyThreads = 2 ** 14;

/**
 * The kernel of `sampleBilinearInputGrad`: a thread per band of rows of a plane adds up what the points read there, in their order, so
 * that equal runs give equal bits. Every thread looks at all points: there are no more bands than keep the device busy.
 */
export const emitSampleInputGrad = (
  [, points]: readonly Spec[],
  output: Spec,
  { order }: SampleInputGradAttrs,
  context: KernelContext,
): GpuKernel => {
  const e = sampleExtents(output.shape, points!.shape);
  const planes = e.batch * e.channels;
  if (sizeOf(output.shape) === 0) return { dispatches: [] };
  const bandRows = Math.ceil(e.height / Math.min(e.height, Math.ceil(manyThreads / planes)));
  const bands = Math.ceil(e.height / bandRows);
  const { bindings, nameOf } = stepBindings(['f32', 'f32', 'f32'], 'f32', context);
  const addPoint = [
    `let tap = plane / ${e.channels / e.groups} * ${e.taps} + k;`,
    ...namePoint(nameOf(1), `2 * tap * ${e.places} + place`, e),
    'if (isNear && row < bottom && row + 1 >= top) {',
    `  let amount = ${nameOf(2)}[tap * ${e.places} + place] * ${nameOf(0)}[(plane * ${e.taps} + k) * ${e.places} + place];`,
    ...indented(eachPixel(e, ['top', 'bottom'], [`result[first + pixel] += ${weightOf(order)} * amount;`])),
    '}',
  ];
  const body = [
    `let plane = index / ${bands};`,
    `let top = index % ${bands} * ${bandRows};`,
    `let bottom = min(top + ${bandRows}, ${e.height});`,
    `let first = plane * ${e.height * e.width};`,
    `for (var pixel = top * ${e.width}; pixel < bottom * ${e.width}; pixel++) { result[first + pixel] = 0.0; }`,
    `for (var k = 0; k < ${e.taps}; k++) {`,
    `  for (var place = 0; place < ${e.places}; place++) {`,
    ...indented(indented(addPoint)),
    '  }',
    '}',
  ];
  return perElement(planes * bands, { bindings, body }, context);
};

/** The kernel of `sampleBilinearPointGrad`: a thread per point adds up what its pixels give over the channels, then weighs them. */
export const emitSamplePointGrad = (
  [image, , points]: readonly Spec[],
  _output: Spec,
  { order }: SampleAttrs,
  context: KernelContext,
): GpuKernel => {
  const e = sampleExtents(image!.shape, points!.shape);
  const inGroup = e.channels / e.groups;
  const { bindings, nameOf } = stepBindings(['f32', 'f32', 'f32'], 'f32', context);
  const orders = componentOrders(order);
  const addPixel = [
    'var sum = 0.0;',
    `for (var channel = 0; channel < ${inGroup}; channel++) {`,
    `  let plane = tap / ${e.taps} * ${inGroup} + channel;`,
    `  sum += ${nameOf(1)}[(plane * ${e.taps} + tap % ${e.taps}) * ${e.places} + place] * ${nameOf(0)}[plane * ${e.height * e.width} + pixel];`,
    '}',
    ...orders.map((component, at) => `total${at} += ${weightOf(component)} * sum;`),
  ];
  const body = [
    `let place = index % ${e.places};`,
    `let tap = index / ${e.places};`,
    ...namePoint(nameOf(2), `2 * tap * ${e.places} + place`, e),
    ...orders.map((_, at) => `var total${at} = 0.0;`),
    'if (isNear) {',
    ...indented(eachPixel(e, ['0', String(e.height)], addPixel)),
    '}',
    ...orders.map((_, at) => `result[(3 * tap + ${at}) * ${e.places} + place] = total${at};`),
  ];
  return perElement(e.batch * e.groups * e.taps * e.places, { bindings, body }, context);
};
