// The training loop: its events, stopping and resuming, and what it does when things go wrong.
import { cosine } from '@autoassign/autograd';
import { createBackend, key, leavesWithPaths, read, release, scalar } from '@autoassign/tensor';
import { describe, expect, it } from 'vitest';
import type { TrainingBatch } from '../../src/batch.ts';
import { createDetector } from '../../src/model/detector.ts';
import { readCheckpoint, restoreState, writeCheckpoint } from '../../src/train/checkpoint.ts';
import type { TrainEvent } from '../../src/train/events.ts';
import { train } from '../../src/train/loop.ts';
import type { TrainOptions } from '../../src/train/run.ts';
import type { TrainState } from '../../src/train/state.ts';
import { TrainingError } from '../../src/train/trainingError.ts';
import { loadWeights } from '../../src/weights/loadWeights.ts';
import { freshState, optimizer, squareBatch, squareBatches, tinyConfig, wasm } from '../tiny.ts';

const optionsFor = async (change: Partial<TrainOptions> = {}): Promise<TrainOptions> => ({
  config: tinyConfig,
  optimizer,
  backend: await wasm(),
  state: await freshState(),
  batches: squareBatches(0, 100),
  schedule: cosine({ rate: 5e-3, steps: 6 }),
  steps: 6,
  ...change,
});

/** Runs to the end; the contents of the final state by path, and the events without it. */
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

const contentsOf = async (state: TrainState): Promise<Map<string, unknown>> => {
  const entries = leavesWithPaths(state).map(async ([path, leaf]) => [path, await read(leaf)] as const);
  return new Map(await Promise.all(entries));
};

const typesOf = (events: readonly TrainEvent[]): string[] =>
  events.map(({ type, step }) => `${type} ${step}`);

describe('events', () => {
  it('come in order, at the asked intervals and after the last step', async () => {
    const saved: number[] = [];
    const { events } = await runAll(
      await optionsFor({
        readEvery: 2,
        checkpointEvery: 4,
        evaluateEvery: 5,
        save: async (_, step) => {
          saved.push(step);
        },
      }),
    );
    expect(typesOf(events)).toEqual([
      'step 2',
      'step 4',
      'checkpoint 4',
      'step 5',
      'evaluate 5',
      'step 6',
      'checkpoint 6',
      'evaluate 6',
      'done 6',
    ]);
    expect(saved).toEqual([4, 6]);
    const steps = events.filter((event) => event.type === 'step');
    for (const { losses, rate, imagesPerSecond, gradientNorm } of steps) {
      expect(Object.keys(losses.terms)).toEqual(['positive', 'negative', 'center']);
      expect(losses.total).toBeCloseTo(
        Object.values(losses.terms).reduce((a, b) => a + b),
        5,
      );
      expect(Math.min(rate, imagesPerSecond, gradientNorm)).toBeGreaterThan(0);
    }
    expect(steps[0]!.rate).toBeCloseTo(cosine({ rate: 5e-3, steps: 6 })(1), 10);
    expect(events.at(-1)).toMatchObject({ reason: 'finished', data: { epoch: 1, position: 2 } });
  });

  it('end when the batches do', async () => {
    const { events } = await runAll(await optionsFor({ batches: squareBatches(0, 3), readEvery: 10 }));
    expect(typesOf(events)).toEqual(['step 3', 'done 3']);
    expect(events.at(-1)).toMatchObject({ reason: 'out of data' });
  });

  it('give parameters to evaluate that a detector can predict with', async () => {
    const detector = createDetector(tinyConfig);
    for await (const event of train(await optionsFor({ steps: 1, evaluateEvery: 1 }))) {
      if (event.type !== 'evaluate') continue;
      const image = { ...squareBatch(0), sizes: [{ width: 32, height: 32 }], scales: [[1, 1] as const] };
      const { boxes, scores } = await detector.predict(event.params, image, { scoreThreshold: 0 });
      expect(boxes).toHaveLength(4 * scores.length);
      expect(scores.length).toBeGreaterThan(0);
    }
  });

  it('leave nothing behind when the consumer stops listening', async () => {
    const options = await optionsFor();
    for await (const event of train(options)) if (event.step === 2) break;
    expect(options.backend.stats().buffers).toBe(0);
  });
});

