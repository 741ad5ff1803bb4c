// Whole training runs, tiny: what they leave, that they repeat, and that an interrupted one continues bit for bit.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, readFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readSafetensors } from '@autoassign/detector';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openData, shapesSource } from '../src/dataSource.ts';
import type { VerbContext } from '../src/program.ts';
import { createReporter } from '../src/progress.ts';
import { recordedStream } from './surroundings.ts';
import type { ProgramEvent } from './tinyRuns.ts';
import { blockImages, logLines, namesIn, runTiny, testFolder, writeCocoFolder } from './tinyRuns.ts';

let place: Awaited<ReturnType<typeof testFolder>>;
let out: string;
beforeAll(async () => {
  place = await testFolder();
  out = join(place.folder, 'runs');
});
afterAll(() => place.remove());

const jsonIn = async (...path: readonly string[]): Promise<Record<string, unknown>> =>
  JSON.parse(await readFile(join(...path), 'utf8')) as Record<string, unknown>;

async function tensorsIn(path: string): Promise<object> {
  const { tensors, metadata } = readSafetensors(new Uint8Array(await readFile(path)), path);
  return { tensors, metadata };
}

const isStep =
  (wanted: number) =>
  ({ event, step }: ProgramEvent): boolean =>
    event === 'step' && step === wanted;

describe('a whole run', () => {
  it('leaves everything in its folder and says where', async () => {
    const commandLine = ['demo', '--out', out, '--threads', '1'];
    const { exitCode, stdout, stderr } = await runTiny(commandLine);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    const folder = join(out, 'demo');
    const names = await namesIn(folder);
    const assignments = names.filter((name) => name.startsWith('assignment-'));
    expect(names.filter((name) => !assignments.includes(name))).toEqual([
      'ap.svg',
      'best.safetensors',
      'config.json',
      'confusion.json',
      'confusion.svg',
      'data.json',
      'detections.png',
      'env.json',
      'last.safetensors',
      'loss.svg',
      'metrics.jsonl',
      'precision-recall.svg',
      'priors.jsonl',
      'priors.svg',
      'rate.svg',
      'results.csv',
      'summary.json',
      'tensorboard',
      'vis_data',
    ]);
    expect(assignments.length).toBeGreaterThan(2);
    for (const name of ['detections.png', ...assignments]) {
      expect((await sharp(join(folder, name)).metadata()).width).toBeGreaterThan(300);
    }
    expect(await readFile(join(folder, 'loss.svg'), 'utf8')).toContain('Training loss');
    expect(await jsonIn(folder, 'summary.json')).toMatchObject({ steps: 6, backend: 'wasm', seed: 0 });
    expect(await jsonIn(folder, 'env.json')).toMatchObject({ commandLine });
    for (const part of ['AP50', 'triangle', '6 steps in', folder]) expect(stdout).toContain(part);
  });

  it('logs every step and evaluation, with the numbers of the summary at the end', async () => {
    const lines = (await logLines(join(out, 'demo'))) as ProgramEvent[];
    expect(lines.map(({ event, step }) => `${event} ${step}`)).toEqual([
      'step 1',
      'step 2',
      'step 3',
      'evaluation 3',
      'step 4',
      'step 5',
      'step 6',
      'evaluation 6',
    ]);
    const summary = await jsonIn(out, 'demo', 'summary.json');
    expect(lines.at(-1)).toMatchObject({ ap: summary.ap, ap50: summary.ap50, perClass: summary.perClass });
    for (const { event, loss } of lines) if (event === 'step') expect(loss).toBeGreaterThan(0);
  });

  it('repeats bit for bit in a folder of its own, from images made once', async () => {
    const { exitCode, stderr } = await runTiny(['demo', '--out', out]);
    expect(exitCode).toBe(0);
    expect(stderr).not.toContain('make data');
    expect(await logLines(join(out, 'demo-2'))).toEqual(await logLines(join(out, 'demo')));
    const weights = (name: string): Promise<object> => tensorsIn(join(out, name, 'last.safetensors'));
    expect(await weights('demo-2')).toEqual(await weights('demo'));
  });

  it('goes another way with another seed', async () => {
    await runTiny(['demo', '--out', out, '--seed', '1', '--name', 'other', '--steps', '1', '--quiet']);
    const [first] = await logLines(join(out, 'other'));
    expect(first).not.toEqual((await logLines(join(out, 'demo')))[0]);
  });
});

