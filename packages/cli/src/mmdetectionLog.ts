// The log of a run in the form of mmdetection's `scalars.json`, so that its tools for logs read it too.
import type { MetricsRecord } from './metrics.ts';

/** What a line of training says besides what the run's own log has. */
export interface StepTimes {
  /** In seconds, of the whole step. */
  readonly time: number;
  /** In seconds, of the time that the step waited for its images. */
  readonly dataTime: number;
  /** In bytes: the most that the process had. */
  readonly memory: number;
}

/** The names of the terms of AutoAssign's loss there; others are called as here. */
const termNames: Readonly<Record<string, string>> = {
  positive: 'loss_pos',
  negative: 'loss_neg',
  center: 'loss_center',
};

const isOther = (name: string): boolean =>
  ['step', 'event', 'loss', 'gradientNorm', 'rate', 'epoch'].includes(name);

/**
 * The line of a step.
 *
 * Units    time in seconds, memory in MiB; epochs and iterations counted from 1
 * Source   the logger hook of mmengine
 */
export function mmdetectionStep(
  record: MetricsRecord,
  stepsPerEpoch: number,
  times: StepTimes,
): MetricsRecord {
  const terms = Object.entries(record).filter(([name]) => !isOther(name));
  const epoch = Math.floor((record.step - 1) / stepsPerEpoch);
  return {
    lr: record.rate,
    data_time: times.dataTime,
    grad_norm: record.gradientNorm,
    loss: record.loss,
    ...Object.fromEntries(terms.map(([name, value]) => [termNames[name] ?? `loss_${name}`, value])),
    time: times.time,
    epoch: epoch + 1,
    iter: Math.max(1, Math.ceil(record.step - epoch * stepsPerEpoch)),
    memory: Math.round(times.memory / 2 ** 20),
    step: record.step,
  };
}

/** The metrics of the COCO evaluation there, by their names here. */
const metricNames: Readonly<Record<string, string>> = {
  AP: 'bbox_mAP',
  AP50: 'bbox_mAP_50',
  AP75: 'bbox_mAP_75',
  APs: 'bbox_mAP_s',
  APm: 'bbox_mAP_m',
  APl: 'bbox_mAP_l',
};

/** The line of an evaluation; a metric without objects is -1 there. */
export function mmdetectionEvaluation(
  step: number,
  metrics: Readonly<Record<string, number | null>>,
): MetricsRecord {
  const named = Object.entries(metricNames).map(
    ([ours, theirs]) => [`coco/${theirs}`, metrics[ours] ?? -1] as const,
  );
  return { ...Object.fromEntries(named), step };
}
