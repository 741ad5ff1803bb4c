// What recipes stand for: the learning rates of the published trainers, numbers of steps, and which parameters are decayed.
import { checkpointLayout, resnet50Config } from '@autoassign/detector';
import { createBackend, evaluate, read, scalar } from '@autoassign/tensor';
import { describe, expect, it } from 'vitest';
import { demoRecipe, optimizerOf, scheduleOf, stepsPerEvaluation, totalSteps } from '../src/recipe.ts';
import type { TrainingRecipe } from '../src/runConfig.ts';

/** The paper's recipe for ResNet-50, 12 epochs. */
const paper: TrainingRecipe = {
  ...demoRecipe,
  batchSize: 16,
  length: { epochs: 12 },
  optimizer: { kind: 'sgd', momentum: 0.9, weightDecay: 1e-4 },
  rate: 0.01,
  rateBatchSize: 16,
  schedule: { kind: 'multiStep', milestones: [8, 11], factor: 0.1 },
  warmup: { steps: 1000, from: 0.001, form: 'mmdetection 3' },
  evaluate: { everyEpochs: 1 },
};
/** 7330 steps of 16. */
const images = 117_280;

describe('the learning rate of the paper', () => {
  it('of mmdetection 3 has its whole height at step 999 and falls after epochs 8 and 11', () => {
    const rate = scheduleOf(paper, images);
    const known: readonly (readonly [step: number, rate: number])[] = [
      [0, 0.01 * 0.001],
      [1, 0.01 * (0.001 + 0.999 / 999)],
      [500, 0.01 * (0.001 + (0.999 * 500) / 999)],
      [998, 0.01 * (0.001 + (0.999 * 998) / 999)],
      [999, 0.01],
      [58_639, 0.01],
      [58_640, 0.001],
      [80_629, 0.001],
      [80_630, 0.0001],
    ];
    for (const [step, expected] of known) expect(rate(step)).toBeCloseTo(expected, 15);
  });

  it('of mmdetection 2 and cvpods has it at step 1000', () => {
    const rate = scheduleOf({ ...paper, warmup: { ...paper.warmup, form: 'mmdetection 2' } }, images);
    expect(rate(0)).toBeCloseTo(0.01 * 0.001, 15);
    expect(rate(999)).toBeCloseTo(0.01 * (0.001 + (0.999 * 999) / 1000), 15);
    expect(rate(1000)).toBe(0.01);
  });

  it('is in proportion to the images of a step where it says which number it is meant for', () => {
    const halved = { ...paper, batchSize: 8 };
    expect(scheduleOf(halved, images)(5000)).toBeCloseTo(0.005, 15);
    const { rateBatchSize: _, ...fixed } = halved;
    expect(scheduleOf(fixed, images)(5000)).toBe(0.01);
  });

  it('may fall at fractions of an epoch', () => {
    const schedule = { kind: 'multiStep', milestones: [0.5], factor: 0.5 } as const;
    const rate = scheduleOf({ ...paper, schedule, warmup: { ...paper.warmup, steps: 0 } }, images);
    expect([3664, 3665].map(rate)).toEqual([0.01, 0.005]);
  });
});

it('counts steps and evaluations by epochs or as they are given', () => {
  expect(totalSteps(paper, images)).toBe(87_960);
  expect(stepsPerEvaluation(paper, images)).toBe(7330);
  expect(totalSteps({ ...paper, length: { steps: 3 } }, images)).toBe(3);
  expect(stepsPerEvaluation({ ...paper, length: { steps: 9 }, evaluate: { times: 2 } }, images)).toBe(5);
});

it('decays everything that is trained but scale and shift of norms, biases and priors included', async () => {
  const config = resnet50Config(['object']);
  const backend = await createBackend('cpu');
  const trained = checkpointLayout(config).filter(({ kind }) => kind === 'trained');
  const params = Object.fromEntries(trained.map(({ name }) => [name, scalar(1)]));
  const grads = Object.fromEntries(trained.map(({ name }) => [name, scalar(0)]));
  const optimizer = optimizerOf({ ...paper, clipNorm: 35 }, config);
  const state = optimizer.init(params);
  const { updates } = await evaluate(optimizer.update({ grads, state, params, rate: 1 }), { backend });
  const kept: string[] = [];
  for (const [name, update] of Object.entries(updates)) {
    const [change] = await read(update);
    if (change === 0) kept.push(name);
    else expect([name, change]).toEqual([name, Math.fround(-1e-4)]);
  }
  const norms = [0, 1, 2, 3].flatMap((i) => [`bbox_head.cls_convs.${i}.gn`, `bbox_head.reg_convs.${i}.gn`]);
  expect(new Set(kept)).toEqual(new Set(norms.flatMap((norm) => [`${norm}.weight`, `${norm}.bias`])));
  await backend.destroy();
});
