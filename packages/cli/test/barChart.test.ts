// Bar charts and tables of text: heights tell the values, every name fits, and nothing from a file can break out.
import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import type { Bar } from '../src/barChart.ts';
import { barChart } from '../src/barChart.ts';
import { textTable } from '../src/textTable.ts';

const chartOf = (bars: readonly Bar[]): string =>
  barChart({ title: 'Objects', xLabel: 'class', yLabel: 'objects', bars });

/** The drawn bars by name: top and height. */
function drawnBars(svg: string): readonly { readonly y: number; readonly height: number }[] {
  const bars = /<rect x="[-\d.]+" y="([-\d.]+)" width="[\d.]+" height="([\d.]+)" fill="#0072b2">/g;
  return [...svg.matchAll(bars)].map(([, y, height]) => ({ y: Number(y), height: Number(height) }));
}

describe('bar charts', () => {
  it('draw heights in proportion to the values, from one base line, negative ones below it', () => {
    const bars = drawnBars(chartOf([10, 5, 0, -5].map((value, i) => ({ name: `${i}`, value }))));
    const [first, second, third, fourth] = bars;
    expect(bars).toHaveLength(4);
    expect(second?.height).toBeCloseTo((first?.height ?? 0) / 2, 1);
    expect(third?.height).toBe(0);
    expect(fourth?.height).toBeCloseTo(second?.height ?? 0, 1);
    expect((first?.y ?? 0) + (first?.height ?? 0)).toBeCloseTo(fourth?.y ?? 0, 1);
  });

  it('leave out what is not finite, and stand without bars', () => {
    const values = [Number.NaN, 3, Number.POSITIVE_INFINITY];
    expect(drawnBars(chartOf(values.map((value) => ({ name: 'x', value }))))).toHaveLength(1);
    expect(chartOf([])).toContain('</svg>');
  });

  it('are drawings that renderers read, with every bar on the paper, whatever the names and values', async () => {
    const anyBar = fc.record({
      name: fc.string({ unit: 'binary-ascii', maxLength: 40 }),
      value: fc.oneof(fc.nat(1_000_000), fc.double({ min: -1e6, max: 1e6, noNaN: true })),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(anyBar, { maxLength: 90 }), fc.boolean(), async (bars, isHistogram) => {
        const svg = barChart({ title: '<&>', xLabel: 'x', yLabel: 'y', bars, isHistogram });
        expect(await sharp(Buffer.from(svg)).metadata()).toMatchObject({ width: 800, height: 420 });
        for (const { y, height } of drawnBars(svg)) {
          expect(y).toBeGreaterThanOrEqual(63);
          expect(y + height).toBeLessThanOrEqual(420);
        }
      }),
      { numRuns: 12 },
    );
  });

  it('slant and thin names out where they do not fit side by side', () => {
    const names = (count: number, name: string): number =>
      chartOf(Array.from({ length: count }, () => ({ name, value: 1 }))).split(`>${name}</text>`).length - 1;
    expect(names(10, 'cat')).toBe(10);
    expect(names(40, 'aeroplane')).toBe(40);
    expect(names(400, 'aeroplane')).toBeLessThan(60);
    expect(chartOf([{ name: 'a class whose name is very long indeed', value: 1 }])).toContain(
      '>a class whose name is…<',
    );
  });
});

describe('tables', () => {
  it('set numbers to the right, with commas, and texts to the left', () => {
    expect(
      textTable(
        ['class', 'objects'],
        [
          ['RBC', 4155],
          ['Platelets', 361.25],
        ],
      ),
    ).toEqual(['class      objects', 'RBC          4,155', 'Platelets   361.25']);
  });

  it('count wide characters twice, and keep what could move the cursor from doing so', () => {
    expect(
      textTable(
        ['名', 'n'],
        [
          ['猫', 1],
          ['a\u001b[2J\nb', 2],
        ],
      ),
    ).toEqual(['名       n', '猫       1', 'a [2J b  2']);
  });
});
