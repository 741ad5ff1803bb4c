// Loading weights by name: values, reports, prefixes, half-width floats, and files of another model.
import { key, leavesWithPaths, read } from '@autoassign/tensor';
import { describe, expect, it } from 'vitest';
import { WeightsError } from '../../src/errors.ts';
import { createDetector } from '../../src/model/detector.ts';
import { loadWeights } from '../../src/weights/loadWeights.ts';
import type { StoredTensor } from '../../src/weights/safetensors.ts';
import { tinyConfig } from '../tiny.ts';

const params = await createDetector(tinyConfig).init(key(0));
const stored: Record<string, StoredTensor> = {};
for (const [path, leaf] of leavesWithPaths(await createDetector(tinyConfig).init(key(1))))
  stored[path] = { dtype: 'F32', shape: leaf.shape, data: (await read(leaf)) as Float32Array };
const name = 'bbox_head.conv_cls.bias';
const clsBias = async (from: typeof params): Promise<unknown> => read(from.bbox_head.conv_cls.bias);
const { [name]: bias, ...withoutBias } = stored;

describe('loadWeights', () => {
  it('takes every array of a fitting file', async () => {
    const { params: loaded, report } = loadWeights(params, stored);
    expect(report).toEqual({ missing: [], unexpected: [], mismatched: [] });
    for (const [path, leaf] of leavesWithPaths(loaded)) expect(await read(leaf)).toEqual(stored[path]!.data);
  });

  it('names what is missing or of another shape', () => {
    expect(() => loadWeights(params, withoutBias, { label: 'a.safetensors' })).toThrow(WeightsError);
    expect(() => loadWeights(params, withoutBias, { label: 'a.safetensors' })).toThrow(
      `loadWeights(a.safetensors): needs an array '${name}', got none.`,
    );
    const other: StoredTensor = { dtype: 'F32', shape: [3], data: new Float32Array(3) };
    expect(() => loadWeights(params, { ...stored, [name]: other })).toThrow(
      `needs f32[2] for '${name}', got F32[3].`,
    );
    expect(() => loadWeights(params, {})).toThrow(/and \d+ more like it/);
  });

  it('keeps values and reports the differences when it need not fit', async () => {
    const other: StoredTensor = { dtype: 'F32', shape: [3], data: new Float32Array(3) };
    const { params: loaded, report } = loadWeights(
      params,
      { ...withoutBias, 'neck.other': bias!, 'bbox_head.conv_cls.bias': other },
      { strict: false },
    );
    expect(report).toEqual({
      missing: [],
      unexpected: ['neck.other'],
      mismatched: [{ name, wanted: 'f32[2]', found: 'F32[3]' }],
    });
    expect(await clsBias(loaded)).toEqual(await clsBias(params));
  });

  it('puts a prefix before the names of a pretrained backbone, whose batch counters it ignores', () => {
    const backbone = Object.fromEntries(
      Object.entries(stored)
        .filter(([path]) => path.startsWith('backbone.'))
        .map(([path, value]) => [path.slice('backbone.'.length), value]),
    );
    const counter: StoredTensor = { dtype: 'I64', shape: [], data: BigInt64Array.of(1n) };
    const file = { ...backbone, 'bn1.num_batches_tracked': counter };
    const { report } = loadWeights(params, file, { strict: false, prefix: 'backbone.' });
    expect(report.unexpected).toEqual([]);
    expect(report.missing.every((path) => !path.startsWith('backbone.'))).toBe(true);
    expect(report.missing.length).toBeGreaterThan(0);
  });

  it('widens half-width floats exactly and refuses integers', async () => {
    const load = (dtype: 'F16' | 'BF16' | 'U16', bits: readonly number[]): Promise<unknown> =>
      clsBias(
        loadWeights(params, { ...stored, [name]: { dtype, shape: [2], data: Uint16Array.from(bits) } })
          .params,
      );
    expect(await load('F16', [0x3c00, 0xc500])).toEqual(Float32Array.of(1, -5));
    expect(await load('F16', [0x0001, 0x03ff])).toEqual(Float32Array.of(2 ** -24, 1023 * 2 ** -24));
    expect(await load('F16', [0x7c00, 0x8000])).toEqual(Float32Array.of(Number.POSITIVE_INFINITY, -0));
    expect(await load('F16', [0x7e00, 0x7bff])).toEqual(Float32Array.of(Number.NaN, 65504));
    expect(await load('BF16', [0x3f80, 0xc0a0])).toEqual(Float32Array.of(1, -5));
    expect(() => load('U16', [1, 2])).toThrow('needs floating-point values, got U16');
  });

  it('leaves parameters alone that it does not touch', () => {
    const before = leavesWithPaths(params).map(([, leaf]) => leaf);
    loadWeights(params, stored);
    expect(leavesWithPaths(params).every(([, leaf], i) => leaf === before[i])).toBe(true);
  });
});
