// The error analysis against numbers from TIDE's definitions: every errors_*.json of the golden folder, one test per file.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { analyseErrors, type CocoDetection, type CocoObject, type ErrorKind } from '@autoassign/datasets';
import { describe, expect, test } from 'vitest';
import { goldenRoot } from './root.ts';

const folder = join(goldenRoot(), 'eval');
const names = existsSync(folder) ? readdirSync(folder).sort() : [];
const files = names.filter((name) => /^errors_.*\.json$/.test(name));

interface GoldenCase {
  readonly images: readonly number[];
  readonly categories: readonly number[];
  readonly annotations: readonly CocoObject[];
  readonly detections: readonly CocoDetection[];
  readonly expected: {
    readonly ap: number;
    readonly kinds: Readonly<Record<ErrorKind, { readonly count: number; readonly gain: number }>>;
    /** Gains. */
    readonly wrong: number;
    readonly notFound: number;
    readonly notFoundCount: number;
  };
}

describe.runIf(files.length > 0)('analyseErrors follows TIDE', () => {
  test.each(files)('%s', (file) => {
    const golden: GoldenCase = JSON.parse(readFileSync(join(folder, file), 'utf8'));
    const analysis = analyseErrors(
      {
        images: golden.images.map((id) => ({ id })),
        categories: golden.categories.map((id) => ({ id })),
        annotations: golden.annotations,
      },
      golden.detections,
    );
    const { expected } = golden;
    expect(analysis.ap).toBeCloseTo(expected.ap, 12);
    expect(Object.keys(analysis.kinds)).toEqual(Object.keys(expected.kinds));
    for (const [kind, { count, gain }] of Object.entries(expected.kinds)) {
      const found = analysis.kinds[kind as ErrorKind];
      expect(found.count, kind).toBe(count);
      expect(found.gain, kind).toBeCloseTo(gain, 12);
    }
    expect(analysis.wrong.gain).toBeCloseTo(expected.wrong, 12);
    expect(analysis.notFound.gain).toBeCloseTo(expected.notFound, 12);
    expect(analysis.notFound.count).toBe(expected.notFoundCount);
  });
});
