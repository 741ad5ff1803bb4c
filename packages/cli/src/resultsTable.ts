// The table `results.csv` of a run: one row per evaluation, with the means of the losses since the one before.
import type { MetricsRecord } from './metrics.ts';

/** What stands in a step's line beside its losses. */
const besides: readonly string[] = ['step', 'event', 'gradientNorm', 'rate', 'epoch'];

function lossNames(steps: readonly MetricsRecord[]): readonly string[] {
  const names = new Set(steps.flatMap((record) => Object.keys(record)));
  return [...names].filter((name) => !besides.includes(name));
}

const numberIn = (record: MetricsRecord | undefined, name: string): number | undefined => {
  const value = record?.[name];
  return typeof value === 'number' ? value : undefined;
};

function meanOf(records: readonly MetricsRecord[], name: string): number | undefined {
  const values = records.flatMap((record) => numberIn(record, name) ?? []);
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The text of the table of a log's lines. */
export function resultsTable(records: readonly MetricsRecord[]): string {
  const steps = records.filter(({ event }) => event === 'step');
  const names = lossNames(steps);
  let before = 0;
  const rows = records
    .filter(({ event }) => event === 'evaluation')
    .map((evaluation) => {
      const own = steps.filter(({ step }) => step > before && step <= evaluation.step);
      before = evaluation.step;
      const last = own.at(-1);
      const epoch = numberIn(last, 'epoch');
      return [
        evaluation.step,
        epoch === undefined ? undefined : epoch + 1,
        ...names.map((name) => meanOf(own, name)),
        meanOf(own, 'gradientNorm'),
        numberIn(last, 'rate'),
        ...['ap', 'ap50', 'ap75'].map((name) => numberIn(evaluation, name)),
      ];
    });
  const head = ['step', 'epoch', ...names, 'gradientNorm', 'rate', 'ap', 'ap50', 'ap75'];
  return [head, ...rows].map((row) => `${row.map((value) => value ?? '').join(',')}\n`).join('');
}
