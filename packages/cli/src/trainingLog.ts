// What a training run writes down while it goes: the lines of `metrics.jsonl`, and what can be read off them again.
import type { StepEvent } from '@autoassign/detector';
import { lineChart } from './charts.ts';
import type { Scores } from './evaluation.ts';
import type { MetricsRecord } from './metrics.ts';
import { formatDuration } from './progressText.ts';
import type { TrainingRecipe } from './runConfig.ts';
import type { Point } from './svg.ts';

/** A line that says what happened at its step. */
export type LogRecord = MetricsRecord & { readonly event: string };

/** The line of a step. No times in it: the log of a repeated run is the same, byte for byte. */
export function stepRecord({ step, losses, gradientNorm, rate, data }: StepEvent): LogRecord {
  return {
    step,
    event: 'step',
    loss: losses.total,
    ...losses.terms,
    gradientNorm,
    rate,
    epoch: data.epoch,
  };
}

/** The line of an evaluation. */
export function evaluationRecord(step: number, scores: Scores): LogRecord {
  return { step, event: 'evaluation', ...scores };
}

/** Time spent so far in all processes of a run. */
export interface TimeSpent {
  /** In seconds, everything included. */
  readonly total: number;
  /** In seconds, in training steps only. */
  readonly training: number;
}

/** The line of a checkpoint: from here a resumed run goes on, with its clock too. */
export function checkpointRecord(step: number, spent: TimeSpent): LogRecord {
  return { step, event: 'checkpoint', seconds: spent.total, trainingSeconds: spent.training };
}

function numberIn(record: MetricsRecord | undefined, name: string): number {
  const value = record?.[name];
  return typeof value === 'number' ? value : 0;
}

/** The time that earlier processes of the run spent up to its last checkpoint. */
export function timeSpentIn(records: readonly MetricsRecord[]): TimeSpent {
  const last = records.findLast(({ event }) => event === 'checkpoint');
  return { total: numberIn(last, 'seconds'), training: numberIn(last, 'trainingSeconds') };
}

/** The AP of every evaluation so far, in their order. */
export function evaluatedAps(records: readonly MetricsRecord[]): number[] {
  return records.filter(({ event }) => event === 'evaluation').map((record) => numberIn(record, 'ap'));
}

/** How many evaluations there were since the best one; of equal ones the first counts. */
function sinceBest(aps: readonly number[]): number {
  let best = 0;
  for (const [i, ap] of aps.entries()) if (ap > (aps[best] ?? ap)) best = i;
  return Math.max(0, aps.length - 1 - best);
}

/** Why a run that has taken so many seconds and had these APs is to end before its last step, in words; undefined while it is not. */
export function endingOf(
  { patience, timeBudget }: Pick<TrainingRecipe, 'patience' | 'timeBudget'>,
  seconds: number,
  aps: readonly number[],
): string | undefined {
  if (timeBudget !== undefined && seconds >= timeBudget)
    return `the time budget of ${formatDuration(timeBudget)} is used up`;
  return patience !== undefined && sinceBest(aps) >= patience
    ? `no better evaluation among the last ${patience}`
    : undefined;
}

/** Whether the detector was evaluated after this step. */
export function isEvaluatedAt(records: readonly MetricsRecord[], step: number): boolean {
  return records.some((record) => record.event === 'evaluation' && record.step === step);
}

function pointsOf(records: readonly MetricsRecord[], name: string): readonly Point[] {
  return records.map((record): Point => [record.step, numberIn(record, name)]);
}

/** The terms that losses may have, by their names in the log and on charts. */
const termNames: readonly (readonly [field: string, name: string])[] = [
  ['positive', 'positive'],
  ['negative', 'negative'],
  ['center', 'centre'],
  ['objectness', 'objectness'],
  ['classification', 'class'],
  ['box', 'box'],
  ['centerness', 'centreness'],
];

/** The SVG text of the chart of the losses over the steps. */
export function lossChart(records: readonly MetricsRecord[]): string {
  const steps = records.filter(({ event }) => event === 'step');
  const smoothing = Math.max(1, Math.round(steps.length / 40));
  const terms = termNames.filter(([field]) => steps.some((record) => field in record));
  const names = [['loss', 'total'] as const, ...terms];
  const series = names.map(([field, name]) => ({ name, points: pointsOf(steps, field), smoothing }));
  return lineChart({ title: 'Training loss', xLabel: 'step', yLabel: 'loss', series });
}

/** The SVG text of the chart of the learning rate over the steps. */
export function rateChart(records: readonly MetricsRecord[]): string {
  const steps = records.filter(({ event }) => event === 'step');
  const series = [{ name: 'rate', points: pointsOf(steps, 'rate') }];
  return lineChart({ title: 'Learning rate', xLabel: 'step', yLabel: 'rate', series });
}

/** The SVG text of the chart of the AP over the steps. */
export function apChart(records: readonly MetricsRecord[]): string {
  const evaluations = records.filter(({ event }) => event === 'evaluation');
  const names = [
    ['AP50', 'ap50'],
    ['AP', 'ap'],
    ['AP75', 'ap75'],
  ] as const;
  const series = names.map(([name, field]) => ({ name, points: pointsOf(evaluations, field), dots: true }));
  return lineChart({
    title: 'Average precision on the validation images',
    xLabel: 'step',
    yLabel: 'AP',
    series,
  });
}
