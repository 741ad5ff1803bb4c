// The WiderFace evaluation against numbers of a published port of its tools: every wider_*.json, with the MATLAB files beside it.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { evaluateWiderFace, readWiderFaceMats } from '@autoassign/datasets';
import { describe, expect, test } from 'vitest';
import { goldenRoot } from './root.ts';

const folder = join(goldenRoot(), 'eval');
const names = existsSync(folder) ? readdirSync(folder).sort() : [];
const files = names.filter((name) => /^wider_.*\.json$/.test(name));

interface GoldenCase {
  readonly case: string;
  readonly results: readonly {
    readonly event: string;
    readonly name: string;
    /** x, y, width, height, score. */
    readonly detections: readonly (readonly [number, number, number, number, number])[];
  }[];
  readonly expected: Readonly<
    Record<
      string,
      {
        readonly ap: number;
        readonly faces: number;
        readonly precision_every_50: readonly (number | null)[];
        readonly recall_every_50: readonly number[];
      }
    >
  >;
}

describe.runIf(files.length > 0)('evaluateWiderFace equals the published port', () => {
  test.each(files)('%s', async (file) => {
    const golden: GoldenCase = JSON.parse(readFileSync(join(folder, file), 'utf8'));
    const mat = (part: string): Uint8Array => readFileSync(join(folder, `${golden.case}_${part}_val.mat`));
    const settings = { easy: mat('easy'), medium: mat('medium'), hard: mat('hard') };
    const truth = await readWiderFaceMats({ faces: mat('face'), settings });
    const results = golden.results.map(({ event, name, detections }) => ({
      event,
      name,
      detections: detections.map(([x, y, width, height, score]) => ({
        bbox: [x, y, width, height] as const,
        score,
      })),
    }));
    const evaluation = evaluateWiderFace(truth, results);
    expect(Object.keys(evaluation)).toEqual(Object.keys(golden.expected));
    for (const [setting, expected] of Object.entries(golden.expected)) {
      const { ap, faces, precision, recall } = evaluation[setting]!;
      expect(faces).toBe(expected.faces);
      expect(Math.abs(ap! - expected.ap), `${setting}: ${ap}, not ${expected.ap}`).toBeLessThan(1e-9);
      for (const [i, value] of expected.recall_every_50.entries())
        expect(recall[50 * i]).toBeCloseTo(value, 12);
      for (const [i, value] of expected.precision_every_50.entries())
        expect(precision[50 * i]).toBeCloseTo(value ?? 0, 12);
    }
  });
});
