// Photometric distortion, part by part: what each changes and what it leaves, in terms of the colours themselves.
import { applySteps, type PhotometricStep, type Sample } from '@autoassign/datasets';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anySample, sampleOf } from '../samples.ts';
import { anyKey, someKeys } from './anySteps.ts';

const seed = 39;
const nothing = { brightness: 0, contrast: 0, saturation: 0, hue: 0, swapChannels: 0, probability: 1 };

const distorted = (sample: Sample, step: Partial<PhotometricStep>, key: number): Sample =>
  applySteps([{ type: 'photometric', ...nothing, ...step }], sample, key);

/** Colours in the middle, where nothing is cut off. */
const middling = sampleOf(
  1,
  16,
  8,
  [[1, 1, 5, 5]],
  Uint8Array.from({ length: 384 }, (_, i) => 90 + ((i * 29) % 61)),
);

type Colour = readonly [number, number, number];
const coloursOf = ({ pixels: { data } }: Sample): Colour[] =>
  Array.from({ length: data.length / 3 }, (_, i) => [data[i * 3]!, data[i * 3 + 1]!, data[i * 3 + 2]!]);
const pairs = (sample: Sample): (readonly [Colour, Colour])[] =>
  coloursOf(sample).map((colour, i) => [coloursOf(middling)[i]!, colour]);

const highest = (colour: Colour): number => Math.max(...colour);
const range = (colour: Colour): number => highest(colour) - Math.min(...colour);

const turn = (degrees: number): number => ((((degrees + 180) % 360) + 360) % 360) - 180;

/** HSV's hue, in degrees: linear between the six full colours. */
const sectorHue = (colour: Colour): number => {
  const [red, green, blue] = colour;
  const most = highest(colour);
  const sixth =
    most === red
      ? (green - blue) / range(colour)
      : most === green
        ? 2 + (blue - red) / range(colour)
        : 4 + (red - green) / range(colour);
  return sixth * 60;
};

test('zero strengths change nothing', () => {
  fc.assert(
    fc.property(anySample, anyKey, (sample, key) => {
      for (const step of [{}, { probability: 0, brightness: 99, hue: 99 }]) {
        const { pixels, ...rest } = distorted(sample, step, key);
        expect(Buffer.compare(pixels.data, sample.pixels.data)).toBe(0);
        expect(rest).toEqual({ ...sample, pixels: undefined });
      }
    }),
    { seed, numRuns: 30 },
  );
});

