// autoassign as a library: a detector from a file of weights, and what it finds in pictures. In Node and in browsers; importing does nothing.

export type {
  Detection,
  DetectionBox,
  DetectOptions,
  LoadDetectorOptions,
  LoadedPictureDetector,
  WeightsSource,
} from './library/loadDetector.ts';
export { loadDetector } from './library/loadDetector.ts';
export type { Drawable, Picture, RawPixels } from './library/picturePixels.ts';
export type { TestSize } from './runConfig.ts';