describe('a stopped run', () => {
  /** A run stopped at an event, then resumed, in a folder of the given name. */
  async function stopAndResume(name: string, interruptAt: (event: ProgramEvent) => boolean): Promise<string> {
    const stopped = await runTiny(['demo', '--out', out, '--name', name, '--json'], { interruptAt });
    expect(stopped.exitCode).toBe(130);
    expect(stopped.stderr).toContain(`autoassign demo --resume '${join(out, name)}'`);
    expect(await namesIn(join(out, name))).not.toContain('summary.json');
    // what a killed process might have logged after its last checkpoint
    await appendFile(join(out, name, 'metrics.jsonl'), '{"step":7,"event":"step","loss":7}\n{"step":8,"ev');
    const resumed = await runTiny(['demo', '--resume', join(out, name)]);
    expect({ exitCode: resumed.exitCode, stdout: resumed.stdout.length > 0 }).toEqual({
      exitCode: 0,
      stdout: true,
    });
    return join(out, name);
  }

  it.each([
    ['in the middle', isStep(4)],
    ['before an evaluation', isStep(3)],
    ['before the last evaluation', isStep(6)],
    ['before its first step', ({ event }: ProgramEvent) => event === 'run'],
  ])('continues bit for bit when stopped %s', async (when, interruptAt) => {
    const folder = await stopAndResume(`stopped ${when}`, interruptAt);
    expect(await logLines(folder)).toEqual(await logLines(join(out, 'demo')));
    for (const file of ['last.safetensors', 'best.safetensors']) {
      expect(await tensorsIn(join(folder, file))).toEqual(await tensorsIn(join(out, 'demo', file)));
    }
    const { ap, ap50, perClass, steps } = await jsonIn(out, 'demo', 'summary.json');
    expect(await jsonIn(folder, 'summary.json')).toMatchObject({ ap, ap50, perClass, steps });
  });

  it('leaves nothing half-made when stopped while images are made', async () => {
    const controller = new AbortController();
    const reporter = createReporter({ stdout: recordedStream(), stderr: recordedStream(), environment: {} });
    const stopping: VerbContext = {
      signal: controller.signal,
      commandLine: [],
      commandFor: (verb) => verb,
      reporter: {
        ...reporter,
        progress: () => {
          controller.abort();
          return { update: () => undefined, finish: () => undefined };
        },
      },
    };
    const source = shapesSource(join(place.folder, 'fresh'), 100, 1);
    await expect(openData(source, 0, stopping)).rejects.toMatchObject({ name: 'AbortError' });
    expect(await namesIn(join(place.folder, 'fresh', 'data'))).toEqual([]);
  });

  it('stops as a process with status 130, and says how to go on', async () => {
    const words = ['demo', '--out', out, '--name', 'process', '--json', '--steps', '5000'];
    const { status, stdout, stderr } = await spawnTiny(words, (text) => text.includes('"event":"step"'));
    expect(status).toBe(130);
    const events = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as ProgramEvent);
    const last = events.at(-1);
    expect(last).toMatchObject({ event: 'stopped', folder: join(out, 'process') });
    expect(stderr).toContain(`Stopped after step ${last?.step} of 5000, saved.`);
    expect(await namesIn(join(out, 'process'))).toContain('last.safetensors');
  });
});

/** A run of the tiny program as a process, told to stop once when its output meets the condition. */
async function spawnTiny(
  words: readonly string[],
  interruptAt: (text: string) => boolean,
): Promise<{ readonly status: number; readonly stdout: string; readonly stderr: string }> {
  const script = fileURLToPath(new URL('tinyProgram.ts', import.meta.url));
  const child = spawn(
    process.execPath,
    ['--conditions=@autoassign/source', '--import', 'tsx', script, ...words],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const said = { stdout: '', stderr: '' };
  let isTold = false;
  const listen = (stream: 'stdout' | 'stderr') => (chunk: Buffer) => {
    said[stream] += chunk.toString();
    if (isTold || !interruptAt(said[stream])) return;
    isTold = true;
    child.kill('SIGINT');
  };
  child.stdout.on('data', listen('stdout'));
  child.stderr.on('data', listen('stderr'));
  const [status] = (await once(child, 'close')) as [number];
  return { status, ...said };
}

describe('a folder of the user', () => {
  it('is kept as an absolute path, so that a run can be resumed from anywhere', async () => {
    const data = join(place.folder, 'near');
    await writeCocoFolder(data, { train: blockImages(4, 'a'), val: blockImages(1, 'b') });
    const words = ['train', '--out', out, '--name', 'near', '--steps', '1', '--quiet'];
    await runTiny([...words, '--data', relative(process.cwd(), data)]);
    expect(await jsonIn(out, 'near', 'config.json')).toMatchObject({ data: { folder: data } });
    expect(shapesSource('runs', 8, 2).folder).toBe(resolve('runs/data/shapes-8-2'));
  });

  it('is trained on with its own classes; a tenth is held out when it has one set of annotations', async () => {
    const data = join(place.folder, 'blocks');
    await writeCocoFolder(data, { train: blockImages(10, 'a') });
    const words = ['train', '--data', data, '--out', out, '--steps', '2', '--json'];
    const { exitCode, stderr } = await runTiny(words);
    expect(exitCode).toBe(0);
    expect(stderr).toContain('no validation split: 1 of its 10 images');
    const config = await jsonIn(out, 'train', 'config.json');
    expect(config).toMatchObject({
      imageCounts: { train: 9, usable: 9, validation: 1 },
      maxObjects: 8,
      images: { train: { shortSides: [320], longSide: 320 }, test: { longSide: 320 } },
      detector: { classes: ['block', 'other'], input: { padMultiple: 32 } },
    });
  });

  it('is measured by its validation split when it has one', async () => {
    const data = join(place.folder, 'split');
    await writeCocoFolder(data, { train: blockImages(4, 'a'), val: blockImages(3, 'b') });
    const { exitCode } = await runTiny([
      'demo',
      '--data',
      data,
      '--out',
      out,
      '--name',
      'own',
      '--steps',
      '1',
      '--quiet',
    ]);
    expect(exitCode).toBe(0);
    expect(await jsonIn(out, 'own', 'config.json')).toMatchObject({
      imageCounts: { train: 4, usable: 4, validation: 3 },
    });
  });
});
