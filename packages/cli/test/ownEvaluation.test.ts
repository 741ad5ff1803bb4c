// The authors' evaluations in `eval`: what they say of perfect and of no detections, and the results files they leave.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Dataset, ImageDetections } from '@autoassign/datasets';
import { parseVocResults, parseWiderFaceResult, shapes } from '@autoassign/datasets';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ownEvaluationOf, writeOwnResults } from '../src/ownEvaluation.ts';

const made = shapes({ length: 6, split: 'validation' });

/** The shapes as a dataset of another format; WiderFace's pictures are in folders of events. */
const formatted = (format: Dataset['format']): Dataset => ({
  ...made,
  format,
  record: (index) => {
    const record = made.record(index);
    return format === 'widerface' ? { ...record, file: `0--Parade/${record.file}` } : record;
  },
});

const truth: readonly ImageDetections[] = Array.from({ length: made.length }, (_, index) => {
  const { annotations } = made.record(index);
  return {
    boxes: annotations.flatMap(({ box }) => [...box]),
    scores: annotations.map((_annotation, i) => 0.9 - i / 100),
    labels: annotations.map(({ label }) => label),
  };
});
const nothing: readonly ImageDetections[] = truth.map(() => ({ boxes: [], scores: [], labels: [] }));

const folderOf = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'autoassign-own-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
};

describe('PASCAL VOC', () => {
  it('gives the truth an AP of 1 and nothing one of 0, by both averages', async () => {
    const perfect = await ownEvaluationOf(formatted('voc'), truth, {});
    expect(perfect?.numbers).toMatchObject({ voc: { ap50: 1, ap50At11Points: 1 } });
    expect(perfect?.text).toContain('AP 100.0 (area), 100.0 (11 points)');
    const empty = await ownEvaluationOf(formatted('voc'), nothing, {});
    expect(empty?.numbers).toMatchObject({ voc: { ap50: 0, ap50At11Points: 0 } });
  });

  it('leaves a results file per class that reads back as the same boxes', async () => {
    const folder = await folderOf();
    const own = await ownEvaluationOf(formatted('voc'), truth, { split: 'val' });
    await writeOwnResults(folder, own!);
    const found = await Promise.all(
      made.classes.map(async (name) => {
        const file = join(folder, 'voc', `comp4_det_val_${name}.txt`);
        return parseVocResults(await readFile(file, 'utf8'), file, made.classes);
      }),
    );
    expect(found.flat().length).toBe(truth.reduce((sum, { scores }) => sum + scores.length, 0));
  });
});

describe('WiderFace', () => {
  it('leaves a results file per picture, and says what the three settings need', async () => {
    const folder = await folderOf();
    const own = await ownEvaluationOf(formatted('widerface'), truth, {});
    expect(own?.text).toContain('--wider-lists');
    await writeOwnResults(folder, own!);
    const name = made.record(0).file.replace('.jpg', '.txt');
    const file = join(folder, 'widerface', '0--Parade', name);
    expect(parseWiderFaceResult(await readFile(file, 'utf8'), file).detections.length).toBe(
      truth[0]!.scores.length,
    );
  });

  it('names the list that is missing', async () => {
    const widerLists = await folderOf();
    await expect(ownEvaluationOf(formatted('widerface'), truth, { widerLists })).rejects.toThrow(
      /^eval\(.*wider_(easy|medium|hard)_val\.mat\): needs the list .* \.mat files into the folder of --wider-lists\.$/,
    );
  });
});

it('leaves other formats alone', async () => {
  expect(await ownEvaluationOf(made, truth, {})).toBeUndefined();
});
