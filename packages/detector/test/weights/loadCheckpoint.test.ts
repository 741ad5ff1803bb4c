// Parameters from files of other programs: names, prefixes, classes, backbones, and what the report says of each.
import { key, leavesWithPaths, read } from '@autoassign/tensor';
import { describe, expect, it } from 'vitest';
import { type DetectorConfig, resnet50Config } from '../../src/config.ts';
import { WeightsError } from '../../src/errors.ts';
import { createDetector } from '../../src/model/detector.ts';
import type { Params } from '../../src/model/network.ts';
import { sourceOfBlob } from '../../src/weights/byteSource.ts';
import { loadCheckpoint } from '../../src/weights/loadCheckpoint.ts';
import { type NameScheme, theirNames } from '../../src/weights/names.ts';
import { type StoredTensor, writeSafetensors } from '../../src/weights/safetensors.ts';
import { writeTorch } from '../../src/weights/torch/writeTorch.ts';

const published = resnet50Config(['cat', 'dog', 'cow']);
/** The published network, an eighth as wide and with one block per stage. */
const config: DetectorConfig = {
  ...published,
  backbone: {
    ...published.backbone,
    stem: { kind: 'pooled', width: 4 },
    planes: [4, 4, 8, 8],
    depths: [1, 1, 1, 1],
  },
  neck: { ...published.neck, channels: 8 },
  head: { ...published.head, convs: 2, groups: 2 },
};

type Arrays = Readonly<Record<string, StoredTensor>>;

const valuesOf = async (params: Params): Promise<Record<string, unknown>> => {
  const values: Record<string, unknown> = {};
  for (const [name, leaf] of leavesWithPaths(params)) values[name] = await read(leaf);
  return values;
};
const params = await createDetector(config).init(key(1));
const initial = await valuesOf(await createDetector(config).init(key(0)));
const trained = await valuesOf(params);
const ours: Arrays = Object.fromEntries(
  leavesWithPaths(params).map(([name, { shape }], i) => {
    // no array is like another, and none is like its initial values
    const data = (trained[name] as Float32Array).map((x) => x + i + 1);
    return [name, { dtype: 'F32', shape, data }] as const;
  }),
);
const counter: StoredTensor = { dtype: 'I64', shape: [], data: BigInt64Array.of(9n) };
const withNames = (arrays: Arrays, nameOf: (name: string) => string): Arrays =>
  Object.fromEntries(Object.entries(arrays).map(([name, stored]) => [nameOf(name), stored]));
const inScheme = (scheme: NameScheme): Arrays => withNames(ours, (name) => theirNames(scheme)(name)!);
const backboneOnly = Object.fromEntries(
  Object.entries(ours).filter(([name]) => name.startsWith('backbone.')),
);

const expectOurs = async (found: Params, names: readonly string[] = Object.keys(ours)): Promise<void> => {
  const values = await valuesOf(found);
  for (const name of names) expect(values[name], name).toEqual(ours[name]!.data);
};

describe('a whole checkpoint', () => {
  const files: [string, Uint8Array, object][] = [
    [
      'our names, safetensors',
      writeSafetensors(ours),
      { container: 'safetensors', scheme: 'mmdetection', prefix: '' },
    ],
    [
      "mmdetection's, with counters of batches",
      writeTorch({ ...ours, 'backbone.bn1.num_batches_tracked': counter }),
      { container: 'torch zip', place: 'state_dict', scheme: 'mmdetection', unexpected: [] },
    ],
    [
      "Megvii's, with the input's mean",
      writeTorch({
        ...inScheme('megvii'),
        pixel_mean: { dtype: 'F32', shape: [3, 1, 1], data: new Float32Array(3) },
      }),
      { scheme: 'megvii', dropped: ['pixel_mean'], unexpected: [] },
    ],
    [
      'of data-parallel training',
      writeTorch(withNames(ours, (name) => `module.${name}`)),
      { scheme: 'mmdetection', prefix: 'module.' },
    ],
  ];
  it.each(files)('with names as %s', async (_, bytes, said) => {
    const { params: found, report } = await loadCheckpoint(bytes, config, { strict: true });
    await expectOurs(found);
    expect(report).toMatchObject({
      missing: [],
      mismatched: [],
      foreign: [],
      classMatch: undefined,
      ...said,
    });
    expect(report.loaded).toEqual(Object.keys(ours));
  });

  it('is read from a Blob', async () => {
    const { params: found } = await loadCheckpoint(
      sourceOfBlob(new Blob([writeTorch(ours) as BlobPart])),
      config,
    );
    await expectOurs(found);
  });

  it('widens half-width floats', async () => {
    const name = 'bbox_head.conv_cls.bias';
    const half: StoredTensor = { dtype: 'F16', shape: [3], data: Uint16Array.of(0x3c00, 0xc500, 0x0001) };
    for (const bytes of [
      writeTorch({ ...ours, [name]: half }),
      writeSafetensors({ ...ours, [name]: half }),
    ]) {
      const { params: found } = await loadCheckpoint(bytes, config);
      expect(await read(found.bbox_head.conv_cls.bias)).toEqual(Float32Array.of(1, -5, 2 ** -24));
    }
  });
});

