// Configurations: presets are valid, wrong fields are named, the hash depends on content alone.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { configHash, type DetectorConfig, demoConfig, featureLevels, resnet50Config } from '../src/config.ts';
import { ConfigError } from '../src/errors.ts';
import { locationCount } from '../src/geometry/points.ts';
import { deformableResnext101Config } from '../src/networks.ts';
import { validateConfig } from '../src/validateConfig.ts';
import { checkpointLayout } from '../src/weights/layout.ts';
import { tinyConfig } from './tiny.ts';

const presets = [
  demoConfig(['a', 'b']),
  resnet50Config(['a']),
  deformableResnext101Config(['a']),
  tinyConfig,
];
const copyOf = (config: DetectorConfig): DetectorConfig => JSON.parse(JSON.stringify(config));

/** The configuration with the value at a path replaced; undefined removes the field. */
const changed = (config: unknown, path: readonly string[], value: unknown): unknown => {
  const [first, ...rest] = path;
  if (first === undefined) return value;
  const copy = (Array.isArray(config) ? [...config] : { ...(config as object) }) as Record<string, unknown>;
  const inner = changed(copy[first], rest, value);
  if (inner === undefined) delete copy[first];
  else copy[first] = inner;
  return copy;
};

/** The paths of all fields, lists' places among them. */
const pathsOf = (value: unknown, path: readonly string[] = []): (readonly string[])[] =>
  typeof value === 'object' && value !== null
    ? Object.entries(value).flatMap(([name, inner]) => [[...path, name], ...pathsOf(inner, [...path, name])])
    : [];

