// What can be wrong with a box of positive size in a picture of known size.
import type { Fault } from './fault.ts';
import type { ImageEntry } from './table.ts';

/**
 * The fault of a box that lies wholly outside its picture or whose area is no finite number; undefined for every other box,
 * those that reach beyond an edge included.
 *
 * Units    pixels, half-open edges
 * Example  boxFault({ x: 700, y: 3, width: 5, height: 5 }, image, 'line 4')
 */
export const boxFault = (
  {
    x,
    y,
    width,
    height,
  }: { readonly x: number; readonly y: number; readonly width: number; readonly height: number },
  image: ImageEntry,
  place: string,
): Fault | undefined => {
  const hasArea = Number.isFinite(width * height);
  if (hasArea && x < image.width && y < image.height && x + width > 0 && y + height > 0) return undefined;
  const kind = hasArea ? 'box outside the picture' : 'box not finite';
  return {
    kind,
    place,
    sentence: `needs a box inside ${image.file} (${image.width}x${image.height}), got a ${kind}: [${[x, y, width, height].join(', ')}]. Correct or remove the object.`,
  };
};
