// The settings of a new run: which of preset, data, file, options and words has the last word.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCoco, writeShapes } from '@autoassign/datasets';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { OpenedData } from '../src/dataSource.ts';
import type { TrainOptions } from '../src/options.ts';
import { presetNamed } from '../src/presets.ts';
import type { Settings } from '../src/settings/runSchema.ts';
import { layersOf, settingsFor } from '../src/verbs/runSettings.ts';

const preset = presetNamed('small');
let folder = '';
let data: OpenedData;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'layers-'));
  await writeShapes(join(folder, 'shapes'), { train: 6, validation: 2 });
  const [train, validation] = [
    await openCoco(join(folder, 'shapes'), { split: 'train' }),
    await openCoco(join(folder, 'shapes'), { split: 'val' }),
  ];
  data = { train, validation, notes: [] };
  const text =
    'recipe:\n  batchSize: 3\n  rate: 0.5\n  length: { steps: 7 }\ndetector:\n  input: { padMultiple: 64 }\n';
  await writeFile(join(folder, 'file.yaml'), text);
});
afterAll(() => rm(folder, { recursive: true }));

const settingsOf = async (options: Partial<TrainOptions>): Promise<Settings> => {
  const all: TrainOptions = { out: 'o', name: 'n', backend: 'wasm', seed: 0, settings: [], ...options };
  return settingsFor(preset, await layersOf(all), all, data);
};

it('the preset, fitted to the data', async () => {
  const { recipe, detector, images } = await settingsOf({});
  expect(images).toEqual(preset.images);
  expect(recipe).toEqual(preset.recipe);
  expect(detector.classes).toEqual(data.train.classes);
  expect(detector.input.mean).not.toEqual(preset.detector(['a']).input.mean);
});

it('then the file, the options and the words, each after the one before', async () => {
  const config = join(folder, 'file.yaml');
  const file = await settingsOf({ config });
  expect(file.recipe).toMatchObject({ batchSize: 3, rate: 0.5, length: { steps: 7 } });
  expect(file.detector.input.padMultiple).toBe(64);
  const options = await settingsOf({ config, batch: 2, steps: 9, flips: 'none' });
  expect(options.recipe).toMatchObject({ batchSize: 2, rate: 0.5, length: { steps: 9 } });
  expect(options.recipe.augment.map(({ type }) => type)).toEqual(['normalizeJitter']);
  const settings = ['recipe.batchSize=1', 'recipe.length.epochs=2', 'detector.input.mean=[1, 2, 3]'];
  const words = await settingsOf({ config, batch: 2, steps: 9, settings });
  expect(words.recipe).toMatchObject({ batchSize: 1, rate: 0.5, length: { epochs: 2 } });
  expect(words.detector.input).toMatchObject({ mean: [1, 2, 3], padMultiple: 64 });
});

it('a step never has more images than there are', async () => {
  expect((await settingsOf({ settings: ['recipe.batchSize=99'] })).recipe.batchSize).toBe(6);
});
