// Steps in parts, the moving average, and recomputation: what they change of a training step, and what they must not.
import { sgd } from '@autoassign/autograd';
import type { Backend, Tree } from '@autoassign/tensor';
import {
  createBackend,
  evaluate,
  key,
  leaves,
  leavesWithPaths,
  read,
  release,
  scalar,
} from '@autoassign/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { batchTensors, type TrainingBatch } from '../../src/batch.ts';
import { resnet50Config } from '../../src/config.ts';
import { createDetector } from '../../src/model/detector.ts';
import { readCheckpoint, restoreState } from '../../src/train/checkpoint.ts';
import type { TrainEvent } from '../../src/train/events.ts';
import { train } from '../../src/train/loop.ts';
import { stepParts } from '../../src/train/parts.ts';
import type { TrainOptions } from '../../src/train/run.ts';
import { initialState, type TrainState } from '../../src/train/state.ts';
import { lossAndGradients, trainStep } from '../../src/train/step.ts';
import { freshState, optimizer, squareBatch, squareBatches, tinyConfig } from '../tiny.ts';

let backend: Backend;
beforeAll(async () => {
  backend = await createBackend('wasm');
});
afterAll(() => backend.destroy());

const contentsOf = async (tree: Tree): Promise<Map<string, unknown>> => {
  const entries = leavesWithPaths(tree).map(async ([path, leaf]) => [path, await read(leaf)] as const);
  return new Map(await Promise.all(entries));
};

const numbersOf = async (tree: Tree): Promise<number[]> =>
  (await Promise.all(leaves(tree).map(read))).flatMap((data) => [...data]);

const descent = sgd();
const descentState = async (): Promise<TrainState> =>
  initialState(tinyConfig, (await freshState()).params, descent);

/** The parameters, losses and gradient norm after one step of the given parts. */
const stepOf = async (
  batches: readonly TrainingBatch[],
): Promise<{ params: number[]; total: number; norm: number }> => {
  const taker = stepParts({ config: tinyConfig, optimizer: descent, backend, accumulate: batches.length });
  const state = await descentState();
  let result: Awaited<ReturnType<typeof taker.take>>;
  for (const batch of batches) {
    expect(result).toBeUndefined();
    result = await taker.take({ state, batch, rate: 1 });
  }
  const { losses, gradientNorm, state: next } = result!;
  const [total, norm] = [(await read(losses.total))[0]!, (await read(gradientNorm))[0]!];
  const params = await numbersOf(next.params);
  taker.destroy();
  release(result!);
  return { params, total, norm };
};

describe('a step in parts', () => {
  it('is made with the mean of the losses of its parts', async () => {
    const batches = [squareBatch(0), squareBatch(1, 2), squareBatch(5)];
    const { params } = await descentState();
    const alone = await Promise.all(
      batches.map((batch) =>
        evaluate(lossAndGradients({ config: tinyConfig }, params, batchTensors(batch)), { backend }),
      ),
    );
    const gradients = await Promise.all(alone.map((part) => numbersOf(part.gradients)));
    const totals = await Promise.all(alone.map(async (part) => (await read(part.losses.total))[0]!));
    const found = await stepOf(batches);
    expect(found.total).toBeCloseTo(
      totals.reduce((sum, x) => sum + x / 3, 0),
      5,
    );
    const before = await numbersOf(params);
    found.params.forEach((value, i) => {
      const mean = gradients.reduce((sum, part) => sum + part[i]! / 3, 0);
      expect(Math.abs(value - (before[i]! - mean))).toBeLessThan(1e-5 * (1 + Math.abs(value)));
    });
    release(alone);
  });

  it('of equal parts is the step of one of them', async () => {
    const [one, four] = [await stepOf([squareBatch(3)]), await stepOf(Array(4).fill(squareBatch(3)))];
    expect(four.total).toBeCloseTo(one.total, 5);
    expect(four.norm).toBeCloseTo(one.norm, 4);
    for (const [i, value] of four.params.entries()) expect(value).toBeCloseTo(one.params[i]!, 5);
  });

  it('leaves nothing on the backend', async () => {
    const before = backend.stats().buffers;
    await stepOf([squareBatch(0), squareBatch(1)]);
    expect(backend.stats().buffers).toBe(before);
  });
});

const ema = { decay: 0.9, rampSteps: 3 };

describe('the moving average', () => {
  it('is the one of its formula, and what is evaluated', async () => {
    const trained: number[][] = [];
    const averages: number[][] = [];
    const evaluated: number[][] = [];
    const step = trainStep({ config: tinyConfig, optimizer, backend, ema });
    const { params } = await freshState();
    let state = await initialState(tinyConfig, params, optimizer, { hasAverage: true });
    const start = await numbersOf(params);
    for (let i = 0; i < 4; i++) {
      const result = await step(state, batchTensors(squareBatch(i)), scalar(5e-3));
      state = result.state;
      trained.push(await numbersOf(state.params));
      averages.push(await numbersOf(state.ema!));
    }
    release(state);
    step.destroy();
    let expected = start;
    for (const [i, weights] of trained.entries()) {
      const d = 0.9 * (1 - Math.exp(-(i + 1) / 3));
      expected = expected.map((old, at) => d * old + (1 - d) * weights[at]!);
      for (const [at, value] of averages[i]!.entries()) expect(value).toBeCloseTo(expected[at]!, 5);
    }
    const options = await runOptions({ steps: 4, evaluateEvery: 4, schedule: () => 5e-3, accumulate: 1 });
    for await (const event of train(options)) {
      if (event.type === 'evaluate') evaluated.push(await numbersOf(event.params));
      if (event.type === 'done') release(event.state);
    }
    expect(evaluated).toEqual([averages.at(-1)]);
  });
});

