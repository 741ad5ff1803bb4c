// EXIF's eight orientations, from the table of the standard: on which side of the upright picture the stored rows and columns begin.
import type { Pixels } from '@autoassign/datasets';

const sides: readonly (readonly [firstRow: string, firstColumn: string])[] = [
  ['top', 'left'],
  ['top', 'right'],
  ['bottom', 'right'],
  ['bottom', 'left'],
  ['left', 'top'],
  ['right', 'top'],
  ['right', 'bottom'],
  ['left', 'bottom'],
];

/** How a camera stores an upright picture under an orientation. */
export const storedAs = (upright: Pixels, orientation: number): Pixels => {
  const [firstRow, firstColumn] = sides[orientation - 1]!;
  const isTurned = firstRow === 'left' || firstRow === 'right';
  const width = isTurned ? upright.height : upright.width;
  const height = isTurned ? upright.width : upright.height;
  const data = new Uint8Array(upright.data.length);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const x = along(upright.width, isTurned ? firstRow : firstColumn, isTurned ? row : column);
      const y = along(upright.height, isTurned ? firstColumn : firstRow, isTurned ? column : row);
      const from = (y * upright.width + x) * 3;
      data.set(upright.data.subarray(from, from + 3), (row * width + column) * 3);
    }
  }
  return { width, height, channels: 3, data };
};

const along = (length: number, side: string, i: number): number =>
  side === 'left' || side === 'top' ? i : length - 1 - i;
