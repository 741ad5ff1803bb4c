// The error analysis as text for people.
import type { ErrorAnalysis, ErrorCost, ErrorKind } from './types.ts';

const meanings: Readonly<Record<ErrorKind, string>> = {
  classification: 'right place, wrong class',
  localisation: 'right class, IoU too low',
  both: 'wrong class, IoU too low',
  duplicate: 'object found already',
  background: 'no object there',
  missed: 'object no detection comes near to',
};

/**
 * A table with one line per kind of error: how often, and the average precision gained when it alone is fixed, in percent.
 *
 * Example  console.log(formatErrorReport(analyseErrors(groundTruthOf(dataset), detections)))
 */
export const formatErrorReport = (analysis: ErrorAnalysis): string => {
  const name = `AP${Math.round(analysis.iouThreshold * 100)}`;
  const row = (label: string, { count, gain }: ErrorCost, meaning: string): string[] => [
    label,
    String(count),
    gain === null ? '-' : `+${(gain * 100).toFixed(1)}`,
    meaning,
  ];
  const kinds = Object.entries(analysis.kinds) as [ErrorKind, ErrorCost][];
  const lines = [
    ['error', 'count', name, ''],
    ...kinds.map(([kind, cost]) => row(kind, cost, meanings[kind])),
    row('all wrong', analysis.wrong, 'detections that are no hits'),
    row('not found', analysis.notFound, 'objects without a hit'),
  ];
  const widths = [0, 1, 2].map((i) => Math.max(...lines.map((line) => line[i]!.length)));
  const text = lines.map(([label = '', count = '', gain = '', meaning = '']) =>
    `${label.padEnd(widths[0]!)}  ${count.padStart(widths[1]!)}  ${gain.padStart(widths[2]!)}  ${meaning}`.trimEnd(),
  );
  const { ap, hits, objects, detections } = analysis;
  const share = ap === null ? '-' : (ap * 100).toFixed(1);
  return [`${name} ${share}: ${hits} of ${objects} objects found by ${detections} detections`, ...text].join(
    '\n',
  );
};