const runOptions = async (change: Partial<TrainOptions> = {}): Promise<TrainOptions> => ({
  config: tinyConfig,
  optimizer,
  backend,
  ema,
  accumulate: 2,
  recompute: 'blocks',
  state: await initialState(tinyConfig, (await freshState()).params, optimizer, { hasAverage: true }),
  batches: squareBatches(0, 100),
  schedule: (step) => 5e-3 / (1 + step),
  steps: 5,
  ...change,
});

const runAll = async (
  options: TrainOptions,
): Promise<{ events: TrainEvent[]; values: Map<string, unknown> }> => {
  const events: TrainEvent[] = [];
  let values = new Map<string, unknown>();
  for await (const event of train(options)) {
    events.push(event);
    if (event.type !== 'done') continue;
    values = await contentsOf(event.state);
    release(event.state);
  }
  return { events, values };
};

describe('a run with all of it', () => {
  it('goes on bit for bit where a step was interrupted between its parts', async () => {
    const whole = await runAll(await runOptions());
    const stop = new AbortController();
    let file = new Uint8Array();
    async function* batches(): AsyncGenerator<TrainingBatch> {
      for (let i = 0; ; i++) {
        yield squareBatch(i);
        if (i === 4) stop.abort(); // the first part of the third step is done
      }
    }
    const save = async (bytes: Uint8Array): Promise<void> => {
      file = new Uint8Array(bytes);
    };
    const { events } = await runAll(await runOptions({ batches: batches(), signal: stop.signal, save }));
    expect(events.at(-1)).toMatchObject({ type: 'done', step: 2, reason: 'stopped' });
    const checkpoint = readCheckpoint(file);
    const { epoch, position } = checkpoint.data;
    const fresh = await runOptions();
    const resumed = await runAll({
      ...fresh,
      state: restoreState(fresh.state, checkpoint),
      batches: squareBatches(4 * epoch + position, 100),
    });
    expect(resumed.values).toEqual(whole.values);
    expect(resumed.values.size).toBeGreaterThan(whole.values.size / 2);
  });

  it('ends with what there is when it is enough', async () => {
    let asked = 0;
    const saved: number[] = [];
    const { events } = await runAll(
      await runOptions({
        recompute: 'none',
        isEnough: () => ++asked > 4,
        save: async (_, step) => {
          saved.push(step);
        },
      }),
    );
    const last = events.at(-1);
    expect(last).toMatchObject({ type: 'done', reason: 'enough' });
    expect(saved).toEqual([last?.step]);
    expect(last?.step).toBeLessThan(5);
  });

  it('names the images of the part that gave NaN, the terms and the parameters', async () => {
    async function* batches(): AsyncGenerator<TrainingBatch> {
      for (let i = 0; ; i++) {
        const batch = squareBatch(i);
        yield i === 3 ? { ...batch, images: batch.images.fill(Number.NaN, 7, 8) } : batch;
      }
    }
    const error = await runAll(await runOptions({ batches: batches(), recompute: 'none' })).then(
      () => undefined,
      (reason: Error) => reason,
    );
    expect(error?.message).toContain('train(step 2)');
    expect(error?.message).toContain('(images square-3.jpg)');
    expect(error?.message).toContain('not finite in the loss: negative');
    expect(error?.message).toMatch(/gradients of \S+, \S+, \S+ and \d+ more/);
  });
});

describe('recomputation of blocks', () => {
  const bottlenecks = {
    ...tinyConfig,
    backbone: {
      ...resnet50Config(['square', 'disc']).backbone,
      planes: [4, 4, 8, 8],
      depths: [2, 1, 2, 1],
      stem: { kind: 'pooled', width: 8 },
      frozenParts: 1,
    },
    neck: { channels: 8, stages: 3, extraLevels: 2 },
  } as const;
  const networks = [
    ['basic blocks with group norm', tinyConfig],
    ['bottlenecks with fixed norms', bottlenecks],
  ] as const;

  it.each(networks)('changes no bit of losses and gradients: %s', async (_, config) => {
    const params = await createDetector(config).init(key(3));
    const valuesWith = async (recompute: 'none' | 'blocks'): Promise<Map<string, unknown>> => {
      const computed = await evaluate(
        lossAndGradients({ config, recompute }, params, batchTensors(squareBatch(2, 2))),
        { backend },
      );
      const values = await contentsOf(computed);
      release(computed);
      return values;
    };
    expect(await valuesWith('blocks')).toEqual(await valuesWith('none'));
  });

  it('plans a step of a deep network in a tenth less memory', async () => {
    const config = {
      ...bottlenecks,
      backbone: { ...bottlenecks.backbone, depths: [4, 4, 4, 4], frozenParts: 0 },
    };
    const params = await createDetector(config).init(key(0));
    const bytesWith = async (recompute: 'none' | 'blocks'): Promise<number> => {
      const step = trainStep({ config, optimizer: descent, backend, recompute });
      const state = await initialState(config, params, descent);
      release(await step(state, batchTensors(squareBatch(0, 8)), scalar(0.01)));
      const planned = /(\d+) bytes of plan memory/.exec(step.describe());
      step.destroy();
      return Number(planned?.[1]);
    };
    expect(await bytesWith('blocks')).toBeLessThan(0.9 * (await bytesWith('none')));
  });
});
