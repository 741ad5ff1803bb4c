// One evaluation of files in a fresh process: the folder as JSON in the argument, times, memory and numbers as a message to the parent.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { CocoGroundTruth } from '@autoassign/datasets';
import { evaluateCoco, parseCocoResults } from '@autoassign/datasets';

/** What one evaluation takes and gives. */
export interface EvaluationRun {
  /** Milliseconds from the files to objects. */
  readonly read: number;
  /** Milliseconds from objects to the twelve numbers. */
  readonly evaluate: number;
  /** Milliseconds that processors spent on that, waiting for others left out. */
  readonly evaluateCpu: number;
  /** Largest resident memory of the process. */
  readonly peakBytes: number;
  /** The twelve numbers in the order of the COCO toolkit; null where undefined. */
  readonly metrics: readonly (number | null)[];
  readonly version: string;
}

const { folder } = JSON.parse(process.argv[2] ?? '{}') as { readonly folder: string };
const start = performance.now();
const truth = JSON.parse(readFileSync(join(folder, 'truth.json'), 'utf8')) as CocoGroundTruth;
const detections = parseCocoResults(readFileSync(join(folder, 'results.json'), 'utf8'), 'results.json');
const read = performance.now();
const before = process.cpuUsage();
const { metrics } = evaluateCoco(truth, detections);
const end = performance.now();
const { user, system } = process.cpuUsage(before);
const run: EvaluationRun = {
  read: read - start,
  evaluate: end - read,
  evaluateCpu: (user + system) / 1e3,
  peakBytes: process.resourceUsage().maxRSS * 1024,
  metrics: Object.values(metrics),
  version: process.versions.node,
};
process.send?.(run);
