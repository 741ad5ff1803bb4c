// What an ablation says: its statistics against published tables and by simulation, its table, its variants.
import { demoConfig } from '@autoassign/detector';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ablationChart } from '../src/ablation/chart.ts';
import { pairedDifference, spreadOf, tQuantile } from '../src/ablation/statistics.ts';
import type { RunScores } from '../src/ablation/table.ts';
import { ablationCsv, ablationLines, ablationMarkdown, variantRows } from '../src/ablation/table.ts';
import { knownVariants, variantNames, variantSettings } from '../src/ablation/variants.ts';
import { UsageError } from '../src/exitCodes.ts';
import { smallImages } from '../src/imagePlan.ts';
import { demoRecipe } from '../src/recipe.ts';
import { assigned, withLayer } from '../src/settings/layers.ts';

const share = fc.double({ min: 0, max: 1, noNaN: true });
const seeded = { seed: 12, numRuns: 100 };

describe('statistics', () => {
  // Source: Abramowitz and Stegun (1964), table 26.10
  it.each([
    [1, 12.706],
    [2, 4.303],
    [3, 3.182],
    [4, 2.776],
    [5, 2.571],
    [9, 2.262],
    [10, 2.228],
    [29, 2.045],
    [120, 1.98],
  ])('has the quantile of the tables for %i degrees of freedom', (freedom, expected) => {
    expect(Math.abs(tQuantile(freedom) - expected)).toBeLessThan(6e-4);
  });

  it('gives intervals that cover the truth 95 times of 100', () => {
    const trials = 4000;
    const even = fc.noBias(fc.integer({ min: 1, max: 1e9 })).map((part) => part / 1e9);
    const numbers = fc.sample(even, { seed: 8, numRuns: 2 * 3 * trials });
    const noise = (i: number): number =>
      Math.sqrt(-2 * Math.log(numbers[2 * i]!)) * Math.cos(2 * Math.PI * numbers[2 * i + 1]!);
    let covered = 0;
    for (let trial = 0; trial < trials; trial += 1) {
      const pairs = [0, 1, 2].map((i) => [0.4 + 0.01 * noise(3 * trial + i), 0.3] as const);
      const [low, high] = pairedDifference(pairs)!.interval!;
      if (low < 0.1 && 0.1 < high) covered += 1;
    }
    expect(covered / trials).toBeGreaterThan(0.94);
    expect(covered / trials).toBeLessThan(0.96);
  });

  it('sees only differences, and turns them round with their pairs', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(share, share), { minLength: 2, maxLength: 6 }), share, (pairs, shift) => {
        const [plain, moved, turned] = [
          pairs,
          pairs.map(([a, b]) => [a + shift, b + shift] as const),
          pairs.map(([a, b]) => [b, a] as const),
        ].map((some) => pairedDifference(some)!);
        expect(moved!.mean).toBeCloseTo(plain!.mean, 12);
        expect(moved!.error!).toBeCloseTo(plain!.error!, 12);
        expect(turned!.mean).toBeCloseTo(-plain!.mean, 12);
        expect(turned!.interval![0]).toBeCloseTo(-plain!.interval![1], 12);
        const coversZero = plain!.interval![0] <= 0 && plain!.interval![1] >= 0;
        expect(plain!.claim === 'within noise').toBe(coversZero);
      }),
      seeded,
    );
  });

  it('claims nothing of a single pair, and is undefined without any', () => {
    expect(pairedDifference([[0.5, 0.4]])).toMatchObject({ count: 1, claim: 'one seed, no claim' });
    expect(pairedDifference([])).toBeUndefined();
    expect(spreadOf([2, 4, 9])).toEqual({ mean: 5, deviation: Math.sqrt(13), count: 3 });
    expect(spreadOf([0.25])).toEqual({ mean: 0.25, count: 1 });
  });
});