describe('validateConfig', () => {
  it('accepts the presets, also after JSON', () => {
    for (const preset of presets) expect(validateConfig(copyOf(preset))).toEqual(preset);
  });

  const wrong: [path: string, value: unknown, message: string][] = [
    ['', 3, 'needs an object, got 3'],
    ['neck', undefined, 'validateConfig(neck): needs an object, got nothing'],
    ['head.conv', 2, 'validateConfig(head.conv): needs only the fields convs, groups, priorProbability'],
    ['head.Conv', 2, "got a field 'Conv'. Did you mean 'head.convs'?"],
    ['zzzzzzzz', 2, "got a field 'zzzzzzzz'. Remove it or correct its name."],
    ['neck', [], 'validateConfig(neck): needs an object, got []'],
    ['head.convs', undefined, 'validateConfig(head.convs): needs an integer of at least 1, got nothing'],
    ['backbone.norm', { kind: 'frozenBatch', channelsPerGroup: 8 }, 'needs only the fields kind'],
    ['loss.objectness', true, 'validateConfig(loss.objectness): needs one of implicit, explicit, off'],
    ['head.convs', '2', 'validateConfig(head.convs): needs an integer of at least 1, got "2"'],
    ['head.convs', 0, 'integer of at least 1, got 0'],
    ['head.priorProbability', 1, 'validateConfig(head.priorProbability): needs a number between 0 and 1'],
    ['head.distanceBias', Number.NaN, 'a finite number, got null'],
    ['classes', [], 'a list of at least 1'],
    ['classes', ['a', 'a'], 'validateConfig(classes): needs different names, got "a"'],
    ['classes.0', '', 'validateConfig(classes.0): needs a class name'],
    ['input.mean', [1, 2], 'validateConfig(input.mean): needs a list of three numbers'],
    ['input.std.1', 0, 'validateConfig(input.std.1): needs a number above 0'],
    ['input.order', 'RGB', 'validateConfig(input.order): needs one of rgb, bgr, got "RGB"'],
    ['backbone.stem.kind', 'deep', 'validateConfig(backbone.stem.kind): needs one of pooled, plain'],
    ['backbone.stem.width', 8, 'validateConfig(backbone.stem.width): needs only the fields kind, widths'],
    ['backbone.depths', [1, 1, 1], 'validateConfig(backbone.depths): needs 4 entries'],
    ['backbone.norm.channelsPerGroup', 3, 'a divisor of every width'],
    ['backbone.frozenParts', 6, 'at most stem and 4 stages'],
    ['backbone.deformable', [false, true, true, true], "nothing unless backbone.block is 'bottleneck'"],
    ['backbone.style', 'torch', 'validateConfig(backbone.style): needs one of caffe, pytorch, got "torch"'],
    [
      'backbone.cardinality',
      { groups: 4, widthPerGroup: 16 },
      "nothing unless backbone.block is 'bottleneck'",
    ],
    ['neck.stages', 5, 'validateConfig(neck.stages): needs at most the 4 stages there are, got 5'],
    ['head.groups', 7, 'a divisor of the 48 channels'],
    ['test.iouThreshold', 1.5, 'a number in [0, 1]'],
    ['loss.forceTopK', -1, 'an integer of at least 0'],
    [
      'loss.kind',
      'focal',
      'validateConfig(loss.kind): needs one of autoassign, fcos, atss, retinanet, freeanchor',
    ],
    [
      'loss.centerWeighting',
      'learnt',
      'validateConfig(loss.centerWeighting): needs one of learned, fixed, off',
    ],
    ['loss.confidenceWeighting', 1, 'needs true or false, got 1'],
    ['loss.objectness', null, 'validateConfig(loss.objectness): needs one of implicit, explicit, off'],
  ];
  it.each(wrong)('names %s = %j', (path, value, message) => {
    const config = changed(demoConfig(['a', 'b']), path === '' ? [] : path.split('.'), value);
    expect(() => validateConfig(config)).toThrow(ConfigError);
    expect(() => validateConfig(config)).toThrow(message);
  });

  it('refuses any document without failing in another way', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(() => validateConfig(value)).toThrow(ConfigError);
      }),
      { seed: 3 },
    );
  });

  it('takes any document near a preset for what it is: a configuration, or an error that names a field', () => {
    const part = fc.constantFrom(...presets.flatMap((preset) => pathsOf(preset)));
    const value = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.integer({ min: -2, max: 16 }),
      fc.constant(undefined),
    );
    let accepted = 0;
    fc.assert(
      fc.property(fc.constantFrom(...presets), part, value, (preset, path, replacement) => {
        const config = changed(copyOf(preset), path, replacement);
        try {
          expect(checkpointLayout(validateConfig(config)).length).toBeGreaterThan(0);
          accepted += 1;
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigError);
          expect((error as Error).message).toMatch(/^validateConfig\(.+\): needs .+, got .+\. .+[.?]$/s);
        }
      }),
      { seed: 4, numRuns: 300 },
    );
    expect(accepted).toBeGreaterThan(20);
  });
});

describe('configHash', () => {
  it('is the same in any order of fields and differs with any value', () => {
    const config = demoConfig(['a', 'b']);
    const reversed = Object.fromEntries(Object.entries(config).reverse()) as unknown as DetectorConfig;
    expect(configHash(reversed)).toBe(configHash(config));
    const others = [
      demoConfig(['b', 'a']),
      { ...config, head: { ...config.head, distanceBias: 4 } },
      ...presets.slice(1),
    ].map(configHash);
    expect(new Set([configHash(config), ...others]).size).toBe(others.length + 1);
    expect(configHash(config)).toMatch(/^[0-9a-f]{16}$/);
  });
});

describe('featureLevels', () => {
  it('gives 336 locations for the demo on 128 x 128', () => {
    expect(locationCount(featureLevels(demoConfig(['a']), 128, 128))).toBe(336);
  });
  it('gives the five levels of the paper, rounded up', () => {
    expect(featureLevels(resnet50Config(['a']), 128, 160)).toEqual([
      { height: 16, width: 20, stride: 8 },
      { height: 8, width: 10, stride: 16 },
      { height: 4, width: 5, stride: 32 },
      { height: 2, width: 3, stride: 64 },
      { height: 1, width: 2, stride: 128 },
    ]);
  });
});
