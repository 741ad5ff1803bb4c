// Networks with deformable convolutions: names of their parameters, and what they compute where nothing is moved.
import {
  createBackend,
  evaluate,
  key,
  leavesWithPaths,
  mapTree,
  mul,
  normal,
  read,
} from '@autoassign/tensor';
import { expect, it } from 'vitest';
import type { BackboneConfig } from '../../src/config.ts';
import { backboneFeatures, initBackbone } from '../../src/model/resnet.ts';

const plain: BackboneConfig = {
  stem: { kind: 'pooled', width: 8 },
  block: 'bottleneck',
  style: 'pytorch',
  cardinality: { groups: 2, widthPerGroup: 32 },
  planes: [4, 8],
  depths: [1, 2],
  strides: [1, 2],
  norm: { kind: 'group', channelsPerGroup: 4 },
  frozenParts: 0,
};
const deformable: BackboneConfig = { ...plain, deformable: [false, true] };

it('has offsets and mask in the deformable stages only, under the names of published checkpoints', () => {
  const shapes = leavesWithPaths(initBackbone(deformable, key(0)))
    .filter(([path]) => path.includes('conv_offset'))
    .map(([path, { shape }]) => [path, shape]);
  expect(shapes).toEqual([
    ['layer2.0.conv2.conv_offset.weight', [27, 8, 3, 3]],
    ['layer2.0.conv2.conv_offset.bias', [27]],
    ['layer2.1.conv2.conv_offset.weight', [27, 8, 3, 3]],
    ['layer2.1.conv2.conv_offset.bias', [27]],
  ]);
});

it('is the plain network at first, but that every tap counts half', async () => {
  const backend = await createBackend('cpu', { precision: 'f64' });
  const images = normal(key(1), [1, 3, 20, 28]);
  const params = initBackbone(deformable, key(0));
  // the filters make up for the half
  const doubled = mapTree(
    (leaf, path) => (/^layer2\.\d\.conv2\.weight$/.test(path) ? mul(leaf, 2) : leaf),
    params,
  );
  const features = {
    moved: backboneFeatures(deformable, doubled, images),
    plain: backboneFeatures(plain, params, images),
  };
  const results = await evaluate(features, { backend });
  for (const [stage, moved] of results.moved.entries()) {
    const expected = await read(results.plain[stage]!);
    const found = await read(moved);
    found.forEach((x, i) => {
      expect(Math.abs(x - expected[i]!)).toBeLessThan(1e-12);
    });
  }
  await backend.destroy();
});
