// Boxes of an annotation file: four numbers taken from bytes, and what can be wrong with them.
import { numberIn } from '../json/numbers.ts';
import { isBlank, kindAt } from '../json/values.ts';
import type { ProblemKind } from '../types.ts';

const [comma, closeBracket] = [0x2c, 0x5d];

/**
 * True, with the numbers in `box`, when the value at `start` is an array of four; null and the text "NaN", how NaN arrives
 * through some tools, become NaN.
 */
export const boxIn = (bytes: Uint8Array, start: number, box: Float64Array): boolean => {
  if (kindAt(bytes, start) !== 'an array') return false;
  let at = start + 1;
  for (let side = 0; side < 4; side++) {
    while (isBlank(bytes[at]!)) at += 1;
    let end = at;
    while (!isBlank(bytes[end]!) && bytes[end] !== comma && bytes[end] !== closeBracket) end += 1;
    const value = sideIn(bytes, at, end);
    if (value === undefined) return false;
    box[side] = value;
    while (isBlank(bytes[end]!)) end += 1;
    if (bytes[end] !== (side === 3 ? closeBracket : comma)) return false;
    at = end + 1;
  }
  return true;
};

const sideIn = (bytes: Uint8Array, start: number, end: number): number | undefined => {
  switch (kindAt(bytes, start)) {
    case 'a number':
      // an array that ends too early has nothing there
      return start === end ? undefined : numberIn(bytes, start, end);
    case 'null':
      return Number.NaN;
    case 'a text':
      return isNaNText(bytes, start, end) ? Number.NaN : undefined;
    default:
      return undefined;
  }
};

const isNaNText = (bytes: Uint8Array, start: number, end: number): boolean =>
  end - start === 5 && String.fromCharCode(...bytes.subarray(start, end)) === '"NaN"';

/**
 * What is wrong with a box of a picture; undefined for one that means something.
 */
export const faultOfBox = (
  box: readonly [x: number, y: number, width: number, height: number],
  picture: { readonly width: number; readonly height: number },
): ProblemKind | undefined => {
  const [x, y, width, height] = box;
  if (!box.every(Number.isFinite)) return 'box not finite';
  if (width < 0 || height < 0) return 'box of negative size';
  if (width === 0 || height === 0) return 'box of zero size';
  const overlaps = x < picture.width && y < picture.height && x + width > 0 && y + height > 0;
  return overlaps ? undefined : 'box outside the picture';
};
