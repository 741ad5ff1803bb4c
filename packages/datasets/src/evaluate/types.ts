// The data of the COCO evaluation: ground truth and detections in the words of COCO files, results as plain numbers.

/** A box as COCO files have it: x, y, width, height in pixels. */
export type CocoBox = readonly [x: number, y: number, width: number, height: number];

/** One object to find, as in a COCO annotation file. */
export interface CocoObject {
  readonly image_id: number;
  readonly category_id: number;
  readonly bbox: CocoBox;
  /** Square pixels; that of the box when missing. */
  readonly area?: number;
  /** 1 for a crowd region. */
  readonly iscrowd?: number;
}

/** What there is to find, in the words of a COCO annotation file. */
export interface CocoGroundTruth {
  readonly images: readonly { readonly id: number }[];
  readonly categories: readonly { readonly id: number; readonly name?: string }[];
  readonly annotations: readonly CocoObject[];
}

/** One entry of a COCO results file. */
export interface CocoDetection {
  readonly image_id: number;
  readonly category_id: number;
  readonly bbox: CocoBox;
  readonly score: number;
}

/** Names of the twelve numbers; s, m and l are areas up to 32^2, up to 96^2 and above, in square pixels. */
export type CocoMetricName =
  | 'AP'
  | 'AP50'
  | 'AP75'
  | 'APs'
  | 'APm'
  | 'APl'
  | 'AR1'
  | 'AR10'
  | 'AR100'
  | 'ARs'
  | 'ARm'
  | 'ARl';

/** The twelve numbers, 0 to 1; null where there is nothing to find. */
export type CocoMetrics = Readonly<Record<CocoMetricName, number | null>>;

/** Values of several dimensions, row-major; NaN where a class has nothing to find. */
export interface CocoCurves {
  readonly data: Float64Array;
  readonly shape: readonly number[];
}

/** The twelve numbers of one class. */
export interface CocoClassMetrics {
  readonly categoryId: number;
  readonly name: string;
  /** Number of objects to find, crowd regions excluded. */
  readonly objects: number;
  readonly metrics: CocoMetrics;
}

/** A range of areas in square pixels, both ends included. */
export type AreaRange = readonly [low: number, high: number];

/** All results of an evaluation; classes by ascending category id. */
export interface CocoEvaluation {
  readonly metrics: CocoMetrics;
  readonly perClass: readonly CocoClassMetrics[];
  /** [IoU thresholds, 101 recalls, classes, areas, detection limits]. */
  readonly precision: CocoCurves;
  /** [IoU thresholds, classes, areas, detection limits]. */
  readonly recall: CocoCurves;
  readonly axes: CocoAxes;
}

/** What the places along the curves stand for. */
export interface CocoAxes {
  readonly iouThresholds: readonly number[];
  /** Ascending; -1 stands for all categories as one class. */
  readonly categoryIds: readonly number[];
  /** Names of the area ranges. */
  readonly areas: readonly string[];
  /** So many detections of an image count, the best ones. */
  readonly maxDetections: readonly number[];
}

/** What to evaluate, and how. The twelve numbers that need a threshold, area or limit which is left out are null. */
export interface CocoEvaluationOptions {
  /** Only these images; all of the ground truth unless told otherwise. */
  readonly imageIds?: Iterable<number>;
  /** Only these categories; all of the ground truth unless told otherwise. */
  readonly categoryIds?: Iterable<number>;
  /** Above 0, at most 1, ascending, at most 32; 0.5, 0.55, ... 0.95 unless told otherwise. */
  readonly iouThresholds?: readonly number[];
  /** By name; `all`, `small`, `medium` and `large` unless told otherwise. */
  readonly areas?: Readonly<Record<string, AreaRange>>;
  /** Positive whole numbers, ascending; 1, 10 and 100 unless told otherwise. AP is that at the largest. */
  readonly maxDetections?: readonly number[];
  /** Whether all categories count as one class, so that only the boxes matter; `useCats = 0` of the COCO toolkit. */
  readonly isClassAgnostic?: boolean;
}

/** Which part of the curves a number is the mean of. */
export interface CocoSelection {
  readonly of: 'precision' | 'recall';
  /** All unless given. */
  readonly iouThreshold?: number;
  /** `all` unless given. */
  readonly area?: string;
  /** The largest unless given. */
  readonly maxDetections?: number;
  /** All unless given. */
  readonly categoryIds?: readonly number[];
}
