// The detector as one value: its configuration with the functions that initialise, run, train and apply it.
import type { Backend, Tensor } from '@autoassign/tensor';
import { LifetimeError, sentence } from '@autoassign/tensor';
import type { Losses } from '../assign/losses.ts';
import type { BatchTensors } from '../batch.ts';
import type { DetectorConfig } from '../config.ts';
import type { DecodeOptions, Detections } from '../infer/decode.ts';
import { createPredictor, type PredictionBatch, type Predictor } from '../infer/predict.ts';
import { validateConfig } from '../validateConfig.ts';
import { detectorLoss, type LossFunction } from './detectorLoss.ts';
import { backendOf, materialize } from './materialize.ts';
import { type Forward, forward, initParams, type Params } from './network.ts';

/** A detector: functions of parameters, for one configuration. */
export interface Detector {
  readonly config: DetectorConfig;
  /** Parameters that have learned nothing, as constants: the same bits for the same key on every backend. */
  init(key: Tensor): Promise<Params>;
  /**
   * What the network says of images.
   *
   * Shapes   images f32[N,3,H,W] -> logits f32[N,R,K], objectness f32[N,R], distances f32[N,R,4] and the points
   */
  forward(params: Params, images: Tensor): Forward;
  /** The loss of a batch and its terms, scalars. */
  loss(params: Params, batch: BatchTensors): Losses;
  /**
   * The detections of one image, a batch of one, by descending score.
   *
   * Units    boxes in pixels of the original image
   */
  predict(params: Params, image: PredictionBatch, options?: DecodeOptions): Promise<Detections>;
  /** The detections of every image of a batch. */
  predictBatch(params: Params, batch: PredictionBatch, options?: DecodeOptions): Promise<Detections[]>;
}

/** Options of `createDetector`. */
export interface DetectorOptions {
  /** Where predictions run; the backend that holds the parameters unless given. */
  readonly backend?: Backend;
  /** A loss of one's own instead of the configuration's. */
  readonly loss?: LossFunction;
  /** How many image shapes may be compiled for predictions before a further one is an error; 32 by default. */
  readonly maxTraces?: number;
}

/**
 * The detector of a configuration.
 *
 * Throws   ConfigError when the configuration is not valid
 * Example  const detector = createDetector(demoConfig(['disc', 'square']));  const params = await detector.init(key(0));
 */
export const createDetector = (config: DetectorConfig, options: DetectorOptions = {}): Detector => {
  validateConfig(config);
  const predictors = new Map<Backend, Predictor>();
  const predictorFor = (params: Params): Predictor => {
    const backend = options.backend ?? backendOf(params);
    if (backend === undefined) throw new LifetimeError(noBackend);
    const known =
      predictors.get(backend) ?? createPredictor(config, { maxTraces: options.maxTraces ?? 32, backend });
    predictors.set(backend, known);
    return known;
  };
  return {
    config,
    init: (key) => materialize(initParams(config, key)),
    forward: (params, images) => forward(config, params, images),
    loss: (params, batch) => detectorLoss(config, params, batch, options.loss),
    predict: async (params, image, decode) =>
      (await predictorFor(params).predictBatch(params, image, decode))[0]!,
    predictBatch: (params, batch, decode) => predictorFor(params).predictBatch(params, batch, decode),
  };
};

const noBackend = sentence({
  where: 'predict',
  needs: 'a backend to run on',
  got: 'parameters that are on none',
  advice: 'Pass { backend } to createDetector, or evaluate the parameters on one.',
});
