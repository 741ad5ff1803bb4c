// A made-up scene of the size of COCO's validation set: objects of many sizes, detections near them, and many more anywhere.
import type { CocoDetection, CocoGroundTruth, CocoObject } from '@autoassign/datasets';
import { uniformFrom } from '../cpu/work.ts';

/** How large a scene is. */
export interface SceneSize {
  readonly images: number;
  readonly objects: number;
  readonly detections: number;
  readonly classes: number;
}

/** A scene as COCO's own files have it. */
export interface Scene {
  readonly truth: CocoGroundTruth & {
    readonly annotations: readonly (CocoObject & { readonly id: number })[];
  };
  readonly detections: readonly CocoDetection[];
}

const rounded = (value: number, digits: number): number => Number(value.toFixed(digits));

/** Share of the detections that lie near an object. */
const nearShare = 0.35;

/** The scene of a seed: few classes have most objects, a third of the detections are good or nearly so, the rest has low scores. */
export const sceneOf = ({ images, objects, detections, classes }: SceneSize, seed: number): Scene => {
  const draw = uniformFrom(seed);
  const below = (count: number): number => Math.floor(draw() * count);
  const side = (): number => rounded(8 * Math.exp(3.6 * draw()), 2);
  const place = (extent: number, size: number): number => rounded(draw() * Math.max(1, extent - size), 2);
  const anyBox = (): CocoObject['bbox'] => {
    const [width, height] = [side(), side()];
    return [place(640, width), place(480, height), width, height];
  };
  const anyClass = (): number => 1 + Math.floor(classes * draw() ** 2);
  const imageIds = Array.from({ length: images }, (_, i) => 3 * i + 1);
  const annotations = Array.from({ length: objects }, (_, i) => {
    const bbox = anyBox();
    const area = rounded(bbox[2] * bbox[3] * (0.5 + 0.5 * draw()), 2);
    const iscrowd = draw() < 0.01 ? 1 : 0;
    return { id: i + 1, image_id: imageIds[below(images)]!, category_id: anyClass(), bbox, area, iscrowd };
  });
  const moved = (bbox: CocoObject['bbox'], noise: number): CocoObject['bbox'] => {
    const move = (value: number, size: number): number => rounded(value + size * noise * (draw() - 0.5), 2);
    const [x, y, width, height] = bbox;
    return [move(x, width), move(y, height), move(width, width), move(height, height)];
  };
  const found = Array.from({ length: detections }, (): CocoDetection => {
    if (draw() >= nearShare) {
      const score = rounded(0.6 * draw() ** 3, 5);
      return { image_id: imageIds[below(images)]!, category_id: anyClass(), bbox: anyBox(), score };
    }
    const { image_id, category_id, bbox } = annotations[below(objects)]!;
    const noise = 1.2 * draw() ** 2;
    const score = rounded(draw() * (1 - 0.6 * noise), 5);
    return {
      image_id,
      category_id: draw() < 0.9 ? category_id : anyClass(),
      bbox: moved(bbox, noise),
      score,
    };
  });
  const categories = Array.from({ length: classes }, (_, k) => ({ id: k + 1, name: `class ${k + 1}` }));
  return { truth: { images: imageIds.map((id) => ({ id })), categories, annotations }, detections: found };
};
