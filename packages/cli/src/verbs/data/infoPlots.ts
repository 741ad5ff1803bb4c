// The plots of `data info`: objects of every class, sizes of boxes, objects per picture, sizes of pictures.
import type { DatasetStatistics } from '@autoassign/datasets';
import type { Bar } from '../../barChart.ts';
import { barChart } from '../../barChart.ts';
import { formatTick } from '../../ticks.ts';

const mostBars = 60;
const mostSizes = 20;

/** The SVG text of every plot by its name. */
export function datasetPlots(statistics: DatasetStatistics): Readonly<Record<string, string>> {
  const { boxes } = statistics;
  return {
    classes: barChart({
      title: 'Objects of every class',
      xLabel: 'class',
      yLabel: 'objects',
      bars: classBars(statistics),
      width: widthFor(statistics.classes.length),
    }),
    boxes: barChart({
      title: 'Sizes of boxes',
      xLabel: 'side √(width · height) from … px',
      yLabel: 'objects',
      bars: boxes.sideBins.map(({ from, count }) => ({
        name: formatTick(Number(from.toPrecision(3))),
        value: count,
      })),
      isHistogram: true,
    }),
    objects: barChart({
      title: 'Objects per picture',
      xLabel: 'objects',
      yLabel: 'pictures',
      bars: objectBars(statistics.imagesByObjects),
      isHistogram: true,
    }),
    pictures: barChart({
      title: 'Sizes of pictures',
      xLabel: 'width x height in px',
      yLabel: 'pictures',
      bars: sizeBars(statistics),
    }),
  };
}

/** Many classes need a wider chart. */
function widthFor(bars: number): number {
  return Math.max(800, Math.min(3000, 100 + 18 * bars));
}

function classBars({ classes }: DatasetStatistics): readonly Bar[] {
  return classes.map(({ name, objects }) => ({ name, value: objects }));
}

/** A bar for every number of objects, or for ranges of equal width where there are too many. */
function objectBars(imagesByObjects: readonly number[]): readonly Bar[] {
  const step = Math.max(1, Math.ceil(imagesByObjects.length / mostBars));
  return Array.from({ length: Math.ceil(imagesByObjects.length / step) }, (_, bar) => {
    const counts = imagesByObjects.slice(bar * step, (bar + 1) * step);
    const name = step === 1 ? String(bar) : `${bar * step}–${(bar + 1) * step - 1}`;
    return { name, value: counts.reduce((sum, count) => sum + count, 0) };
  });
}

function sizeBars({ pictureSizes }: DatasetStatistics): readonly Bar[] {
  const shown = pictureSizes.length > mostSizes ? pictureSizes.slice(0, mostSizes - 1) : pictureSizes;
  const rest = pictureSizes.slice(shown.length);
  const bars = shown.map(({ width, height, images }) => ({ name: `${width}x${height}`, value: images }));
  if (rest.length === 0) return bars;
  const value = rest.reduce((sum, { images }) => sum + images, 0);
  return [...bars, { name: `${rest.length} others`, value }];
}
