// Looking at a picture several times: at several sizes and in mirrors, and what is found in all of them put together.
import type { Pixels } from '@autoassign/datasets';
import { testTimeVariants } from '@autoassign/datasets';
import type { DecodeOptions, Detections, DetectorConfig, TestAugmentation } from '@autoassign/detector';
import { mergeDetections } from '@autoassign/detector';
import { fittedSize } from './fittedSize.ts';
import type { TestSize } from './runConfig.ts';

/** A picture and how messages name it. */
export interface NamedPicture {
  readonly file: string;
  readonly pixels: Pixels;
}

/** How a picture is looked at several times. */
interface SeveralLooks {
  readonly augmentation: TestAugmentation;
  readonly config: Pick<DetectorConfig, 'test'>;
  /** The usual size, which the factors of the augmentation refer to. */
  readonly test: TestSize;
  readonly decode: DecodeOptions;
}

/** The looks unless the configuration says otherwise. */
export const usualAugmentation: TestAugmentation = { scales: [0.75, 1, 1.25], flips: ['horizontal'] };

/**
 * What is in a picture, by all looks; `look` finds what is in pictures of one size, as they are.
 *
 * Units    boxes in pixels of the picture
 * Source   scales and mirror images put together by class-wise suppression, as mmdetection's test-time augmentation does it
 */
export async function predictAugmented(
  { file, pixels }: NamedPicture,
  { augmentation, config, test, decode }: SeveralLooks,
  look: (pictures: readonly NamedPicture[]) => Promise<readonly Detections[]>,
): Promise<Detections> {
  const { scales, flips = [], ...merging } = augmentation;
  const { width, height } = pixels;
  const usual = fittedSize(pixels, test);
  const looks: Detections[] = [];
  for (const scale of scales) {
    const longSide = Math.max(1, Math.round(Math.max(usual.width, usual.height) * scale));
    const variants = testTimeVariants({ scales: [{ shortSide: longSide, longSide }], flips });
    const sample = { id: 1, file, width, height, annotations: [], pixels };
    const found = await look(variants.map(({ forward }) => forward(sample)));
    found.forEach((detections, i) => {
      const { backward } = variants[i]!;
      const boxes = Float32Array.from(detections.boxes);
      for (let at = 0; at < boxes.length; at += 4) {
        const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = boxes.subarray(at, at + 4);
        boxes.set(backward([x1, y1, x2, y2], pixels), at);
      }
      looks.push({ ...detections, boxes });
    });
  }
  const { iouThreshold = merging.iouThreshold ?? config.test.iouThreshold } = decode;
  const { limit = merging.limit ?? config.test.limit } = decode;
  return mergeDetections(looks, { ...merging, iouThreshold, limit });
}
