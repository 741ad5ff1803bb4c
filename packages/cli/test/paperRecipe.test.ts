// Runs by a recipe like the paper's: they repeat and continue bit for bit, keep the averaged weights, and end early where they should.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readSafetensors, type StoredTensor } from '@autoassign/detector';
import { createBackend, leavesWithPaths, read } from '@autoassign/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TrainingRecipe } from '../src/runConfig.ts';
import { loadDetector } from '../src/weightsFile.ts';
import { readEvents } from './eventFile.ts';
import { blockImages, logLines, runTiny, testFolder, writeCocoFolder } from './tinyRuns.ts';

let place: Awaited<ReturnType<typeof testFolder>>;
let out: string;
let words: readonly string[];
beforeAll(async () => {
  place = await testFolder();
  out = join(place.folder, 'runs');
  const data = join(place.folder, 'blocks');
  await writeCocoFolder(data, { train: blockImages(8, 'a'), val: blockImages(2, 'b') });
  words = ['train', '--data', data, '--out', out];
});
afterAll(() => place.remove());

/** Everything of the paper's recipe, and what else there is: 4 steps of two images, one by one. */
const recipe: Partial<TrainingRecipe> = {
  accumulate: 2,
  length: { steps: 4 },
  optimizer: { kind: 'sgd', momentum: 0.9, weightDecay: 1e-4 },
  rate: 0.01,
  rateBatchSize: 16,
  schedule: { kind: 'multiStep', milestones: [0.5], factor: 0.1 },
  warmup: { steps: 3, from: 0.001, form: 'mmdetection 3' },
  clipNorm: 35,
  ema: { decay: 0.9, rampSteps: 2 },
  recompute: 'blocks',
};

async function tensorsIn(...path: readonly string[]): Promise<Readonly<Record<string, StoredTensor>>> {
  return readSafetensors(new Uint8Array(await readFile(join(...path)))).tensors;
}

describe('the paper’s recipe', () => {
  it('continues bit for bit', async () => {
    expect((await runTiny([...words, '--name', 'whole', '--quiet'], { recipe })).exitCode).toBe(0);
    const stopped = await runTiny([...words, '--name', 'stopped', '--json'], {
      recipe,
      interruptAt: ({ event, step }) => event === 'step' && step === 3,
    });
    expect(stopped.exitCode).toBe(130);
    expect((await runTiny(['train', '--resume', join(out, 'stopped'), '--quiet'])).exitCode).toBe(0);
    for (const file of ['last.safetensors', 'best.safetensors'])
      expect(await tensorsIn(out, 'stopped', file)).toEqual(await tensorsIn(out, 'whole', file));
    const [whole, resumed] = await Promise.all(['whole', 'stopped'].map((name) => logLines(join(out, name))));
    expect(resumed).toEqual(whole);
    const rates = (whole as { readonly event: string; readonly rate: number }[])
      .filter(({ event }) => event === 'step')
      .map(({ rate }) => rate);
    // 2 of 16 images: an eighth of 0.01, down after half of the four steps of an epoch; so few steps have no warm-up
    const expected = [1, 1, 0.1, 0.1].map((factor) => 0.00125 * factor);
    rates.forEach((rate, i) => {
      expect(rate).toBeCloseTo(expected[i] ?? Number.NaN, 12);
    });
  });

  it('tells TensorBoard and the tools of mmdetection of every step once', async () => {
    const lines = async (name: string): Promise<object[]> =>
      (await readFile(join(out, name, 'vis_data', 'scalars.json'), 'utf8'))
        .trimEnd()
        .split('\n')
        .map((line) => {
          const { time: _, data_time: __, memory: ___, ...same } = JSON.parse(line) as Record<string, number>;
          return same;
        });
    expect(await lines('stopped')).toEqual(await lines('whole'));
    const steps: number[] = [];
    const tags = new Set<string>();
    for (const name of (await readdir(join(out, 'stopped', 'tensorboard'))).sort())
      for (const event of readEvents(await readFile(join(out, 'stopped', 'tensorboard', name)))) {
        if (event.isStart) expect(steps.splice(event.step - 1)).toEqual([]);
        for (const { tag } of event.values) tags.add(tag);
        if (event.values.some(({ tag }) => tag === 'train/loss')) steps.push(event.step);
      }
    expect(steps).toEqual([1, 2, 3, 4]);
    for (const tag of ['train/positive', 'train/rate', 'validation/ap', 'validation/detections'])
      expect(tags).toContain(tag);
  });

  it('keeps the averaged weights, and detects with them', async () => {
    const last = await tensorsIn(out, 'whole', 'last.safetensors');
    const name = 'bbox_head.conv_cls.weight';
    expect(last[`training.ema.${name}`]?.data).not.toEqual(last[name]?.data);
    const backend = await createBackend('wasm');
    const { params } = await loadDetector(join(out, 'whole', 'last.safetensors'), backend);
    const used = leavesWithPaths(params).find(([path]) => path === name);
    expect(used === undefined ? undefined : await read(used[1])).toEqual(last[`training.ema.${name}`]?.data);
    await backend.destroy();
  });
});

describe('an early end', () => {
  const summaryOf = async (name: string): Promise<Record<string, unknown>> =>
    JSON.parse(await readFile(join(out, name, 'summary.json'), 'utf8')) as Record<string, unknown>;

  it('comes when evaluations get no better', async () => {
    const { exitCode, stdout } = await runTiny([...words, '--name', 'patient'], {
      recipe: { rate: 0, evaluate: { times: 6 }, patience: 1 },
    });
    expect(exitCode).toBe(0);
    expect(stdout).toContain('Ended early: no better evaluation among the last 1.');
    expect(await summaryOf('patient')).toMatchObject({ steps: 2 });
    const again = await runTiny(['train', '--resume', join(out, 'patient')]);
    expect(again.stderr).toContain('is finished');
  });

  it('comes when the time is used up, with an evaluation of what there is', async () => {
    const hasty = [...words, '--name', 'hasty'];
    const { exitCode, stdout } = await runTiny(hasty, { recipe: { timeBudget: 1e-3 } });
    expect(exitCode).toBe(0);
    expect(stdout).toContain('Ended early: the time budget of');
    const { steps, ending } = await summaryOf('hasty');
    expect(steps).toBeLessThan(6);
    expect(ending).toContain('is used up');
    expect((await logLines(join(out, 'hasty'))).at(-1)).toMatchObject({ event: 'evaluation', step: steps });
  });
});
