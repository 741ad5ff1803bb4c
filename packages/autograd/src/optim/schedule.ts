// Learning rates as plain functions of the step number. A compiled step takes the rate as a scalar argument.

/** The learning rate of a step; steps count from 0. */
export type Schedule = (step: number) => number;

/** Options of `warmup`. */
export interface WarmupOptions {
  /** The first step at the full rate. */
  readonly steps: number;
  /** The share of the rate at step 0; 0 by default. */
  readonly from?: number;
}

/**
 * The schedule multiplied by a factor that grows linearly to 1.
 *
 * Example  const rate = warmup(cosine({ rate: 2e-3, steps: 2400 }), { steps: 100, from: 0.01 });
 */
export const warmup =
  (schedule: Schedule, { steps, from = 0 }: WarmupOptions): Schedule =>
  (step) =>
    schedule(step) * (step >= steps ? 1 : from + (1 - from) * (step / steps));

/** Options of `multiStep`. */
export interface MultiStepOptions {
  /** The rate before the first milestone. */
  readonly rate: number;
  /** The steps from which the rate is multiplied by `factor` once more. */
  readonly milestones: readonly number[];
  /** 0.1 by default. */
  readonly factor?: number;
}

/** A rate that drops by a factor at every milestone. */
export const multiStep =
  ({ rate, milestones, factor = 0.1 }: MultiStepOptions): Schedule =>
  (step) =>
    rate * factor ** milestones.filter((milestone) => step >= milestone).length;

/** Options of `cosine`. */
export interface CosineOptions {
  /** The rate at step 0. */
  readonly rate: number;
  /** The step at which `final` is reached. */
  readonly steps: number;
  /** 0 by default. */
  readonly final?: number;
}

/**
 * Half a cosine wave from `rate` down to `final`, which then stays.
 *
 * Source Loshchilov and Hutter, SGDR (2017), equation 5, without restarts
 */
export const cosine =
  ({ rate, steps, final = 0 }: CosineOptions): Schedule =>
  (step) =>
    final + (rate - final) * 0.5 * (1 + Math.cos(Math.PI * Math.min(step / steps, 1)));