describe('stopping and resuming', () => {
  it.each(['cpu', 'wasm'] as const)('gives the same bits as an uninterrupted run, on %s', async (name) => {
    const whole = await runAll(await optionsFor({ backend: await createBackend(name) }));
    const stop = new AbortController();
    let file = new Uint8Array();
    const first = await optionsFor({
      backend: await createBackend(name),
      signal: stop.signal,
      seed: 7,
      notes: { from: 'here' },
      save: async (bytes) => {
        file = new Uint8Array(bytes);
      },
    });
    const events: TrainEvent[] = [];
    for await (const event of train(first)) {
      events.push(event);
      if (event.type === 'step' && event.step === 3) stop.abort();
    }
    expect(typesOf(events).slice(-2)).toEqual(['checkpoint 3', 'done 3']);
    expect(events.at(-1)).toMatchObject({ reason: 'stopped', data: { epoch: 0, position: 3 } });

    const checkpoint = readCheckpoint(file);
    expect(checkpoint).toMatchObject({ step: 3, seed: 7, notes: { from: 'here' }, config: tinyConfig });
    const { epoch, position } = checkpoint.data;
    const resumed = await runAll(
      await optionsFor({
        backend: await createBackend(name),
        state: restoreState(await freshState(99), checkpoint),
        batches: squareBatches(4 * epoch + position, 100),
      }),
    );
    expect(resumed.values).toEqual(whole.values);
  });

  it('stops before the next step when the signal comes while a batch is prepared', async () => {
    const stop = new AbortController();
    async function* batches(): AsyncGenerator<TrainingBatch> {
      yield squareBatch(0);
      stop.abort();
      yield squareBatch(1);
    }
    const { events } = await runAll(await optionsFor({ batches: batches(), signal: stop.signal }));
    expect(typesOf(events)).toEqual(['step 1', 'done 1']);
    expect(events.at(-1)).toMatchObject({ reason: 'stopped', data: { epoch: 0, position: 1 } });
  });
});

describe('a loss that is not finite', () => {
  const withNaN = async function* (bad: number): AsyncGenerator<TrainingBatch> {
    for (let i = 0; i < 100; i++) {
      const batch = squareBatch(i);
      yield i === bad ? { ...batch, images: batch.images.fill(Number.NaN, 7, 8) } : batch;
    }
  };

  it.each([1, 4])(
    'stops with the step, its images and the operation, reading every %i',
    async (readEvery) => {
      const good = await runAll(await optionsFor({ steps: 2 }));
      let file = new Uint8Array();
      const options = await optionsFor({
        batches: withNaN(2),
        readEvery,
        save: async (bytes) => {
          file = new Uint8Array(bytes);
        },
      });
      const error = await runAll(options).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error).toBeInstanceOf(TrainingError);
      const { message, step, state } = error as TrainingError;
      expect(step).toBe(3);
      expect(message).toContain('train(step 3): needs a finite loss and gradient');
      expect(message).toContain('square-2.jpg');
      expect(message).toContain('backbone.stem.0.conv');
      expect(message).toContain('conv2d(');
      const kept = await contentsOf({ ...state, failedAt: state.step });
      expect(kept.get('step')).toEqual(Int32Array.of(2));
      for (const [path, value] of kept)
        if (path.startsWith('params.')) expect([path, value]).toEqual([path, good.values.get(path)]);
      expect(readCheckpoint(file)).toMatchObject({ step: 2, data: { epoch: 0, position: 2 } });
      release(state);
      expect(options.backend.stats().buffers).toBe(0);
    },
  );
});

