// The schema of a run's configuration: what training writes fits, and every wrong field is named.

import { demoConfig } from '@autoassign/detector';
import { firstProblem } from '@autoassign/detector/schema';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { smallImages } from '../src/imagePlan.ts';
import { demoRecipe, photographRecipe } from '../src/recipe.ts';
import type { RunConfig } from '../src/runConfig.ts';
import { runSchema } from '../src/settings/runSchema.ts';

const shapesRun: RunConfig = {
  format: 3,
  seed: 0,
  backend: 'wasm',
  fma: false,
  precision: 'f32',
  data: { kind: 'shapes', folder: '/shapes', train: 9600, validation: 200 },
  imageCounts: { train: 9600, usable: 9600, validation: 200 },
  maxObjects: 8,
  images: smallImages,
  recipe: demoRecipe,
  detector: demoConfig(['a', 'b']),
};
const photographsRun: RunConfig = {
  ...shapesRun,
  preset: 'x',
  data: { kind: 'folder', folder: '/photos', trainSplit: 'train', onProblem: 'skip', followLinks: false },
  images: { ...smallImages, mostShapes: 3 },
  recipe: {
    ...photographRecipe,
    length: { epochs: 12 },
    optimizer: { kind: 'sgd', momentum: 0.9, weightDecay: 1e-4 },
    schedule: { kind: 'multiStep', milestones: [8, 11], factor: 0.1 },
    evaluate: { everyEpochs: 1 },
    ema: { decay: 0.999, rampSteps: 2000 },
    clipNorm: 35,
    rateBatchSize: 16,
    patience: 3,
    timeBudget: 3600,
  },
  init: '/weights',
};
const runs = [shapesRun, photographsRun];

/** The value with the one at a path replaced; undefined removes the field. */
function changed(value: unknown, [first, ...rest]: readonly string[], replacement: unknown): unknown {
  if (first === undefined) return replacement;
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<string, unknown>;
  const inner = changed(copy[first], rest, replacement);
  if (inner === undefined) delete copy[first];
  else copy[first] = inner;
  return copy;
}

/** The paths of all values in a value. */
function pathsOf(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => [
    [...path, name],
    ...pathsOf(inner, [...path, name]),
  ]);
}

describe('runSchema', () => {
  it('takes what training writes, after JSON too', () => {
    for (const run of runs) {
      expect(firstProblem(runSchema, run)).toBeUndefined();
      expect(firstProblem(runSchema, JSON.parse(JSON.stringify(run)))).toBeUndefined();
    }
  });

  it.each([
    ['format', 2, 'format', '3'],
    ['backend', 'gpu', 'backend', 'one of cpu, wasm, gpujs, webgpu'],
    ['recipe.batchsize', 4, 'recipe.batchsize', "Did you mean 'recipe.batchSize'?"],
    ['recipe.length', { steps: 0 }, 'recipe.length.steps', 'an integer of at least 1'],
    ['recipe.length', { epochs: 'x' }, 'recipe.length.epochs', 'a number above 0'],
    ['recipe.length', { steps: 1, epochs: 1 }, 'recipe.length', 'one of the fields steps, epochs'],
    ['recipe.length', {}, 'recipe.length', 'one of the fields steps, epochs'],
    ['recipe.length', null, 'recipe.length', 'one of the fields steps, epochs'],
    ['recipe.optimizer.momentum', 0.9, 'recipe.optimizer.momentum', 'only the fields kind, weightDecay'],
    ['recipe.optimizer.kind', 'adam', 'recipe.optimizer.kind', 'one of adamw, sgd'],
    ['recipe.augment', [{ type: 'flop' }], 'recipe.augment', 'flop'],
    ['recipe.ema', { decay: 2, rampSteps: 0 }, 'recipe.ema.decay', 'between 0 and 1'],
    ['images.train.shortSides', [], 'images.train.shortSides', 'a list of at least 1'],
    ['data.kind', 'web', 'data.kind', 'one of shapes, folder'],
    ['detector.head.convs', 0, 'detector.head.convs', 'an integer of at least 1'],
  ])('names %s = %j', (path, value, label, says) => {
    const problem = firstProblem(runSchema, changed(shapesRun, path.split('.'), value));
    expect(problem?.label).toBe(label);
    expect(`needs ${problem?.needs}, got ${problem?.got}. ${problem?.advice}`).toContain(says);
  });

  it('names the field for any damage, or one beside it where a kind was changed', () => {
    const part = fc.constantFrom(...runs.flatMap((run) => pathsOf(run).map((path) => [run, path] as const)));
    let refused = 0;
    fc.assert(
      fc.property(part, fc.jsonValue({ maxDepth: 2 }), ([run, path], value) => {
        const problem = firstProblem(runSchema, changed(run, path, value));
        if (problem === undefined) return;
        refused += 1;
        const around = path.slice(0, -1).join('.');
        // transforms are refused as a list
        expect(problem.label.startsWith(around) || around.startsWith(problem.label)).toBe(true);
        expect(problem.needs).not.toBe('');
      }),
      { seed: 5, numRuns: 500 },
    );
    expect(refused).toBeGreaterThan(300);
  });
});
