// The data of the WiderFace evaluation: faces with lists of those that count, detections, results.
import type { CocoBox } from '../types.ts';

/** One image: its event (the folder), its name without `.jpg`, and its faces. */
export interface WiderFaceImage {
  readonly event: string;
  readonly name: string;
  /** x, y, width, height in pixels. */
  readonly faces: readonly CocoBox[];
  /** Per setting, the indices from 0 of the faces that count there; the others are neither hit nor miss. */
  readonly counted: Readonly<Record<string, readonly number[]>>;
}

/** What there is to find. */
export interface WiderFaceGroundTruth {
  /** Names of the settings, such as `easy`, `medium` and `hard`. */
  readonly settings: readonly string[];
  readonly images: readonly WiderFaceImage[];
}

/** One face that a detector found. */
export interface WiderFaceDetection {
  /** x, y, width, height in pixels. */
  readonly bbox: CocoBox;
  readonly score: number;
}

/** What a detector found in one image. */
export interface WiderFaceResult {
  readonly event: string;
  readonly name: string;
  readonly detections: readonly WiderFaceDetection[];
}

/** The results of one setting. */
export interface WiderFaceScore {
  /** Null where no face counts. */
  readonly ap: number | null;
  /** Number of faces that count. */
  readonly faces: number;
  /** At each of the 1000 thresholds of the normalised score, from high to low; 0 where there are no detections. */
  readonly precision: Float64Array;
  readonly recall: Float64Array;
}

/** The results per setting. */
export type WiderFaceEvaluation = Readonly<Record<string, WiderFaceScore>>;