describe('other failures', () => {
  it('saves what was done when the batches fail', async () => {
    async function* failing(): AsyncGenerator<TrainingBatch> {
      yield squareBatch(0);
      throw new Error('cannot read image 1');
    }
    const saved: number[] = [];
    const options = await optionsFor({
      batches: failing(),
      save: async (_, step) => {
        saved.push(step);
      },
    });
    await expect(runAll(options)).rejects.toThrow('cannot read image 1');
    expect(saved).toEqual([1]);
    expect(options.backend.stats().buffers).toBe(0);
  });

  it('reports a full disk once', async () => {
    let attempts = 0;
    const options = await optionsFor({
      checkpointEvery: 1,
      save: async () => {
        attempts++;
        throw new Error('ENOSPC: no space left on device');
      },
    });
    await expect(runAll(options)).rejects.toThrow('ENOSPC');
    expect(attempts).toBe(1);
  });
});

describe('checkpoints', () => {
  it('hold the weights under their published names', async () => {
    const state = await freshState(3);
    const bytes = await writeCheckpoint(state, {
      config: tinyConfig,
      data: { epoch: 0, position: 0 },
      seed: 0,
    });
    const other = await createDetector(tinyConfig).init(key(4));
    const { params, report } = loadWeights(other, readCheckpoint(bytes).tensors);
    expect(report).toEqual({ missing: [], unexpected: [], mismatched: [] });
    expect(await contentsOf({ ...state, params })).toEqual(await contentsOf(state));
  });

  it('of another detector or optimiser are refused, naming the array', async () => {
    const state = await freshState();
    const info = { config: tinyConfig, data: { epoch: 0, position: 0 }, seed: 0 };
    const checkpoint = readCheckpoint(await writeCheckpoint(state, info));
    const { sigma, mean } = state.params.bbox_head.center_prior;
    expect(() => restoreState({ ...state, optimizer: { sigma } }, checkpoint, 'a.safetensors')).toThrow(
      "restoreState(a.safetensors): needs f32[2,2] for 'training.optimizer.sigma', got none",
    );
    expect(() => restoreState({ ...state, optimizer: {} }, checkpoint)).toThrow('training.optimizer.mean');
    const wider = { ...state, step: mean };
    expect(() => restoreState(wider, checkpoint)).toThrow("f32[2,2] for 'training.step', got I32[]");
  });

  it('that are none are refused', async () => {
    const { writeSafetensors } = await import('../../src/weights/safetensors.ts');
    expect(() => readCheckpoint(writeSafetensors({}))).toThrow('a file without a format');
    const format = 'autoassign training checkpoint 1';
    expect(() => readCheckpoint(writeSafetensors({}, { format }))).toThrow("a damaged 'config'");
    const metadata = { format, config: '{}', data: 'null', notes: '{}', seed: '0' };
    expect(() => readCheckpoint(writeSafetensors({}, metadata))).toThrow('data position');
  });

  it('whose arrays were damaged on the disk are refused, wherever the damage is', async () => {
    const info = { config: tinyConfig, data: { epoch: 0, position: 0 }, seed: 0 };
    const bytes = await writeCheckpoint(await freshState(), info);
    const header = 8 + Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
    for (const at of [header, Math.floor((header + bytes.length) / 2), bytes.length - 1]) {
      const damaged = bytes.slice();
      damaged[at]! ^= 1;
      expect(() => readCheckpoint(damaged, 'last.safetensors')).toThrow(
        /readCheckpoint\(last\.safetensors\): needs arrays with the checksum [0-9a-f]{8}/,
      );
    }
  });

  it('of a step below 0 are refused', async () => {
    const info = { config: tinyConfig, data: { epoch: 0, position: 0 }, seed: 0 };
    const state = { ...(await freshState()), step: scalar(-1, 'i32') };
    const bytes = await writeCheckpoint(state, info);
    expect(() => readCheckpoint(bytes)).toThrow('seed or step is damaged');
  });
});
