// @autoassign/detector: the AutoAssign object detector. Label assignment, loss, network, training, prediction, weights.
export { ConfigError, TrainingError, WeightsError } from './errors.ts';
export type { Safetensors, StoredData, StoredDType, StoredTensor } from './weights/safetensors.ts';
export { readSafetensors, writeSafetensors } from './weights/safetensors.ts';
