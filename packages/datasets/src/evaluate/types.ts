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

/** All results of an evaluation; classes by ascending category id. */
export interface CocoEvaluation {
  readonly metrics: CocoMetrics;
  readonly perClass: readonly CocoClassMetrics[];
  /** [10 IoU thresholds, 101 recalls, classes, 4 areas (all, small, medium, large), 3 detection limits (1, 10, 100)]. */
  readonly precision: CocoCurves;
  /** [10 IoU thresholds, classes, 4 areas, 3 detection limits]. */
  readonly recall: CocoCurves;
}

/** What to evaluate. */
export interface CocoEvaluationOptions {
  /** Only these images; all of the ground truth unless told otherwise. */
  readonly imageIds?: Iterable<number>;
}
