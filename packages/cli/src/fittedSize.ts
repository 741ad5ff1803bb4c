// The size that an image gets before it enters the network.
import type { ImageSize } from '@autoassign/datasets';
import { resizedSize } from '@autoassign/datasets';
import type { TestSize } from './runConfig.ts';

/** The size that an image gets. */
export function fittedSize(
  { width, height }: ImageSize,
  { shortSide, longSide, enlarge }: TestSize,
): ImageSize {
  const size = resizedSize({ width, height }, { shortSide, longSide });
  const isSmaller = size.width >= width && size.height >= height;
  return isSmaller && !enlarge ? { width, height } : size;
}
