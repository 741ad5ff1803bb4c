// One image of the shapes dataset, a pure function of a seed and an index.
import type { Box, Pixels } from '../types.ts';
import { layoutOf, shapesImageSize } from './layout.ts';
import { paintLayout } from './paint.ts';

/** An image of the shapes dataset with its objects. */
export interface RenderedShapes {
  readonly pixels: Pixels;
  readonly boxes: readonly Box[];
  readonly labels: readonly number[];
}

/**
 * Image `index` of the endless stream of shapes images that `seed` names, the same bits on every machine.
 *
 * Units    128 x 128 pixels, 1 to 6 objects; boxes are the tight ones of the visible parts
 * Source   this project's own distribution: textured background, strokes, eight classes, occlusion, noise
 * Example  renderShapes(0, 17).boxes
 */
export const renderShapes = (seed: number, index: number): RenderedShapes => {
  const layout = layoutOf(seed, index);
  const data = paintLayout(layout, seed, index);
  return {
    pixels: { width: shapesImageSize, height: shapesImageSize, channels: 3, data },
    boxes: layout.boxes,
    labels: layout.shapes.map((shape) => shape.placement.label),
  };
};