describe('a backbone', () => {
  const file = withNames(backboneOnly, (name) => name.slice('backbone.'.length));
  const classifier: StoredTensor = { dtype: 'F32', shape: [1000, 32], data: new Float32Array(32_000) };

  it('fills its part, drops the classifier and leaves the rest as it begins', async () => {
    const { params: found, report } = await loadCheckpoint(
      writeTorch({ ...file, 'fc.weight': classifier }),
      config,
    );
    await expectOurs(found, Object.keys(backboneOnly));
    expect(report).toMatchObject({ scheme: 'backbone', dropped: ['fc.weight'], unexpected: [] });
    expect(report.missing).toEqual(Object.keys(ours).filter((name) => !name.startsWith('backbone.')));
    const values = await valuesOf(found);
    for (const name of report.missing) expect(values[name]).toEqual(initial[name]);
  });

  it('is not enough where everything is needed', async () => {
    const load = loadCheckpoint(writeTorch(file), config, { strict: true, label: 'resnet.pth' });
    await expect(load).rejects.toThrow(WeightsError);
    await expect(load).rejects.toThrow(
      "loadCheckpoint(resnet.pth): needs an array 'neck.lateral_convs.0.conv.weight'",
    );
  });
});

describe('other classes', () => {
  const rowsOf = (values: unknown, label: number, of: number): unknown[] => {
    const all = [...(values as Float32Array)];
    return all.slice((label * all.length) / of, ((label + 1) * all.length) / of);
  };
  const perClass = ['conv_cls.weight', 'conv_cls.bias', 'center_prior.mean', 'center_prior.sigma'].map(
    (name) => `bbox_head.${name}`,
  );
  const withClasses = (classes: readonly string[]): DetectorConfig => ({ ...config, classes });
  const bytes = writeTorch(ours, { meta: { CLASSES: ['cat', 'dog', 'cow'] } });

  it('are found by name, wherever they stand, and new ones begin anew', async () => {
    const classes = ['cow', 'horse', 'cat', 'sheep'];
    const fresh = await valuesOf(await createDetector(withClasses(classes)).init(key(5)));
    const { params: found, report } = await loadCheckpoint(bytes, withClasses(classes), { seed: 5 });
    expect(report.classMatch).toEqual({
      kept: ['cow', 'cat'],
      fresh: ['horse', 'sheep'],
      rows: [2, undefined, 0, undefined],
    });
    const values = await valuesOf(found);
    for (const name of perClass) {
      for (const [label, row] of [
        [0, 2],
        [2, 0],
      ] as const)
        expect(rowsOf(values[name], label, 4)).toEqual(rowsOf(ours[name]!.data, row, 3));
      for (const label of [1, 3])
        expect(rowsOf(values[name], label, 4)).toEqual(rowsOf(fresh[name], label, 4));
    }
    await expectOurs(
      found,
      Object.keys(ours).filter((name) => !perClass.includes(name)),
    );
  });

  it('of other names and number begin anew, and everything else is kept', async () => {
    const { params: found, report } = await loadCheckpoint(bytes, withClasses(['apple', 'pear']));
    expect(report.mismatched.map(({ name }) => name)).toEqual(perClass);
    expect(report.classMatch).toMatchObject({ kept: [], fresh: ['apple', 'pear'] });
    await expectOurs(
      found,
      Object.keys(ours).filter((name) => !perClass.includes(name)),
    );
  });

  it('of as many other names are taken as they stand', async () => {
    const { params: found, report } = await loadCheckpoint(bytes, withClasses(['x', 'y', 'z']), {
      strict: true,
    });
    expect(report.classMatch).toBeUndefined();
    await expectOurs(found);
  });

  it('may be a part of those of the file', async () => {
    const { params: found } = await loadCheckpoint(bytes, withClasses(['dog']), { strict: true });
    expect(await read(found.bbox_head.conv_cls.bias)).toEqual(
      (ours['bbox_head.conv_cls.bias']!.data as Float32Array).slice(1, 2),
    );
  });

  it('must all be there where everything is needed', async () => {
    const load = (classes: readonly string[]): Promise<unknown> =>
      loadCheckpoint(bytes, withClasses(classes), { strict: true });
    await expect(load(['dog', 'horse'])).rejects.toThrow("'horse' among them, got those for 1 of 2");
    await expect(load(['apple', 'pear'])).rejects.toThrow('got those for 0 of 2');
  });

  it('are named for the file by as many names as it has', async () => {
    const given = await loadCheckpoint(writeTorch(ours), withClasses(['c']), { classes: ['a', 'b', 'c'] });
    expect(given.report.classMatch).toEqual({ kept: ['c'], fresh: [], rows: [2] });
    const load = loadCheckpoint(writeTorch(ours), config, { classes: ['a', 'b'] });
    await expect(load).rejects.toThrow('needs the names of 3 classes');
  });
});

it('refuses a file of which nothing fits', async () => {
  const other = writeTorch({ 'encoder.weight': ours['bbox_head.conv_cls.bias']! });
  const load = loadCheckpoint(other, config, { label: 'other.pth' });
  await expect(load).rejects.toThrow(WeightsError);
  await expect(load).rejects.toThrow(
    'loadCheckpoint(other.pth): needs arrays of this configuration, got encoder.weight',
  );
});
