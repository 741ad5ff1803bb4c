// Test-time augmentation: the same picture at several sizes and mirrored, and the way back for what is found in each.
import type { Box, Sample } from '../types.ts';
import { type FlipAxis, flip, flipPlacement } from './flip.ts';
import { placedBox } from './placement.ts';
import { resize, resizePlacement } from './resize.ts';
import { type ImageSize, resizedSize } from './size.ts';
import type { TransformStep } from './steps.ts';

/** The sizes and mirror images that a picture is looked at in. */
export interface TestTimeOptions {
  /** Sizes by the rule of the short and the long side. */
  readonly scales: readonly { readonly shortSide: number; readonly longSide: number }[];
  /** The axes along which every size is mirrored too; none unless told otherwise. */
  readonly flips?: readonly FlipAxis[];
}

/** One way to look at a picture. */
export interface TestTimeVariant {
  /** What tells it from the others, such as `800 px, horizontal`. */
  readonly name: string;
  /** The same as data, for `applySteps`. */
  readonly steps: readonly TransformStep[];
  /** The sample in this variant. */
  readonly forward: (sample: Sample) => Sample;
  /** Where a box of this variant is in the picture of the given size that `forward` was called with. */
  readonly backward: (box: Box, original: ImageSize) => Box;
}

/**
 * The ways to look at a picture: every size, as it is and mirrored along each of the given axes.
 *
 * Units    boxes in pixels of the variant, and in those of the original after `backward`
 * Example  testTimeVariants({ scales: [{ shortSide: 800, longSide: 1333 }], flips: ['horizontal'] }).length // 2
 */
export const testTimeVariants = ({ scales, flips = [] }: TestTimeOptions): readonly TestTimeVariant[] =>
  scales.flatMap((scale) => [undefined, ...flips].map((axis) => variantOf(scale, axis)));

const variantOf = (scale: TestTimeOptions['scales'][number], axis: FlipAxis | undefined): TestTimeVariant => {
  const { shortSide, longSide } = scale;
  const sizing = { type: 'resize', shortSide, longSide } as const;
  return {
    name: axis === undefined ? `${shortSide} px` : `${shortSide} px, ${axis}`,
    steps: axis === undefined ? [sizing] : [sizing, { type: 'flip', probability: 1, axis }],
    forward: (sample) => {
      const resized = resize(sample, scale);
      return axis === undefined ? resized : flip(resized, axis);
    },
    backward: (box, original) => {
      const size = resizedSize(original, scale);
      // A mirror image of a mirror image is the picture itself.
      const upright = axis === undefined ? box : placedBox(box, flipPlacement(size, axis));
      return placedBox(upright, resizePlacement(size, original));
    },
  };
};
