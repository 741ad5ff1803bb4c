// The comparators' assignments and losses written out location by location, in plain numbers: what the tensor forms are held to.
import type { FeatureLevel } from '../src/geometry/points.ts';

export type Box = readonly [number, number, number, number];

/** A location: where it is, its stride and the number of its level. */
export interface PlainLocation {
  readonly x: number;
  readonly y: number;
  readonly stride: number;
  readonly level: number;
}

const plainLocations = (levels: readonly FeatureLevel[]): readonly PlainLocation[] =>
  levels.flatMap(({ height, width, stride }, level) =>
    Array.from({ length: height * width }, (_, i) => ({
      x: (i % width) * stride,
      y: Math.floor(i / width) * stride,
      stride,
      level,
    })),
  );

/** Per location the number of its object, -1 for a negative one, -2 for one that counts for nothing. */
export type PlainMatches = readonly number[];

const areaOf = ([left, top, right, bottom]: Box): number => (right - left) * (bottom - top);

const sidesFrom = ({ x, y }: PlainLocation, [left, top, right, bottom]: Box): readonly number[] => [
  x - left,
  y - top,
  right - x,
  bottom - y,
];

const isInside = (at: PlainLocation, box: Box): boolean => sidesFrom(at, box).every((side) => side > 0);

const plainIou = (a: Box, b: Box): number => {
  const width = Math.max(0, Math.min(a[2], b[2]) - Math.max(a[0], b[0]));
  const height = Math.max(0, Math.min(a[3], b[3]) - Math.max(a[1], b[1]));
  return (width * height) / (areaOf(a) + areaOf(b) - width * height);
};

const plainGiou = (a: Box, b: Box): number => {
  const hull = areaOf([
    Math.min(a[0], b[0]),
    Math.min(a[1], b[1]),
    Math.max(a[2], b[2]),
    Math.max(a[3], b[3]),
  ]);
  const iou = plainIou(a, b);
  const union = (areaOf(a) + areaOf(b)) / (1 + iou);
  return iou - (hull - union) / hull;
};

const anchorAt = ({ x, y, stride }: PlainLocation, side: number): Box => {
  const half = (side * stride) / 2;
  return [x - half, y - half, x + half, y + half];
};

/** The candidate of highest score, the first of equals; -1 when there is none. */
const best = (candidates: readonly (readonly [object: number, score: number])[]): number =>
  candidates.reduce<readonly [number, number]>(
    (top, one) => (one[1] > top[1] ? one : top),
    [-1, Number.NEGATIVE_INFINITY],
  )[0];

export const plainFcos = (
  levels: readonly FeatureLevel[],
  boxes: readonly Box[],
  { radius, factor }: { readonly radius: number; readonly factor: number },
): PlainMatches =>
  plainLocations(levels).map((at) => {
    const least = at.level === 0 ? 0 : factor * levels[at.level - 1]!.stride;
    const most = at.level === levels.length - 1 ? Number.POSITIVE_INFINITY : factor * at.stride;
    const found = boxes.flatMap((box, m): [number, number][] => {
      const reach = Math.max(...sidesFrom(at, box));
      const isNear =
        Math.abs(at.x - (box[0] + box[2]) / 2) < radius * at.stride &&
        Math.abs(at.y - (box[1] + box[3]) / 2) < radius * at.stride;
      return isNear && isInside(at, box) && reach >= least && reach <= most ? [[m, -areaOf(box)]] : [];
    });
    return best(found);
  });

export const plainAtss = (
  levels: readonly FeatureLevel[],
  boxes: readonly Box[],
  { count, scale }: { readonly count: number; readonly scale: number },
): PlainMatches => {
  const places = plainLocations(levels);
  const chosen = boxes.map((box) => {
    const near = levels.flatMap((_, level) =>
      places
        .map((at, i) => ({ at, i }))
        .filter(({ at }) => at.level === level)
        .map(({ at, i }) => ({
          i,
          distance: (at.x - (box[0] + box[2]) / 2) ** 2 + (at.y - (box[1] + box[3]) / 2) ** 2,
          iou: plainIou(anchorAt(at, scale), box),
        }))
        .sort((a, b) => a.distance - b.distance || a.i - b.i)
        .slice(0, count),
    );
    const mean = near.reduce((sum, { iou }) => sum + iou, 0) / near.length;
    const deviation = Math.sqrt(
      near.reduce((sum, { iou }) => sum + (iou - mean) ** 2, 0) / (near.length - 1),
    );
    return new Map(near.filter(({ iou }) => iou >= mean + deviation).map(({ i, iou }) => [i, iou]));
  });
  return places.map((at, i) =>
    best(
      boxes.flatMap((box, m): [number, number][] =>
        chosen[m]!.has(i) && isInside(at, box) ? [[m, chosen[m]!.get(i)!]] : [],
      ),
    ),
  );
};

