// The scene of the evaluation suite, and what its text says of the toolkit that is or is not there.
import { evaluateCoco } from '@autoassign/datasets';
import { expect, test } from 'vitest';
import { sceneOf } from '../src/evaluation/scene.ts';
import { evaluationText } from '../src/suites/evaluation.ts';

const size = { images: 40, objects: 290, detections: 4000, classes: 8 };

test('a scene has the size asked for, is that of its seed, and is neither trivial nor hopeless', () => {
  const { truth, detections } = sceneOf(size, 3);
  expect([truth.images.length, truth.annotations.length, detections.length, truth.categories.length]).toEqual(
    [40, 290, 4000, 8],
  );
  expect(sceneOf(size, 3)).toEqual({ truth, detections });
  expect(sceneOf(size, 4)).not.toEqual({ truth, detections });
  const { AP, APs, APm, APl } = evaluateCoco(truth, detections).metrics;
  for (const value of [AP, APs, APm, APl]) {
    expect(value).toBeGreaterThan(0.1);
    expect(value).toBeLessThan(0.9);
  }
});

const row = {
  name: 'evaluation',
  threads: 1,
  unit: 'ms',
  ours: { median: 1000, min: 900, max: 1100 },
  cpuMillisecondsBy: { ours: 950, pycocotools: 9000 },
  peakBytes: { ours: 2 ** 28, pycocotools: 2 ** 30 },
} as const;

test('the text compares with the toolkit, or says that it is not there', () => {
  const peer = { median: 10_000, min: 9000, max: 11_000, version: '2.0', ratio: 10 };
  expect(evaluationText([{ ...row, peers: { pycocotools: peer } }])).toContain('10.0 times ours');
  const alone = evaluationText([{ ...row, peers: {}, absent: { pycocotools: 'no python3' } }]);
  expect(alone).toContain('256 MiB');
  expect(alone).toContain('without pycocotools: no python3');
  expect(alone).not.toContain('times ours');
});
