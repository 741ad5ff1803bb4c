// The VOC evaluation against numbers of a published implementation: every voc_*.json of the golden folder, one test per file.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Box, evaluateVoc, type VocDetection, type VocObject } from '@autoassign/datasets';
import { describe, expect, test } from 'vitest';
import { goldenRoot } from './root.ts';

const folder = join(goldenRoot(), 'eval');
const isThere = existsSync(folder);
const files = (isThere ? readdirSync(folder).sort() : []).filter((name) => /^voc_.*\.json$/.test(name));

interface GoldenCase {
  readonly num_classes: number;
  readonly images: readonly {
    readonly gt: {
      readonly bboxes: readonly Box[];
      readonly labels: readonly number[];
      readonly bboxes_ignore: readonly Box[];
      readonly labels_ignore: readonly number[];
    };
    /** Per class: x1, y1, x2, y2, score. */
    readonly detections_per_class: readonly (readonly (readonly [...Box, number])[])[];
  }[];
  readonly expected: readonly {
    readonly legacy_plus_one: boolean;
    readonly mode: '11points' | 'area';
    readonly iou_thr: number;
    readonly mAP: number;
    readonly per_class: readonly { ap: number; num_gts: number; num_dets: number; tp: number }[];
  }[];
}

const objectsOf = ({ gt }: GoldenCase['images'][number]): VocObject[] => [
  ...gt.bboxes.map((box, i) => ({ box, label: gt.labels[i]!, isDifficult: false })),
  ...gt.bboxes_ignore.map((box, i) => ({ box, label: gt.labels_ignore[i]!, isDifficult: true })),
];

describe.runIf(isThere)('evaluateVoc equals the published implementation', () => {
  test('there are cases', () => expect(files).not.toEqual([]));

  test.each(files)('%s', (file) => {
    const golden: GoldenCase = JSON.parse(readFileSync(join(folder, file), 'utf8'));
    const truth = {
      classes: Array.from({ length: golden.num_classes }, (_, label) => `class ${label}`),
      images: golden.images.map((image, i) => ({ id: String(i), objects: objectsOf(image) })),
    };
    const detections = golden.images.flatMap((image, i) =>
      image.detections_per_class.flatMap((ofClass, label) =>
        ofClass.map(
          ([x1, y1, x2, y2, score]): VocDetection => ({
            imageId: String(i),
            label,
            box: [x1, y1, x2, y2],
            score,
          }),
        ),
      ),
    );
    for (const expected of golden.expected) {
      const result = evaluateVoc(truth, detections, {
        iouThresholds: [expected.iou_thr],
        average: expected.mode === 'area' ? 'area' : '11 points',
        boxEnds: expected.legacy_plus_one ? 'pixels' : 'edges',
      });
      const name = `${expected.mode} at ${expected.iou_thr}`;
      expect(Math.abs(result.meanAp! - expected.mAP), name).toBeLessThan(1e-6);
      for (const [label, row] of expected.per_class.entries()) {
        const { ap, objects, detections: count, curves } = result.perClass[label]!;
        expect([objects, count, curves[0]!.hits], `${name}, class ${label}`).toEqual([
          row.num_gts,
          row.num_dets,
          row.tp,
        ]);
        if (row.num_gts === 0) expect(ap).toBeNull();
        else expect(Math.abs(ap! - row.ap), `${name}, class ${label}`).toBeLessThan(1e-6);
      }
    }
  });
});
