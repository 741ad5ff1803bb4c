// How a shapes image looks: texture, distracting strokes, the objects of a layout, noise.
import { type RandomStream, randomStream } from '../random.ts';
import { forEachPixel, type PlacedShape, type ShapesLayout, shapesImageSize } from './layout.ts';

const size = shapesImageSize;
const paintStream = 2;

/**
 * The image of a layout as RGB bytes of shape [size, size, 3].
 *
 * Example  paintLayout(layoutOf(0, 17), 0, 17)
 */
export const paintLayout = (layout: ShapesLayout, seed: number, index: number): Uint8Array => {
  const random = randomStream(seed, index, paintStream);
  const canvas = new Float32Array(size * size * 3);
  fillBase(canvas, random);
  addTexture(canvas, random, 3, random.uniform(5, 40));
  addTexture(canvas, random, 12, random.uniform(0, 25));
  const strokes = random.integer(4);
  for (let i = 0; i < strokes; i++) paintStroke(canvas, random);
  for (const shape of layout.shapes) paintShape(canvas, random, shape);
  return withNoise(canvas, random);
};

type Colour = readonly [red: number, green: number, blue: number];

const drawColour = (random: RandomStream): Colour => [
  random.uniform(0, 255),
  random.uniform(0, 255),
  random.uniform(0, 255),
];

const fillBase = (canvas: Float32Array, random: RandomStream): void => {
  const base = [random.uniform(50, 205), random.uniform(50, 205), random.uniform(50, 205)];
  for (let i = 0; i < canvas.length; i++) canvas[i] = base[i % 3]!;
};

/** Adds bilinear value noise with the given number of lattice cells per side, independent in each channel. */
const addTexture = (canvas: Float32Array, random: RandomStream, cells: number, amplitude: number): void => {
  const side = cells + 1;
  const lattice = Float64Array.from({ length: side * side * 3 }, () => random.uniform(-amplitude, amplitude));
  const line = new Float64Array(side * 3);
  for (let y = 0; y < size; y++) {
    const cellY = Math.floor((y / size) * cells);
    const partY = (y / size) * cells - cellY;
    for (let i = 0; i < line.length; i++) {
      const above = lattice[cellY * side * 3 + i]!;
      line[i] = above + partY * (lattice[(cellY + 1) * side * 3 + i]! - above);
    }
    for (let x = 0; x < size; x++) {
      const cellX = Math.floor((x / size) * cells);
      const partX = (x / size) * cells - cellX;
      for (let c = 0; c < 3; c++) {
        const before = line[cellX * 3 + c]!;
        canvas[(y * size + x) * 3 + c]! += before + partX * (line[cellX * 3 + 3 + c]! - before);
      }
    }
  }
};

/** A straight line segment with soft sides: something to see that is no object. */
const paintStroke = (canvas: Float32Array, random: RandomStream): void => {
  const colour = drawColour(random);
  const halfWidth = random.uniform(0.7, 2);
  const halfLength = random.uniform(10, 50) / 2;
  const angle = random.uniform(0, Math.PI);
  const centreX = random.uniform(0, size);
  const centreY = random.uniform(0, size);
  const cos = Math.cos(angle);
  const sin = Math.sin(angle);
  const reach = halfLength + halfWidth + 1;
  for (let y = firstPixel(centreY - reach); y < endPixel(centreY + reach); y++) {
    for (let x = firstPixel(centreX - reach); x < endPixel(centreX + reach); x++) {
      const dx = x + 0.5 - centreX;
      const dy = y + 0.5 - centreY;
      if (Math.abs(cos * dx + sin * dy) > halfLength) continue;
      const alpha = Math.min(halfWidth - Math.abs(cos * dy - sin * dx) + 0.5, 1);
      if (alpha > 0) blend(canvas, y * size + x, alpha, colour, 0);
    }
  }
};

const firstPixel = (position: number): number => Math.max(0, Math.floor(position));
const endPixel = (position: number): number => Math.min(size, Math.ceil(position));

