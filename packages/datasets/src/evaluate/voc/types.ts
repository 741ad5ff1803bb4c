// The data of the PASCAL VOC evaluation: ground truth, detections and results as plain values.
import type { Box } from '../../types.ts';

/** One object to find. */
export interface VocObject {
  readonly box: Box;
  /** An index into the classes. */
  readonly label: number;
  /** Neither hit nor miss when found, and no loss when not. */
  readonly isDifficult: boolean;
}

/** What there is to find; images are known by their file names without folder and ending, such as `000005`. */
export interface VocGroundTruth {
  readonly classes: readonly string[];
  readonly images: readonly { readonly id: string; readonly objects: readonly VocObject[] }[];
}

/** One box that a detector found. */
export interface VocDetection {
  readonly imageId: string;
  /** An index into the classes. */
  readonly label: number;
  readonly box: Box;
  readonly score: number;
}

/** How to evaluate. */
export interface VocEvaluationOptions {
  /** Above 0, at most 1; 0.5 alone unless told otherwise. Several give the means over them. */
  readonly iouThresholds?: readonly number[];
  /** The area under the curve (VOC 2010 and later, the default), or the mean precision at 11 recalls (VOC 2007). */
  readonly average?: 'area' | '11 points';
  /** What x2 and y2 are: the edges of the box (the default), or its last pixels, so that a width is x2 - x1 + 1. */
  readonly boxEnds?: 'edges' | 'pixels';
}

/** Precision and recall of one class at one threshold, per detection that counts, best score first. */
export interface VocCurve {
  readonly iouThreshold: number;
  /** Null where there is nothing to find. */
  readonly ap: number | null;
  readonly hits: number;
  readonly scores: Float64Array;
  readonly precision: Float64Array;
  readonly recall: Float64Array;
}

/** The results of one class. */
export interface VocClassResult {
  readonly name: string;
  /** Objects to find, difficult ones left out. */
  readonly objects: number;
  readonly difficult: number;
  readonly detections: number;
  /** Mean over the thresholds; null where there is nothing to find. */
  readonly ap: number | null;
  /** One per threshold. */
  readonly curves: readonly VocCurve[];
}

/** All results, classes by label. */
export interface VocEvaluation {
  /** Mean over the classes with objects; null without any. */
  readonly meanAp: number | null;
  readonly perClass: readonly VocClassResult[];
}
