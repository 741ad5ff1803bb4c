// Precision over recall, for all classes together and for those with the most objects.
import type { CocoEvaluation } from '@autoassign/datasets';
import { lineChart } from './charts.ts';
import type { Point } from './svg.ts';

const mostClasses = 5;

/** Precision at the recalls of an evaluation, at one IoU, for areas and detections of every size and number. */
function curveOf({ precision, axes }: CocoEvaluation, iou: number, classIndex: number): readonly number[] {
  const [, recalls = 0, classes = 0, areas = 0, limits = 0] = precision.shape;
  const area = Math.max(0, axes.areas.indexOf('all'));
  return Array.from({ length: recalls }, (_, recall) => {
    const at = (((iou * recalls + recall) * classes + classIndex) * areas + area) * limits + limits - 1;
    return precision.data[at] ?? Number.NaN;
  });
}

/** The mean of the finite values; NaN when there is none. */
function meanOf(values: readonly number[]): number {
  const finite = values.filter(Number.isFinite);
  return finite.reduce((sum, value) => sum + value, 0) / finite.length;
}

/** The mean of the curves at every recall, over those that have a value there. */
function meanCurve(curves: readonly (readonly number[])[]): readonly number[] {
  const [first = []] = curves;
  return first.map((_, i) => meanOf(curves.map((curve) => curve[i] ?? Number.NaN)));
}

/**
 * The SVG text of the curves at the first IoU threshold, 0.5 unless the evaluation had others.
 *
 * Example  await writeFileAtomic('precision-recall.svg', precisionRecallChart(measured.evaluation))
 */
export function precisionRecallChart(evaluation: CocoEvaluation): string {
  const { axes, perClass } = evaluation;
  const curves = perClass.map(({ name, objects }, index) => ({
    name,
    objects,
    curve: curveOf(evaluation, 0, index),
  }));
  const shown = curves
    .filter(({ objects }) => objects > 0)
    .sort((a, b) => b.objects - a.objects)
    .slice(0, mostClasses);
  const all = { name: 'all classes', curve: meanCurve(curves.map(({ curve }) => curve)) };
  const series = [all, ...shown].map(({ name, curve }) => ({
    name,
    value: `AP ${(100 * meanOf(curve)).toFixed(1)}`,
    points: axes.recalls.map((recall, i): Point => [recall, curve[i] ?? Number.NaN]),
  }));
  const iou = axes.iouThresholds[0] ?? 0.5;
  return lineChart({
    title: `Precision and recall at IoU ${iou}`,
    xLabel: 'recall',
    yLabel: 'precision',
    series,
  });
}
