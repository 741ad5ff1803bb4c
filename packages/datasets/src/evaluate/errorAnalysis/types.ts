// The data of the error analysis: kinds of errors, what each costs, and how to tell them apart.

/** What can be wrong with a detection, and `missed` for an object that no detection comes near to. */
export type ErrorKind = 'classification' | 'localisation' | 'both' | 'duplicate' | 'background' | 'missed';

/** How often an error happens and what it costs. */
export interface ErrorCost {
  readonly count: number;
  /** Average precision gained when these errors alone are fixed, 0 to 1; null where there is nothing to find. */
  readonly gain: number | null;
}

/** Everything that went right and wrong. */
export interface ErrorAnalysis {
  /** The IoU from which on an object is found. */
  readonly iouThreshold: number;
  /** Average precision at that threshold; null where there is nothing to find. */
  readonly ap: number | null;
  /** Objects to find, crowd regions left out. */
  readonly objects: number;
  /** Detections looked at: `hits`, those in crowd regions, and one error each for the rest. */
  readonly detections: number;
  readonly hits: number;
  /** Detections in crowd regions, which count neither way. */
  readonly ignored: number;
  readonly kinds: Readonly<Record<ErrorKind, ErrorCost>>;
  /** All detections that are no hits: what they cost by standing before hits. */
  readonly wrong: ErrorCost;
  /** All objects that no detection found, `missed` or not. */
  readonly notFound: ErrorCost;
}

/** Where the lines between the kinds of errors are. */
export interface ErrorAnalysisOptions {
  /** An object is found from this IoU on; 0.5 unless told otherwise. */
  readonly iouThreshold?: number;
  /** Detections up to this IoU with every object are background; 0.1 unless told otherwise. */
  readonly backgroundIou?: number;
  /** Only so many detections of an image and class are looked at, the best ones; 100 unless told otherwise. */
  readonly maxDetections?: number;
}