const blend = (
  canvas: Float32Array,
  pixel: number,
  alpha: number,
  [red, green, blue]: Colour,
  shade: number,
): void => {
  const at = pixel * 3;
  canvas[at] = canvas[at]! * (1 - alpha) + alpha * (red + shade);
  canvas[at + 1] = canvas[at + 1]! * (1 - alpha) + alpha * (green + shade);
  canvas[at + 2] = canvas[at + 2]! * (1 - alpha) + alpha * (blue + shade);
};

/** Paints an object in a colour that stands out from what is under it, a little lighter towards one side. */
const paintShape = (
  canvas: Float32Array,
  random: RandomStream,
  { placement, coverage }: PlacedShape,
): void => {
  const colour = contrastingColour(meanUnder(canvas, coverage), random);
  const strength = random.uniform(0, 30) / (placement.size / 2);
  const direction = random.uniform(0, 2 * Math.PI);
  const slopeX = strength * Math.cos(direction);
  const slopeY = strength * Math.sin(direction);
  forEachPixel(coverage, (count, pixel) => {
    if (pixel < 0) return;
    const x = pixel % size;
    const y = (pixel - x) / size;
    const shade = slopeX * (x + 0.5 - placement.x) + slopeY * (y + 0.5 - placement.y);
    blend(canvas, pixel, count / 9, colour, shade);
  });
};

const meanUnder = (canvas: Float32Array, coverage: PlacedShape['coverage']): Colour => {
  let [red, green, blue, pixels] = [0, 0, 0, 0];
  forEachPixel(coverage, (count, pixel) => {
    if (pixel < 0 || count < 5) return;
    red += canvas[pixel * 3]!;
    green += canvas[pixel * 3 + 1]!;
    blue += canvas[pixel * 3 + 2]!;
    pixels += 1;
  });
  return [red / pixels, green / pixels, blue / pixels];
};

const contrastingColour = (background: Colour, random: RandomStream): Colour => {
  let colour = drawColour(random);
  for (let draw = 1; draw < 50 && distance(colour, background) < 75; draw++) colour = drawColour(random);
  return colour;
};

const distance = (a: Colour, b: Colour): number =>
  Math.sqrt((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 + (a[2] - b[2]) ** 2);

/** The canvas with Gaussian noise, rounded to bytes. */
const withNoise = (canvas: Float32Array, random: RandomStream): Uint8Array => {
  const deviation = random.uniform(2, 14);
  // Byte conversion of this kind rounds and clamps.
  const bytes = new Uint8ClampedArray(canvas.length);
  for (let i = 0; i < canvas.length; i += 2) {
    const bits = random.bits();
    bytes[i] = canvas[i]! + deviation * normalQuantiles[bits & 4095]!;
    bytes[i + 1] = canvas[i + 1]! + deviation * normalQuantiles[(bits >>> 12) & 4095]!;
  }
  return new Uint8Array(bytes.buffer);
};

/**
 * The normal distribution as 4096 equally likely values: a look-up is ten times faster than a logarithm and a cosine
 * for each of the 49,152 numbers of an image.
 */
const quantiles = (): Float64Array => {
  const values = new Float64Array(4096);
  let position = -8;
  for (let i = 0; i < values.length; i++) {
    // Newton's method on the distribution function, from the previous quantile on.
    const target = (i + 0.5) / values.length;
    if (i === 0) position = -3.6;
    for (let step = 0; step < 6; step++)
      position -= (normalDistribution(position) - target) / normalDensity(position);
    values[i] = position;
  }
  return values;
};

const normalDensity = (x: number): number => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);

/** Phi(x) by its series 1/2 + density(x) * (x + x^3/3 + x^5/(3*5) + ...), exact enough for |x| < 5. */
const normalDistribution = (x: number): number => {
  let term = x;
  let sum = x;
  for (let odd = 3; Math.abs(term) > 1e-16 * Math.abs(sum); odd += 2) {
    term *= (x * x) / odd;
    sum += term;
  }
  return 0.5 + normalDensity(x) * sum;
};

const normalQuantiles: Float64Array = /* @__PURE__ */ quantiles();
