// Parameter names, shapes and counts, against the published checkpoint and the demo model's stated size.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { demoConfig, resnet50Config } from '../../src/config.ts';
import { resnet101Config, resnext101Config } from '../../src/networks.ts';
import { checkpointLayout, parameterCount } from '../../src/weights/layout.ts';

const fixture = new URL('../fixtures/checkpoint-r50.json', import.meta.url);
const published = JSON.parse(readFileSync(fixture, 'utf8')) as { entries: [string, number[], string][] };
const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `class ${i}`);

describe('ResNet-50 layout', () => {
  const layout = checkpointLayout(resnet50Config(names(80)));

  it('has the 379 names, shapes and kinds of the published checkpoint', () => {
    const found = new Map(layout.map(({ name, shape, kind }) => [name, { shape, kind }]));
    const wanted = new Map(published.entries.map(([name, shape, kind]) => [name, { shape, kind }]));
    expect(layout).toHaveLength(379);
    expect(found).toEqual(wanted);
  });

  it('has 36 426 458 parameters, 36 150 938 of them trained', () => {
    expect(parameterCount(resnet50Config(names(80)))).toBe(36_426_458);
    const trained = layout.filter(({ kind }) => kind === 'trained');
    const count = trained.reduce((sum, { shape }) => sum + shape.reduce((n, m) => n * m, 1), 0);
    expect(count).toBe(36_150_938);
  });
});

describe('layouts of larger networks', () => {
  it('has the 685 entries and 55 418 586 parameters of the published R-101 detector', () => {
    expect(checkpointLayout(resnet101Config(names(80)))).toHaveLength(685);
    expect(parameterCount(resnet101Config(names(80)))).toBe(55_418_586);
  });

  it('has 64 groups of 4, 8, 16 and 32 channels in ResNeXt-101, and the 81 406 272 parameters of its published classifier', () => {
    const layout = checkpointLayout(resnext101Config(names(80)));
    const shapeOf = (name: string) => layout.find((entry) => entry.name === name)?.shape;
    [256, 512, 1024, 2048].forEach((width, stage) => {
      const filter = `backbone.layer${stage + 1}.0.conv2.weight`;
      expect(shapeOf(filter)).toEqual([width, width / 64, 3, 3]);
    });
    const backbone = layout.filter(({ name, kind }) => name.startsWith('backbone.') && kind !== 'statistic');
    const count = backbone.reduce((sum, { shape }) => sum + shape.reduce((n, m) => n * m, 1), 0);
    // torchvision states 83 455 272 parameters with its 2048 x 1000 classifier and 1000 biases
    expect(count).toBe(83_455_272 - 2_049_000);
  });
});

describe('demo layout', () => {
  it('has the stated number of parameters, all trained', () => {
    expect(parameterCount(demoConfig(names(8)))).toBe(662_992);
    expect(parameterCount(demoConfig(names(3)))).toBe(660_807);
    expect(checkpointLayout(demoConfig(names(8))).every(({ kind }) => kind === 'trained')).toBe(true);
  });

  it('names group norms gn and the layers of its stem', () => {
    const found = checkpointLayout(demoConfig(names(8))).map(({ name }) => name);
    for (const name of [
      'backbone.stem.1.conv.weight',
      'backbone.stem.1.norm.bias',
      'backbone.layer1.0.gn2.weight',
      'backbone.layer2.0.downsample.0.weight',
      'backbone.layer2.0.downsample.1.weight',
    ])
      expect(found).toContain(name);
    expect(found).not.toContain('backbone.layer1.0.downsample.0.weight');
  });
});