describe('one part alone', () => {
  test('brightness adds one number to every byte, at most the given one', () => {
    const added = someKeys.map((key) => {
      const { data } = distorted(middling, { brightness: 32 }, key).pixels;
      const differences = new Set(data.map((byte, i) => byte - middling.pixels.data[i]! + 100));
      expect(differences.size).toBe(1);
      return [...differences][0]! - 100;
    });
    expect(Math.max(...added)).toBeGreaterThan(20);
    expect(Math.min(...added)).toBeLessThan(-20);
    expect(Math.max(...added.map(Math.abs))).toBeLessThanOrEqual(32);
  });

  test('contrast multiplies every byte by one number', () => {
    const factors = someKeys.map((key) => {
      const { data } = distorted(middling, { contrast: 0.5 }, key).pixels;
      const before = middling.pixels.data;
      const factor = data.reduce((sum, byte) => sum + byte, 0) / before.reduce((sum, byte) => sum + byte, 0);
      const errors = data.map((byte, i) => Math.ceil(Math.abs(byte - before[i]! * factor)));
      expect(Math.max(...errors)).toBeLessThanOrEqual(1);
      return factor;
    });
    expect(Math.max(...factors)).toBeGreaterThan(1.3);
    expect(Math.min(...factors)).toBeLessThan(0.7);
  });

  test('saturation multiplies the distance from grey, and leaves value and hue', () => {
    for (const key of someKeys.slice(0, 10)) {
      const found = pairs(distorted(middling, { saturation: 0.5 }, key)).filter(
        ([before]) => range(before) > 20,
      );
      const factors = found.map(([before, after]) => range(after) / range(before));
      expect(Math.max(...factors) - Math.min(...factors)).toBeLessThan(0.1);
      for (const [before, after] of found) {
        expect(highest(after)).toBe(highest(before));
        expect(Math.abs(turn(sectorHue(after) - sectorHue(before)))).toBeLessThan(6);
      }
    }
  });

  test('saturation ends where a channel is 0', () => {
    const strong = sampleOf(1, 1, 1, [], Uint8Array.of(200, 20, 110));
    const found = someKeys.map((key) => coloursOf(distorted(strong, { saturation: 1 }, key))[0]!);
    expect(found.every((colour) => highest(colour) === 200)).toBe(true);
    const full = found.filter(([, green]) => green === 0);
    expect(full.length).toBeGreaterThan(10);
    // Half way between the others, as before.
    for (const [, , blue] of full) expect(blue).toBe(100);
  });

  test('hue turns all colours by one angle, and leaves value and saturation', () => {
    const turns = someKeys.slice(0, 10).map((key) => {
      const found = pairs(distorted(middling, { hue: 120 }, key)).filter(([before]) => range(before) > 40);
      const angles = found.map(([before, after]) => turn(sectorHue(after) - sectorHue(before)));
      expect(Math.max(...angles) - Math.min(...angles)).toBeLessThan(4);
      for (const [before, after] of found)
        expect([highest(after), range(after)]).toEqual([highest(before), range(before)]);
      return angles[0]!;
    });
    expect(Math.max(...turns.map(Math.abs))).toBeLessThanOrEqual(122);
    expect(Math.max(...turns)).toBeGreaterThan(30);
    expect(Math.min(...turns)).toBeLessThan(-30);
  });

  test('the order of the channels is one of six, the same for all pixels', () => {
    const found = someKeys.map((key) => distorted(middling, { swapChannels: 1 }, key));
    const sorted = (sample: Sample): string =>
      coloursOf(sample)
        .map((colour) => colour.toSorted((a, b) => a - b))
        .join();
    for (const sample of found) expect(sorted(sample)).toBe(sorted(middling));
    expect(new Set(found.map(({ pixels }) => pixels.data.join())).size).toBe(6);
  });
});

test('contrast comes before saturation for some keys and after it for others, where clipping tells', () => {
  const bright = sampleOf(1, 1, 1, [], Uint8Array.of(250, 200, 150));
  const found = someKeys.map((key) => {
    // What is drawn does not depend on the strengths, so the parts can be looked at one by one.
    const contrast = meanOf(distorted(middling, { contrast: 0.5 }, key)) / meanOf(middling);
    const [, , blue] = coloursOf(distorted(bright, { saturation: 0.5 }, key))[0]!;
    const saturation = (250 - blue) / 100;
    const both = coloursOf(distorted(bright, { contrast: 0.5, saturation: 0.5 }, key))[0]!;
    const [first, last] = [blueIfFirst(contrast, saturation), blueIfLast(contrast, saturation)];
    if (Math.abs(first - last) < 8) return 'either';
    const place = Math.abs(both[2] - first) < Math.abs(both[2] - last) ? 'first' : 'last';
    expect(Math.abs(both[2] - (place === 'first' ? first : last))).toBeLessThanOrEqual(3);
    return place;
  });
  expect(new Set(found)).toEqual(new Set(['first', 'last', 'either']));
});

const meanOf = ({ pixels: { data } }: Sample): number =>
  data.reduce((sum, byte) => sum + byte, 0) / data.length;
const cut = (value: number): number => Math.min(Math.max(value, 0), 255);

/** The blue of (250, 200, 150): its distance from red is multiplied by the saturation. */
const blueIfFirst = (contrast: number, saturation: number): number =>
  cut(cut(250 * contrast) - (cut(250 * contrast) - 150 * contrast) * saturation);
const blueIfLast = (contrast: number, saturation: number): number => cut((250 - 100 * saturation) * contrast);
