// The error analysis of a detector as a bar chart.
import type { ErrorAnalysis } from '@autoassign/datasets';
import { barChart } from './barChart.ts';

/**
 * The SVG text of a chart of what each kind of error costs, with how often it happens.
 *
 * Example  await writeFileAtomic('errors.svg', errorChart(analyseErrors(groundTruth, detections)))
 */
export function errorChart({ kinds, iouThreshold, ap }: ErrorAnalysis): string {
  const name = `AP${Math.round(100 * iouThreshold)}`;
  const share = ap === null ? '' : ` (${name} ${(100 * ap).toFixed(1)})`;
  return barChart({
    title: `What the errors cost${share}`,
    xLabel: 'kind of error, and how often it happens',
    yLabel: `${name} gained by fixing it alone, in percent`,
    bars: Object.entries(kinds).map(([kind, { count, gain }]) => ({
      name: `${kind} (${count})`,
      value: Number((100 * (gain ?? 0)).toFixed(2)),
    })),
  });
}
