// The parts of drawings: SVG text, letters, colours, ticks and charts.
import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { lineChart, smooth, thin } from '../src/charts.ts';
import { classColour, textColourOn, viridis } from '../src/colours.ts';
import { drawText, textWidth } from '../src/glyphs.ts';
import type { Point, SvgNode } from '../src/svg.ts';
import { element, escapeXml, formatNumber, linePath, renderSvg, svgDocument } from '../src/svg.ts';
import { formatTick, linearTicks, logTicks } from '../src/ticks.ts';

/** Rejects when librsvg, an XML parser that is not ours, cannot read the text. */
async function parse(svg: string): Promise<{ width?: number; height?: number }> {
  return sharp(Buffer.from(svg)).metadata();
}

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const share = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

describe('SVG text', () => {
  it('is well-formed whatever the words are', async () => {
    await expect(
      parse('<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"><g></svg>'),
    ).rejects.toThrow();
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 20 }), async (words) => {
        const nodes = [element('text', { x: 1, y: 2, 'aria-label': words }, [words])];
        expect(await parse(svgDocument(30, 20, nodes))).toMatchObject({ width: 30, height: 20 });
      }),
      { seed: 3, numRuns: 60 },
    );
  });

  it('escapes markup and replaces what XML forbids', () => {
    expect(escapeXml('a<b & "c" \'d\'>')).toBe('a&lt;b &amp; &quot;c&quot; &#39;d&#39;&gt;');
    expect(escapeXml('\u0000\ud800\uffff\t😀')).toBe('\ufffd\ufffd\ufffd\t😀');
    expect(renderSvg(element('g', { a: '"' }, ['<', element('path', { d: 'M0 0', r: 1.005 })]))).toBe(
      '<g a="&quot;">&lt;<path d="M0 0" r="1"/></g>',
    );
  });

  it('writes numbers without exponents in the range of a drawing', () => {
    fc.assert(
      fc.property(fc.double({ min: -1e6, max: 1e6, noNaN: true }), (value) => {
        expect(formatNumber(value)).toMatch(/^-?\d+(\.\d{1,2})?$/);
        expect(Math.abs(Number(formatNumber(value)) - value)).toBeLessThanOrEqual(0.0051);
      }),
      { seed: 5 },
    );
    expect(formatNumber(-0.001)).toBe('0');
  });

  it('breaks a line at points that are not finite', () => {
    expect(
      linePath([
        [0, 1],
        [2, 3],
        [4, Number.NaN],
        [5, 6],
        [7, 8.126],
      ]),
    ).toBe('M0 1L2 3M5 6L7 8.13');
  });
});

describe('letters', () => {
  const style = { size: 10, colour: '#ffffff' };
  const paths = (text: string): string => renderSvg(drawText(text, 0, 0, style));

  it('has a glyph for every printable ASCII character, and a box for others', () => {
    const box = paths('漢').match(/d="[^"]*"/)?.[0] ?? 'none';
    for (let code = 33; code < 127; code += 1) expect(paths(String.fromCharCode(code))).not.toContain(box);
    expect(paths('é')).toBe(paths('e'));
    expect(paths(' ')).not.toContain('<path');
  });

  it('draws only paths, so that a machine without fonts shows the same', () => {
    const names = (node: SvgNode): readonly string[] =>
      typeof node === 'string' ? ['text'] : [node.name, ...node.children.flatMap(names)];
    expect(new Set(names(drawText('stop sign 0.87', 0, 0, { ...style, halo: '#000000' })))).toEqual(
      new Set(['g', 'path']),
    );
  });

  it('is as wide as it says, wherever it is anchored', async () => {
    const size = 40;
    const extent = async (anchor: 'start' | 'middle' | 'end'): Promise<readonly [number, number]> => {
      const text = drawText('HH', 200, 80, { size, colour: '#ffffff', anchor });
      const raw = sharp(Buffer.from(svgDocument(400, 120, [text])))
        .extractChannel(3)
        .raw();
      const { data } = await raw.toBuffer({ resolveWithObject: true });
      const columns = Array.from({ length: 400 }, (_, x) =>
        data.some((alpha, at) => at % 400 === x && alpha > 127),
      );
      return [columns.indexOf(true), columns.lastIndexOf(true) + 1];
    };
    const width = textWidth('HH', size);
    const ink = 5; // the stroke reaches half its width over either end
    for (const [anchor, left] of [
      ['start', 200],
      ['middle', 200 - width / 2],
      ['end', 200 - width],
    ] as const) {
      const [from, to] = await extent(anchor);
      expect(Math.abs(from - (left - ink / 2))).toBeLessThan(1.5);
      expect(Math.abs(to - (left + width + ink / 2))).toBeLessThan(1.5);
    }
    expect(textWidth('', 10)).toBe(0);
    expect(textWidth('ab', 10) + textWidth('c', 10)).toBeLessThan(textWidth('abc', 10));
  });
});

describe('colours', () => {
  it('viridis runs from dark violet to yellow and only gets lighter', () => {
    expect([viridis(0), viridis(1), viridis(-1), viridis(2), viridis(Number.NaN)]).toEqual([
      '#440154',
      '#fde725',
      '#440154',
      '#fde725',
      '#440154',
    ]);
    const lights = Array.from({ length: 101 }, (_, index) => luminance(viridis(index / 100)));
    for (let index = 1; index <= 100; index += 1)
      expect(lights[index]).toBeGreaterThan(lights[index - 1] ?? 1);
  });

  it('gives every class a colour that its name can be read on (contrast 4.5)', () => {
    for (let label = 0; label < 80; label += 1) {
      const pair = [luminance(classColour(label)), luminance(textColourOn(classColour(label)))];
      expect((Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05)).toBeGreaterThan(4.5);
    }
    expect(new Set(Array.from({ length: 8 }, (_, label) => classColour(label))).size).toBe(8);
  });
});