export const plainRetinaNet = (
  levels: readonly FeatureLevel[],
  boxes: readonly Box[],
  options: {
    readonly positive: number;
    readonly negative: number;
    readonly scales: readonly number[];
    readonly forceBest: boolean;
  },
): PlainMatches => {
  const places = plainLocations(levels);
  const overlap = places.map((at) =>
    boxes.map((box) => Math.max(...options.scales.map((scale) => plainIou(anchorAt(at, scale), box)))),
  );
  const forced = boxes.map((box, m) => {
    const inside = places.flatMap((at, i): [number, number][] =>
      isInside(at, box) && overlap[i]![m]! > 0 ? [[i, overlap[i]![m]!]] : [],
    );
    return options.forceBest ? best(inside) : -1;
  });
  return places.map((at, i) => {
    const owned = boxes.flatMap((_, m): [number, number][] =>
      forced[m] === i ? [[m, overlap[i]![m]!]] : [],
    );
    const reached = boxes.flatMap((box, m): [number, number][] =>
      isInside(at, box) && overlap[i]![m]! >= options.positive ? [[m, overlap[i]![m]!]] : [],
    );
    const object = best(owned.length > 0 ? owned : reached);
    return object === -1 && overlap[i]!.some((iou) => iou >= options.negative) ? -2 : object;
  });
};

/** What the head says of an image, and what is there. */
export interface PlainImage {
  readonly logits: readonly (readonly number[])[];
  readonly objectness: readonly number[];
  readonly distances: readonly (readonly number[])[];
  readonly objects: readonly { readonly box: Box; readonly label: number }[];
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

const plainPrediction = ({ x, y }: PlainLocation, distances: readonly number[]): Box => [
  x - distances[0]!,
  y - distances[1]!,
  x + distances[2]!,
  y + distances[3]!,
];

/** Focal loss, GIoU loss and cross entropy of the centreness over a batch, from the matches of its images. */
export const plainMatchedTerms = (
  levels: readonly FeatureLevel[],
  images: readonly PlainImage[],
  matches: readonly PlainMatches[],
  { alpha, gamma, weighted }: { readonly alpha: number; readonly gamma: number; readonly weighted: boolean },
): { readonly classification: number; readonly box: number; readonly centerness: number } => {
  let [classes, boxes, weights, centers, positives] = [0, 0, 0, 0, 0];
  images.forEach((image, n) => {
    plainLocations(levels).forEach((at, i) => {
      const matched = matches[n]![i]!;
      if (matched === -2) return;
      const object = image.objects[matched];
      image.logits[i]!.forEach((logit, label) => {
        const p = sigmoid(logit);
        classes +=
          object?.label === label
            ? -alpha * (1 - p) ** gamma * Math.log(p)
            : -(1 - alpha) * p ** gamma * Math.log1p(-p);
      });
      if (object === undefined) return;
      const [left, top, right, bottom] = sidesFrom(at, object.box) as [number, number, number, number];
      const center = Math.sqrt(
        (Math.min(left, right) / Math.max(left, right)) * (Math.min(top, bottom) / Math.max(top, bottom)),
      );
      const o = sigmoid(image.objectness[i]!);
      const weight = weighted ? center : 1;
      positives += 1;
      weights += weight;
      boxes += weight * (1 - plainGiou(plainPrediction(at, image.distances[i]!), object.box));
      centers -= center * Math.log(o) + (1 - center) * Math.log1p(-o);
    });
  });
  const divisor = Math.max(1, positives);
  return {
    classification: classes / divisor,
    box: weights === 0 ? 0 : boxes / weights,
    centerness: centers / divisor,
  };
};

/** The two terms of FreeAnchor over a batch. */
export const plainFreeAnchor = (
  levels: readonly FeatureLevel[],
  images: readonly PlainImage[],
  {
    size,
    scales,
    beta,
    threshold,
  }: {
    readonly size: number;
    readonly scales: readonly number[];
    readonly beta: number;
    readonly threshold: number;
  },
): { readonly positive: number; readonly negative: number } => {
  const places = plainLocations(levels);
  let [positive, negative, objects] = [0, 0, 0];
  for (const image of images) {
    objects += image.objects.length;
    const predicted = places.map((at, i) => plainPrediction(at, image.distances[i]!));
    for (const { box, label } of image.objects) {
      const bag = places
        .map((at, i) => ({ i, iou: Math.max(...scales.map((scale) => plainIou(anchorAt(at, scale), box))) }))
        .sort((a, b) => b.iou - a.iou || a.i - b.i)
        .slice(0, size)
        .filter(({ iou }) => iou > 0)
        .map(
          ({ i }) =>
            sigmoid(image.logits[i]![label]!) * Math.exp(-beta * (1 - plainGiou(predicted[i]!, box))),
        );
      if (bag.length === 0) continue;
      const weight = bag.map((p) => 1 / (1 - p));
      const mass = weight.reduce((a, b) => a + b, 0);
      positive -= Math.log(bag.reduce((sum, p, j) => sum + (weight[j]! / mass) * p, 0));
    }
    const found = image.objects.map(({ box }) => {
      const ious = predicted.map((one) => plainIou(one, box));
      const range = Math.max(Math.max(...ious) - threshold, 1e-6);
      return ious.map((iou) => Math.min(1, Math.max(0, (iou - threshold) / range)));
    });
    image.logits.forEach((row, i) => {
      row.forEach((logit, label) => {
        const likely = image.objects.map((object, m) => (object.label === label ? found[m]![i]! : 0));
        const x = sigmoid(logit) * (1 - Math.max(0, ...likely));
        negative -= x * x * Math.log1p(-x);
      });
    });
  }
  const divisor = Math.max(1, objects);
  return { positive: (0.5 * positive) / divisor, negative: (0.5 * negative) / (divisor * size) };
};
