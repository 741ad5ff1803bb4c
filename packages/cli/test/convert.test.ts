// Converting weights between kinds of files and names: what is written, what is said, and what is refused.
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { StoredTensor } from '@autoassign/detector';
import {
  checkpointLayout,
  demoConfig,
  openWeights,
  readSafetensors,
  resnet50Config,
  theirNames,
  writeSafetensors,
  writeTorch,
} from '@autoassign/detector';
import { createBackend, leavesWithPaths, read } from '@autoassign/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadDetector } from '../src/weightsFile.ts';
import { namesIn, runTiny, testFolder } from './tinyRuns.ts';

const classes = ['cat', 'dog', 'cow'];
/** Small numbers that no other array has. */
const filled = (shape: readonly number[], first: number): StoredTensor => {
  const data = new Float32Array(shape.reduce((product, n) => product * n, 1));
  return { dtype: 'F32', shape, data: data.map((_, i) => (first + (i % 7)) / 100) };
};
const arraysOf = (layout: readonly { readonly name: string; readonly shape: readonly number[] }[]) =>
  Object.fromEntries(layout.map(({ name, shape }, i) => [name, filled(shape, i)]));
const small = arraysOf(checkpointLayout(demoConfig(classes)));
/** The names of the published network, with arrays of two numbers. */
const published = arraysOf(
  checkpointLayout(resnet50Config(classes)).map(({ name }) => ({ name, shape: [2] })),
);

let place: Awaited<ReturnType<typeof testFolder>>;
const path = (name: string): string => join(place.folder, name);
const convert = (...words: readonly string[]): ReturnType<typeof runTiny> =>
  runTiny(['convert', ...words.map((word) => (/\.\w+$/.test(word) ? path(word) : word))]);
/** Arrays by what they are and a checksum of their bytes, since comparing every number takes seconds. */
const summaryOf = (arrays: Readonly<Record<string, StoredTensor>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(arrays).map(([name, { dtype, shape, data }]) => {
      const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      return [name, `${dtype}[${shape.join()}] ${createHash('sha1').update(bytes).digest('hex')}`];
    }),
  );
const arraysIn = async (name: string): Promise<Record<string, string>> => {
  const file = await openWeights(new Uint8Array(await readFile(path(name))));
  const arrays: Record<string, StoredTensor> = {};
  for (const found of file.arrays.keys()) arrays[found] = await file.read(found);
  return summaryOf(arrays);
};

beforeAll(async () => {
  place = await testFolder();
  await writeFile(path('small.pth'), writeTorch(small, { meta: { CLASSES: classes, epoch: 12 } }));
  await writeFile(path('published.pth'), writeTorch(published));
});
afterAll(() => place.remove());

describe('with a preset', () => {
  it('writes a file that is all one needs to use the weights', async () => {
    const { exitCode, stdout, stderr } = await convert('small.pth', 'small.safetensors', '--preset', 'small');
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    expect(stdout).toMatch(/small\.safetensors: \d+ arrays, 2\.\d MB, names of mmdetection\.\n$/);
    const backend = await createBackend('wasm');
    const { detector, params, report } = await loadDetector(path('small.safetensors'), backend);
    expect(detector.config).toEqual(demoConfig(classes));
    expect(report).toMatchObject({ missing: [], unexpected: [], mismatched: [], classes });
    const found: Record<string, StoredTensor> = {};
    for (const [name, leaf] of leavesWithPaths(params))
      found[name] = { dtype: 'F32', shape: leaf.shape, data: await read(leaf) };
    expect(summaryOf(found)).toEqual(summaryOf(small));
    await backend.destroy();
  });

  it('refuses weights of another network, and classes without names', async () => {
    const other = await convert('published.pth', 'x.safetensors', '--preset', 'small', '--classes', 'a,b');
    expect(other.exitCode).toBe(1);
    expect(other.stderr).toMatch(/autoassign convert: loadCheckpoint\(.*\): needs f32\[.*\] for '.*'/);
    await writeFile(path('nameless.pth'), writeTorch(small));
    const nameless = await convert('nameless.pth', 'x.safetensors', '--preset', 'small');
    expect(nameless).toMatchObject({ exitCode: 2 });
    expect(nameless.stderr).toContain('--preset needs the names of the classes');
    const few = await convert('nameless.pth', 'x.safetensors', '--preset', 'small', '--classes', 'a,b');
    expect(few).toMatchObject({ exitCode: 2 });
    expect(few.stderr).toContain('--classes needs the names of the 3 classes');
    expect(await namesIn(place.folder)).not.toContain('x.safetensors');
  });
});

