// Runs that begin with weights from elsewhere, and runs that are killed: what is kept of either.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readCheckpoint, readSafetensors, type StoredTensor, writeSafetensors } from '@autoassign/detector';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { blockImages, logLines, namesIn, runTiny, testFolder, writeCocoFolder } from './tinyRuns.ts';

let place: Awaited<ReturnType<typeof testFolder>>;
let out: string;
let data: string;
beforeAll(async () => {
  place = await testFolder();
  out = join(place.folder, 'runs');
  data = join(place.folder, 'blocks');
  await writeCocoFolder(data, { train: blockImages(4, 'a'), val: blockImages(2, 'b') });
});
afterAll(() => place.remove());

async function tensorsIn(path: string): Promise<Readonly<Record<string, StoredTensor>>> {
  return readSafetensors(new Uint8Array(await readFile(path)), path).tensors;
}

const still = { recipe: { rate: 0 } } as const;

describe('--init', () => {
  const begin = (name: string, init: string): ReturnType<typeof runTiny> =>
    runTiny(['train', '--data', data, '--out', out, '--name', name, '--steps', '1', '--init', init], still);

  it('takes a backbone alone, and everything of a run of the same network', async () => {
    const source = ['train', '--data', data, '--out', out, '--name', 'source', '--steps', '2', '--seed', '5'];
    await runTiny([...source, '--quiet']);
    const trained = await tensorsIn(join(out, 'source', 'best.safetensors'));
    const backbone = Object.entries(trained)
      .filter(([name]) => name.startsWith('backbone.'))
      .map(([name, stored]) => [name.slice('backbone.'.length), stored] as const);
    const file = join(place.folder, 'backbone.safetensors');
    await writeFile(file, writeSafetensors(Object.fromEntries(backbone)));
    const { stderr } = await begin('pretrained', file);
    expect(stderr).toContain(`Beginning with ${backbone.length} arrays of ${file}`);
    const begun = await tensorsIn(join(out, 'pretrained', 'best.safetensors'));
    const isEqual = (name: string): boolean =>
      Buffer.from(begun[name]!.data.buffer).equals(Buffer.from(trained[name]!.data.buffer));
    expect(Object.keys(trained).filter((name) => name.startsWith('backbone.') && !isEqual(name))).toEqual([]);
    expect(isEqual('bbox_head.conv_cls.weight')).toBe(false);
    expect((await begin('whole', join(out, 'source'))).exitCode).toBe(0);
    expect(await tensorsIn(join(out, 'whole', 'best.safetensors'))).toEqual(trained);
  });

  it('names a file that is none, and one that has nothing of the network', async () => {
    const junk = join(place.folder, 'junk.pth');
    await writeFile(junk, 'junk');
    expect((await begin('junk', junk)).stderr).toContain('junk.pth');
    const other = join(place.folder, 'other.safetensors');
    await writeFile(other, writeSafetensors({ x: { dtype: 'F32', shape: [1], data: Float32Array.of(1) } }));
    expect((await begin('other', other)).stderr).toContain('none of which fits');
  });
});

/** The tiny program as a process that is killed when its output says that a step is done. */
async function killedAt(step: number, words: readonly string[]): Promise<string | null> {
  const script = fileURLToPath(new URL('tinyProgram.ts', import.meta.url));
  const arguments_ = [
    '--conditions=@autoassign/source',
    '--import',
    'tsx',
    script,
    ...words,
    '--json',
    '--threads',
    '1',
  ];
  const child = spawn(process.execPath, arguments_, { stdio: ['ignore', 'pipe', 'ignore'] });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString();
    if (said.includes(`{"step":${step},"event":"step"`)) child.kill('SIGKILL');
  });
  const [, signal] = (await once(child, 'close')) as [unknown, string | null];
  return signal;
}

it('a run that is killed ends as one that was not, and clears away what the kill left', async () => {
  const words = ['train', '--data', data, '--out', out, '--steps', '6'];
  await runTiny([...words, '--name', 'whole run', '--quiet']);
  const folder = join(out, 'killed');
  expect(await killedAt(4, [...words, '--name', 'killed'])).toBe('SIGKILL');
  await copyFile(join(folder, 'config.json'), join(folder, 'last.safetensors.0123abcd.part'));
  const checkpoint = readCheckpoint(new Uint8Array(await readFile(join(folder, 'last.safetensors'))));
  expect(checkpoint.step).toBeGreaterThanOrEqual(2);
  expect((await runTiny(['train', '--resume', folder, '--quiet'])).exitCode).toBe(0);
  expect(await logLines(folder)).toEqual(await logLines(join(out, 'whole run')));
  for (const file of ['last.safetensors', 'best.safetensors'])
    expect(await tensorsIn(join(folder, file))).toEqual(await tensorsIn(join(out, 'whole run', file)));
  expect((await namesIn(folder)).filter((name) => name.endsWith('.part'))).toEqual([]);
});