describe('ticks', () => {
  it('are round, even, and enclose the values', () => {
    expect(linearTicks(0, 2400, 7)).toEqual([0, 500, 1000, 1500, 2000, 2500]);
    expect(linearTicks(0, 0.785)).toEqual([0, 0.2, 0.4, 0.6, 0.8]);
    expect(linearTicks(3, 3)).toEqual([3, 4]);
    fc.assert(
      fc.property(
        fc.double({ min: -1e4, max: 1e4, noNaN: true }),
        fc.double({ min: 1e-3, max: 1e4, noNaN: true }),
        (least, span) => {
          const ticks = linearTicks(least, least + span);
          const [first = 0, second = 0] = ticks;
          const step = second - first;
          expect(first).toBeLessThanOrEqual(least + 1e-6 * step);
          expect(ticks.at(-1)).toBeGreaterThanOrEqual(least + span - 1e-6 * step);
          expect(ticks.length).toBeLessThanOrEqual(12);
          for (const [index, tick] of ticks.entries()) expect(tick).toBeCloseTo(first + index * step, 6);
        },
      ),
      { seed: 6 },
    );
  });

  it('of a log axis are 1, 2, 5 or powers of ten, and enclose the values', () => {
    expect(logTicks(0.06, 2.7)).toEqual([0.05, 0.1, 0.2, 0.5, 1, 2, 5]);
    expect(logTicks(1e-6, 30)).toEqual([1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.1, 1, 10, 100]);
    expect(logTicks(1, 1).length).toBeGreaterThan(1);
    expect([0, 0.25, 1500, 20_000, 0.00001, 2e6].map(formatTick)).toEqual([
      '0',
      '0.25',
      '1500',
      '20k',
      '1e-5',
      '2e6',
    ]);
  });
});

describe('charts', () => {
  const line = (length: number, value: (x: number) => number): readonly Point[] =>
    Array.from({ length }, (_, x) => [x, value(x)]);

  it('smooths without moving a constant or the middle of a slope', () => {
    expect(
      smooth(
        line(9, () => 3),
        5,
      ).map(([, y]) => y),
    ).toEqual(new Array(9).fill(3));
    expect(
      smooth(
        line(9, (x) => 2 * x),
        5,
      )[4],
    ).toEqual([4, 8]);
    expect(
      smooth(
        [
          [0, 1],
          [1, Number.NaN],
          [2, 3],
        ],
        3,
      ),
    ).toEqual([
      [0, 2],
      [2, 2],
    ]);
    expect(smooth([], 5)).toEqual([]);
  });

  it('thins long lines but keeps every spike', () => {
    const points = line(50_000, (x) => (x === 31_234 ? 99 : Math.sin(x)));
    const thinned = thin(points, 1000);
    expect(thinned.length).toBeLessThanOrEqual(1000);
    expect(thinned).toContainEqual([31_234, 99]);
    expect(thinned.every(([x], index) => index === 0 || x > (thinned[index - 1]?.[0] ?? 0))).toBe(true);
    expect(
      thin(
        line(10, () => 1),
        1000,
      ),
    ).toHaveLength(10);
  });

  const awkward: readonly (readonly [name: string, points: readonly Point[]])[] = [
    ['nothing', []],
    ['one point', [[3, 2]]],
    ['a constant', line(5, () => 0)],
    [
      'not a number',
      [
        [0, 1],
        [1, Number.NaN],
        [2, Number.POSITIVE_INFINITY],
        [3, 2],
      ],
    ],
    [
      'zeros and negatives',
      [
        [0, 0],
        [1, -3],
        [2, 2],
      ],
    ],
  ];
  it.each(awkward)('draws %s on both scales as well-formed SVG without NaN', async (_name, points) => {
    for (const yScale of ['linear', 'log'] as const) {
      const labels = { title: 'a < b & "c"', xLabel: 'step', yLabel: 'loss' };
      const svg = lineChart({ ...labels, yScale, series: [{ name: 's', points, smoothing: 3, dots: true }] });
      expect(await parse(svg)).toMatchObject({ width: 800, height: 420 });
      expect(svg).not.toMatch(/NaN|Infinity|undefined/);
    }
  });

  it('puts a value at its height and states the last one', () => {
    const points: readonly Point[] = [
      [0, 0],
      [500, 0.5],
      [1000, 1],
    ];
    const svg = lineChart({
      title: 't',
      xLabel: 'x',
      yLabel: 'y',
      series: [{ name: 'AP', points, dots: true }],
    });
    const dots = [...svg.matchAll(/<circle cx="([\d.]+)" cy="([\d.]+)"/g)].map(([, x, y]) => [
      Number(x),
      Number(y),
    ]);
    expect(dots).toEqual([
      [64, 368],
      [420, 222],
      [776, 76],
    ]);
    expect(svg).toContain('>AP 1<');
    const log = lineChart({
      title: 't',
      xLabel: 'x',
      yLabel: 'y',
      yScale: 'log',
      series: [
        {
          name: 'l',
          points: [
            [0, 1],
            [1, 10],
            [2, 100],
          ],
          dots: true,
        },
      ],
    });
    const heights = [...log.matchAll(/cy="([\d.]+)"/g)].map(([, y]) => Number(y));
    expect((heights[0] ?? 0) - (heights[1] ?? 0)).toBeCloseTo((heights[1] ?? 0) - (heights[2] ?? 0), 1);
  });
});