describe('between files', () => {
  it('loses nothing on the way to PyTorch and back', async () => {
    await convert('small.pth', 'from.safetensors', '--preset', 'small');
    await convert('from.safetensors', 'to.pth');
    await convert('to.pth', 'back.safetensors');
    const [from, back] = await Promise.all(
      ['from.safetensors', 'back.safetensors'].map(async (name) =>
        readSafetensors(await readFile(path(name))),
      ),
    );
    expect(back!.metadata).toEqual(from!.metadata);
    expect(await arraysIn('to.pth')).toEqual(await arraysIn('from.safetensors'));
    expect(await arraysIn('back.safetensors')).toEqual(await arraysIn('from.safetensors'));
  });

  it('keeps names of classes, in either kind of file', async () => {
    await writeFile(path('bare.pth'), writeTorch(published, { meta: { CLASSES: classes } }));
    await convert('bare.pth', 'bare.safetensors');
    await convert('bare.safetensors', 'again.pth');
    for (const name of ['bare.safetensors', 'again.pth'])
      expect((await openWeights(new Uint8Array(await readFile(path(name))))).report.classes).toEqual(classes);
  });

  it("writes Megvii's names and reads them again", async () => {
    const { exitCode } = await convert('published.pth', 'megvii.safetensors', '--names', 'megvii');
    expect(exitCode).toBe(0);
    const { tensors } = readSafetensors(await readFile(path('megvii.safetensors')));
    const theirs = Object.keys(published).map((name) => theirNames('megvii')(name));
    expect(new Set(Object.keys(tensors))).toEqual(new Set(theirs));
    await convert('megvii.safetensors', 'ours.pth');
    expect(await arraysIn('ours.pth')).toEqual(summaryOf(published));
    const other = await convert('small.pth', 'x.pth', '--names', 'megvii');
    expect(other.exitCode).toBe(1);
    expect(other.stderr).toContain("got 'backbone.stem.0.conv.weight'");
  });

  it('takes the average of the weights, and nothing else of the state of training', async () => {
    const state = {
      ...published,
      'training.step': { dtype: 'I32', shape: [], data: Int32Array.of(7) } satisfies StoredTensor,
      'training.ema.neck.lateral_convs.0.conv.bias': filled([2], 500),
    };
    await writeFile(path('state.safetensors'), writeSafetensors(state));
    await convert('state.safetensors', 'average.pth');
    expect(await arraysIn('average.pth')).toEqual(
      summaryOf({ ...published, 'neck.lateral_convs.0.conv.bias': filled([2], 500) }),
    );
  });
});

describe('what is said', () => {
  it('names what was found and what was left out', async () => {
    const file = {
      ...Object.fromEntries(Object.entries(published).map(([name, stored]) => [`module.${name}`, stored])),
      'module.data_preprocessor.mean': filled([3], 0),
    };
    await writeFile(path('parallel.pth'), writeTorch(file));
    const { stderr } = await convert('parallel.pth', 'plain.pth');
    expect(stderr).toContain(
      "PyTorch, 379 arrays, names of mmdetection, in its entry 'state_dict', each with 'module.'",
    );
    expect(stderr).toContain('Not of a detector, left out: module.data_preprocessor.mean.');
  });

  it('is JSON under --json, and nothing under --quiet', async () => {
    const { events, stdout } = await convert('published.pth', 'json.pth', '--json');
    expect(events).toMatchObject([
      { event: 'opened', container: 'torch zip', scheme: 'mmdetection', arrays: 379, foreign: [] },
      { event: 'converted', arrays: 379, names: 'mmdetection' },
    ]);
    expect(stdout.trimEnd().split('\n')).toHaveLength(2);
    expect(await convert('published.pth', 'quiet.pth', '--quiet')).toMatchObject({ stdout: '', stderr: '' });
  });
});

describe('mistakes', () => {
  it.each<[string, readonly string[], number, string]>([
    [
      'an end that says nothing',
      ['small.pth', 'small.onnx'],
      2,
      'needs a name that ends in .safetensors or .pth',
    ],
    ['no file', ['none.pth', 'x.pth'], 2, '<input> needs'],
    ['a preset that there is not', ['small.pth', 'x.pth', '--preset', 'smal'], 2, "Did you mean 'small'?"],
    ['names that there are not', ['small.pth', 'x.pth', '--names', 'keras'], 2, '--names'],
  ])('%s', async (_, words, exitCode, message) => {
    const outcome = await convert(...words);
    expect(outcome).toMatchObject({ exitCode, stdout: '' });
    expect(outcome.stderr).toContain(message);
    expect(outcome.stderr.trimEnd().split('\n')).toHaveLength(1);
  });

  it('in the file are one line, and leave no other file', async () => {
    await writeFile(path('cut.pth'), writeTorch(small).subarray(0, 5000));
    const { exitCode, stderr } = await convert('cut.pth', 'x.safetensors');
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(
      /^autoassign convert: readTorch\(.*cut\.pth\): needs the directory of a ZIP archive/,
    );
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(await namesIn(place.folder)).not.toContain('x.safetensors');
  });
});
