// Steps from outside: what is right passes unchanged, everything else is an error that names the step and the field.
import { DatasetError, parseSteps, type TransformStep } from '@autoassign/datasets';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const seed = 31;

const valid: readonly TransformStep[] = [
  { type: 'mosaic', size: 640 },
  { type: 'mosaic', size: 640, center: { from: 0.4, to: 0.6 }, fill: 0, probability: 0.5 },
  { type: 'crop', width: 300, height: { from: 200, to: 400 }, allowEmpty: true },
  { type: 'minimumIouCrop' },
  { type: 'minimumIouCrop', minimumIous: [0.5], smallest: 0.4 },
  { type: 'photometric' },
  {
    type: 'photometric',
    brightness: 16,
    contrast: 0.2,
    saturation: 0,
    hue: 9,
    swapChannels: 0,
    probability: 1,
  },
  { type: 'resize', shortSide: 800, longSide: 1333 },
  { type: 'resize', shortSide: [480, 800], longSide: 1333, enlarge: false },
  { type: 'resize', shortSide: { from: 480, to: 800 }, longSide: 1333 },
  { type: 'flip' },
  { type: 'flip', probability: 0.25, axis: 'vertical' },
  { type: 'normalizeJitter', gain: { from: 0.85, to: 1.15 }, offset: { from: -0.2, to: 0.2 } },
];

test('steps survive a trip through JSON', () => {
  expect(parseSteps(JSON.parse(JSON.stringify(valid)), 'recipe.json')).toEqual(valid);
});

describe('errors name the place and what is needed there', () => {
  test.each([
    [{}, 'parseSteps(recipe.json): needs steps to be a list of steps, got {}. Correct it.'],
    [
      ['flip'],
      'parseSteps(recipe.json): needs steps[0] to be an object with a "type", got "flip". Correct it.',
    ],
    [
      [{ type: 'flip' }, { type: 'fliip' }],
      /needs steps\[1\]\.type to be one of .*flip.*, got "fliip"\. Did you mean "flip"\?/,
    ],
    [[{ type: 'FLIP' }], /Did you mean "flip"\?/],
    [[{ type: 'sharpen' }], /got "sharpen"\. Correct it\./],
    [
      [{ type: 'flip', propability: 1 }],
      /got "propability" in a step of type flip\. Did you mean "probability"\?/,
    ],
    [
      [{ type: 'flip', probability: 1.5 }],
      /needs steps\[0\]\.probability to be a number from 0 to 1, got 1\.5/,
    ],
    [[{ type: 'flip', axis: 'x' }], /needs steps\[0\]\.axis to be "horizontal" or "vertical", got "x"/],
    [[{ type: 'resize', shortSide: 800 }], /needs steps\[0\]\.longSide to be a whole number .*, got nothing/],
    [[{ type: 'resize', shortSide: [], longSide: 9 }], /steps\[0\]\.shortSide .*, got \[\]/],
    [[{ type: 'resize', shortSide: { from: 9, to: 8 }, longSide: 9 }], /got \{"from":9,"to":8\}/],
    [[{ type: 'resize', shortSide: 2.5, longSide: 9 }], /got 2\.5/],
  ])('%j', (steps, message) => {
    expect(() => parseSteps(steps, 'recipe.json')).toThrow(message);
  });
});

test('anything at all either holds steps or is a DatasetError', () => {
  const anyField = fc.oneof(fc.anything(), fc.constantFrom(1, 0.5, true, 'vertical', { from: 1, to: 2 }));
  const anyStep = fc.dictionary(
    fc.constantFrom('type', 'shortSide', 'longSide', 'probability', 'axis', 'gain', 'offset', 'size'),
    fc.oneof(anyField, fc.constantFrom('resize', 'flip', 'mosaic', 'normalizeJitter')),
  );
  fc.assert(
    fc.property(fc.oneof(fc.anything({ withBigInt: true }), fc.array(anyStep)), (value) => {
      try {
        expect(parseSteps(value, 'here')).toBe(value);
      } catch (error) {
        expect(error).toBeInstanceOf(DatasetError);
        expect(String(error)).toMatch(/parseSteps\(here\): needs /);
      }
    }),
    { seed },
  );
});
