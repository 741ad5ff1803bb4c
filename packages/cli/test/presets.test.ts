// The presets: each is valid, says where its values come from, and the published one states the published numbers.
import { configProblem, firstProblem } from '@autoassign/detector/schema';
import { describe, expect, it } from 'vitest';
import { presetDescriptions, presetNamed } from '../src/presets.ts';
import { scheduleOf, totalSteps } from '../src/recipe.ts';
import { settingsSchema } from '../src/settings/runSchema.ts';

const classes = ['a', 'b'];

describe.each(Object.keys(presetDescriptions))('preset %s', (name) => {
  const { detector, recipe, images, origin } = presetNamed(name);
  const settings = { detector: detector(classes), recipe, images };

  it('is valid', () => {
    expect(firstProblem(settingsSchema, settings)).toBeUndefined();
    expect(configProblem(settings.detector)).toBeUndefined();
  });

  it('says where its values come from, by paths that exist', () => {
    expect(origin.all).toBeDefined();
    for (const path of Object.keys(origin)) {
      if (path === 'all' || path === 'network') continue;
      const value = path
        .split('.')
        .reduce<unknown>((part, field) => (part as Record<string, unknown> | undefined)?.[field], settings);
      expect([path, value === undefined]).toEqual([path, false]);
    }
  });
});

describe('the published recipe', () => {
  /** COCO train2017 without images that have nothing to train on. */
  const images = 117_266;
  const { recipe } = presetNamed('autoassign-r50-fpn-1x-coco');
  const rate = scheduleOf(recipe, images);

  it('has 12 epochs of 7330 iterations', () => {
    expect(totalSteps(recipe, images) / 12).toBeCloseTo(7329.2, 0);
  });

  it('warms up over 1000 iterations from a thousandth, and falls by ten after 8 and 11 epochs', () => {
    expect(rate(0)).toBeCloseTo(1e-5, 12);
    expect(rate(500)).toBeCloseTo(0.01 * (0.001 + (0.999 * 500) / 999), 10);
    expect(rate(999)).toBeCloseTo(0.01, 10);
    const epoch = images / 16;
    expect(rate(Math.round(8 * epoch) - 2)).toBeCloseTo(0.01, 10);
    expect(rate(Math.round(8 * epoch) + 2)).toBeCloseTo(0.001, 10);
    expect(rate(Math.round(11 * epoch) + 2)).toBeCloseTo(0.0001, 10);
  });

  it('scales its rate with the batch size', () => {
    expect(scheduleOf({ ...recipe, batchSize: 2 }, images)(5000)).toBeCloseTo(0.01 / 8, 10);
  });
});
