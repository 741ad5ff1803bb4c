// Which objects a shapes image has and where: drawn from a stream of its own, so that boxes are known without painting.
import { type RandomStream, randomStream } from '../random.ts';
import type { Box } from '../types.ts';
import { type Coverage, coverageOf, largestTurn, type Placement, shapeClasses } from './outlines.ts';

/** Side of every image, in pixels. */
export const shapesImageSize = 128;

/** Number of the random stream that places objects; painting uses another, so neither disturbs the other. */
const layoutStream = 1;

/** One object, in painting order: later ones hide earlier ones. */
export interface PlacedShape {
  readonly placement: Placement;
  readonly coverage: Coverage;
}

/** The objects of one image. */
export interface ShapesLayout {
  readonly shapes: readonly PlacedShape[];
  /** Tight boxes of the visible pixels, by object. */
  readonly boxes: readonly Box[];
}

/** Which object is seen at each pixel (number + 1, 0 for none), and how many pixels each object had and still has. */
interface Visibility {
  readonly owners: Uint8Array;
  readonly full: number[];
  readonly visible: number[];
}

/**
 * The objects of image `index` of the stream of images that `seed` names.
 *
 * Units    pixels of an image of `shapesImageSize`
 * Example  layoutOf(0, 17).boxes
 */
export const layoutOf = (seed: number, index: number): ShapesLayout => {
  const random = randomStream(seed, index, layoutStream);
  const shapes: PlacedShape[] = [];
  const visibility: Visibility = { owners: new Uint8Array(shapesImageSize ** 2), full: [], visible: [] };
  const wanted = 1 + random.integer(6);
  for (let object = 0; object < wanted; object++) {
    for (let attempt = 0; attempt < 20; attempt++) {
      const placement = drawPlacement(random);
      const coverage = coverageOf(placement);
      if (!claimPixels(coverage, visibility)) continue;
      shapes.push({ placement, coverage });
      break;
    }
  }
  return { shapes, boxes: shapes.map((_, i) => visibleBox(visibility.owners, i + 1)) };
};

const drawPlacement = (random: RandomStream): Placement => {
  const label = random.integer(shapeClasses.length);
  const size = Math.exp(random.uniform(Math.log(14), Math.log(84)));
  const stretch = Math.exp(random.uniform(-0.22, 0.22) / 2);
  const turn = (largestTurn[label]! * Math.PI) / 180;
  const rotation = random.uniform(-turn, turn);
  const hole = random.uniform(0.5, 0.68);
  const margin = 0.4 * size;
  const x = random.uniform(margin, shapesImageSize - margin);
  const y = random.uniform(margin, shapesImageSize - margin);
  return {
    label,
    x,
    y,
    size,
    halfWidth: (size / 2) * stretch,
    halfHeight: size / 2 / stretch,
    rotation,
    hole,
  };
};

/** Whether a pixel counts as part of the object: at least half of it is covered. */
const isMask = (count: number): boolean => count >= 5;

/** Gives the new object its pixels, or returns false and changes nothing when it may not be where it is. */
const claimPixels = (coverage: Coverage, { owners, full, visible }: Visibility): boolean => {
  const hidden = full.map(() => 0);
  const pixels: number[] = [];
  let all = 0;
  forEachPixel(coverage, (count, pixel) => {
    if (!isMask(count)) return;
    all += 1;
    if (pixel < 0) return;
    pixels.push(pixel);
    const owner = owners[pixel]!;
    if (owner > 0) hidden[owner - 1]! += 1;
  });
  if (pixels.length < 20 || pixels.length < 0.7 * all) return false;
  if (hidden.some((count, i) => visible[i]! - count < 0.6 * full[i]!)) return false;
  for (const [i, count] of hidden.entries()) visible[i]! -= count;
  for (const pixel of pixels) owners[pixel] = full.length + 1;
  full.push(pixels.length);
  visible.push(pixels.length);
  return true;
};

/**
 * Calls `visit` with every covered pixel of a coverage: its count, and its index in the image or -1 outside.
 */
export const forEachPixel = (coverage: Coverage, visit: (count: number, pixel: number) => void): void => {
  const { left, top, width, height, counts } = coverage;
  for (let row = 0; row < height; row++) {
    const y = top + row;
    const isRowInside = y >= 0 && y < shapesImageSize;
    for (let column = 0; column < width; column++) {
      const count = counts[row * width + column]!;
      if (count === 0) continue;
      const x = left + column;
      visit(count, isRowInside && x >= 0 && x < shapesImageSize ? y * shapesImageSize + x : -1);
    }
  }
};

const visibleBox = (owners: Uint8Array, owner: number): Box => {
  let [left, top, right, bottom] = [shapesImageSize, shapesImageSize, 0, 0];
  for (let pixel = owners.indexOf(owner); pixel >= 0; pixel = owners.indexOf(owner, pixel + 1)) {
    const x = pixel % shapesImageSize;
    const y = (pixel - x) / shapesImageSize;
    left = Math.min(left, x);
    right = Math.max(right, x + 1);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y + 1);
  }
  return [left, top, right, bottom];
};
