// The results of an evaluation as text for people.
import type { CocoEvaluation, CocoMetricName, CocoMetrics } from './types.ts';

const shown: readonly CocoMetricName[] = ['AP', 'AP50', 'AP75', 'APs', 'APm', 'APl', 'AR100'];

/**
 * A table with one line per class and one for all, numbers in percent, "-" where there is nothing to find.
 *
 * Example  console.log(formatCocoReport(evaluation))
 */
export const formatCocoReport = ({ metrics, perClass }: CocoEvaluation): string => {
  const objects = perClass.reduce((sum, row) => sum + row.objects, 0);
  const lines = [
    ['class', 'objects', ...shown],
    ...perClass.map((row) => [row.name, String(row.objects), ...numbersOf(row.metrics)]),
    ['all', String(objects), ...numbersOf(metrics)],
  ];
  const widths = lines[0]!.map((_, i) => Math.max(...lines.map((line) => line[i]!.length)));
  const format = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join('  ')
      .trimEnd();
  return lines.map(format).join('\n');
};

const numbersOf = (metrics: CocoMetrics): string[] =>
  shown.map((name) => {
    const value = metrics[name];
    return value === null ? '-' : (value * 100).toFixed(1);
  });
