// A comparison with other libraries as files and as text.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ratioChart } from './cpu/chart.ts';
import { deviceTable, ratioTable } from './cpu/report.ts';
import type { BenchRun } from './record.ts';

/** A comparison, and what a reader of its table needs to know. */
export interface Comparison {
  readonly run: BenchRun;
  /** What it was measured with. */
  readonly on: string;
  /** Libraries that did not load, and why. */
  readonly missing: Readonly<Record<string, string>>;
}

/** Writes and draws a comparison in a folder; gives the names of its files. */
export const writeComparison = (folder: string, run: BenchRun): string => {
  const path = join(folder, `${run.suite}-${run.date}`);
  writeFileSync(`${path}.json`, `${JSON.stringify(run, null, 2)}\n`);
  const chart = ratioChart(run);
  if (chart !== undefined) writeFileSync(`${path}.svg`, chart);
  return `${path}.json${chart === undefined ? '' : ', .svg'}`;
};

/** Writes and draws a comparison in a folder, and prints it with what it was measured on. */
export const keepComparison = (folder: string, { run, on, missing }: Comparison): void => {
  const { suite, machine, runtime, load, rows } = run;
  const files = writeComparison(folder, run);
  const left = Object.entries(missing).map(([name, reason]) => `Without ${name}: ${reason}.\n`);
  const device = deviceTable(rows);
  console.log(
    `${suite}: ${machine.cpu}, Node ${runtime.node}, ${on}, load ${load.before[0]}\n${ratioTable(rows)}\n${device === undefined ? '' : `${device}\n`}${left.join('')}→ ${files}\n`,
  );
};