const run = (variant: string, seed: number, ap: number): RunScores => ({
  variant,
  seed,
  ap,
  ap50: ap + 0.2,
  ap75: ap - 0.1,
  seconds: 90,
});
const runs = [
  ...[0.4, 0.42, 0.41].map((ap, seed) => run('full', seed, ap)),
  ...[0.34, 0.37, 0.36].map((ap, seed) => run('no-center', seed, ap)),
  ...[0.41, 0.4].map((ap, seed) => run('fcos', seed, ap)),
  run('atss', 7, 0.3),
];
const rows = variantRows(['full', 'no-center', 'fcos', 'atss', 'freeanchor'], runs);

describe('the table', () => {
  it('compares seeds that both have with the first variant, and claims what the interval allows', () => {
    expect(rows.map(({ difference }) => difference?.claim)).toEqual([
      undefined,
      'worse',
      'within noise',
      undefined,
      undefined,
    ]);
    expect(rows.map(({ ap }) => ap.count)).toEqual([3, 3, 2, 1, 0]);
    expect(rows[2]!.difference).toMatchObject({ count: 2 });
    expect(rows[2]!.difference!.mean).toBeCloseTo(-0.005, 12);
  });

  it('shows points in the terminal and in Markdown, and says how to read them', () => {
    const lines = ablationLines(rows).join('\n');
    expect(lines).toMatch(/full +3 +41\.0 ± 1\.0 +61\.0 ± 1\.0/);
    expect(lines).toMatch(/no-center +3 .* -5\.3 ± 0\.3 +-6\.8 to -3\.9 +worse/);
    const text = ablationMarkdown('Ablation', 'Data: shapes.', rows);
    expect(text).toContain('| `fcos` | FCOS: centre sampling and scale ranges | 2 |');
    expect(text).toContain('With 2 comparisons at 95 %');
    expect(
      new Set(text.split('\n').flatMap((line) => (line.startsWith('|') ? line.split('|').length : []))),
    ).toEqual(new Set([11]));
  });

  it('keeps every digit in CSV', () => {
    const [head = '', ...lines] = ablationCsv(rows).trimEnd().split('\n');
    const names = head.split(',');
    const first = Object.fromEntries(lines[1]!.split(',').map((cell, i) => [names[i], cell]));
    expect(first).toMatchObject({ variant: 'no-center', seeds: '3', claim: 'worse' });
    expect(Number(first.difference)).toBe(rows[1]!.difference!.mean);
    expect(Number(first.interval_low)).toBe(rows[1]!.difference!.interval![0]);
    expect(lines.at(-1)).toBe(`freeanchor,0${','.repeat(12)}`);
  });

  it('is drawn with a dot for every run', () => {
    const svg = ablationChart(rows, runs);
    expect(svg.match(/<circle/g)).toHaveLength(runs.length);
    for (const { variant } of rows) expect(svg).toContain(`>${variant}</text>`);
    expect(svg).not.toMatch(/NaN|Infinity/);
  });
});

describe('variants', () => {
  it('are valid detectors that differ in nothing but their loss', () => {
    const base = { recipe: demoRecipe, images: smallImages, detector: demoConfig(['a', 'b']) };
    const losses = variantNames.map((name) => {
      const { detector, ...others } = withLayer(base, assigned(variantSettings(name)));
      expect({ ...others, detector: { ...detector, loss: base.detector.loss } }).toEqual(base);
      return JSON.stringify(detector.loss);
    });
    expect(losses[0]).toBe(JSON.stringify(base.detector.loss));
    expect(new Set(losses).size).toBe(variantNames.length);
  });

  it('are refused under a name that there is not, with the one that was meant', () => {
    expect(knownVariants(['fcos', 'full'])).toEqual(['fcos', 'full']);
    expect(() => knownVariants(['full', 'no-centre'])).toThrow(UsageError);
    expect(() => knownVariants(['full', 'no-centre'])).toThrow(
      /got 'no-centre'. Did you mean 'no-center'\? There/,
    );
  });
});
