// What a verb computes with: its defaults, where it is refused, and that the number of threads never shows in a result.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeEngine, engineOf } from '../src/engine.ts';
import { UsageError } from '../src/exitCodes.ts';
import type { ProgramEvent } from './tinyRuns.ts';
import { logLines, runTiny, testFolder } from './tinyRuns.ts';

let place: Awaited<ReturnType<typeof testFolder>>;
let out: string;
beforeAll(async () => {
  place = await testFolder();
  out = join(place.folder, 'runs');
});
afterAll(() => place.remove());

const jsonIn = async (...path: readonly string[]): Promise<Record<string, unknown>> =>
  JSON.parse(await readFile(join(...path), 'utf8')) as Record<string, unknown>;

describe('the engine that options ask for', () => {
  it('has a thread for every core on wasm and one on cpu, and fuses nothing', () => {
    expect(engineOf({ backend: 'wasm' })).toEqual({
      backend: 'wasm',
      threads: availableParallelism(),
      fma: false,
      precision: 'f32',
    });
    const one = { threads: 1, fma: false, precision: 'f32' };
    expect(engineOf({ backend: 'cpu' })).toEqual({ backend: 'cpu', ...one });
    expect(engineOf({ backend: 'webgpu' })).toEqual({ backend: 'webgpu', ...one });
    expect(engineOf({ backend: 'cpu', threads: 1, fma: false }).threads).toBe(1);
  });

  it('is refused where the backend has no such option', () => {
    expect(() => engineOf({ backend: 'cpu', threads: 2 })).toThrow(UsageError);
    expect(() => engineOf({ backend: 'cpu', threads: 2 })).toThrow(
      "--threads needs --backend wasm, got 'cpu'. Leave out --threads.",
    );
    expect(() => engineOf({ backend: 'cpu', fma: true })).toThrow('--fma needs --backend wasm');
    for (const backend of ['cpu', 'wasm', 'gpujs'] as const) {
      expect(() => engineOf({ backend, precision: 'mixed' })).toThrow(UsageError);
      expect(() => engineOf({ backend, precision: 'mixed' })).toThrow(
        `--precision mixed needs --backend webgpu, got '${backend}'. Leave out --precision.`,
      );
      expect(engineOf({ backend, precision: 'f32' }).precision).toBe('f32');
    }
  });

  it('is told in a few words', () => {
    expect(describeEngine(engineOf({ backend: 'wasm', threads: 1 }))).toBe('wasm with 1 thread');
    expect(describeEngine(engineOf({ backend: 'wasm', threads: 2, fma: true }))).toBe(
      'wasm with 2 threads and fused multiply-add',
    );
    expect(describeEngine(engineOf({ backend: 'cpu' }))).toBe('cpu');
    expect(describeEngine(engineOf({ backend: 'webgpu' }))).toBe('webgpu');
    expect(describeEngine(engineOf({ backend: 'webgpu', precision: 'mixed' }))).toBe(
      'webgpu in mixed precision',
    );
  });
});

describe('the number of threads', () => {
  const isFourthStep = ({ event, step }: ProgramEvent): boolean => event === 'step' && step === 4;

  it('never shows in a result, also when it changes between parts of a run', async () => {
    const words = ['demo', '--out', out, '--json'];
    const whole = await runTiny([...words, '--threads', '1']);
    expect(whole.exitCode).toBe(0);
    const parts = [...words, '--name', 'parts', '--threads', '3'];
    expect((await runTiny(parts, { interruptAt: isFourthStep })).exitCode).toBe(130);
    expect((await runTiny(['demo', '--resume', join(out, 'parts'), '--threads', '2'])).exitCode).toBe(0);
    expect(await logLines(join(out, 'parts'))).toEqual(await logLines(join(out, 'demo')));
    for (const name of ['last', 'best']) {
      const bytes = (run: string): Promise<Buffer> => readFile(join(out, run, `${name}.safetensors`));
      expect((await bytes('parts')).equals(await bytes('demo'))).toBe(true);
    }
  });

  it('is told at the beginning and written down', async () => {
    const words = ['demo', '--out', out, '--name', 'told', '--steps', '1', '--threads', '2'];
    const { stdout, stderr } = await runTiny([...words, '--json']);
    expect(stderr).toContain('seed 0, by wasm with 2 threads, into');
    expect(stdout).toContain('"threads":2');
    expect(await jsonIn(out, 'told', 'env.json')).toMatchObject({ threads: 2 });
    expect(await jsonIn(out, 'told', 'summary.json')).toMatchObject({ threads: 2, fma: false });
    const evaluated = ['eval', '--data', join(out, 'data/shapes-16-4'), '--weights', join(out, 'told')];
    const { stderr: said } = await runTiny([...evaluated, '--out', out, '--threads', '3']);
    expect(said).toContain('by wasm with 3 threads');
    expect(await jsonIn(out, 'eval', 'env.json')).toMatchObject({ threads: 3 });
  });
});

describe('fused multiply-add', () => {
  it('is switched on where the engine has it behind a flag, kept by the run, and comes back with it', async () => {
    const words = ['demo', '--out', out, '--name', 'fused', '--fma', '--json'];
    const stopped = await runTiny(words, { interruptAt: ({ event }) => event === 'run' });
    expect({ exitCode: stopped.exitCode, stderr: stopped.stderr }).toMatchObject({ exitCode: 130 });
    expect(await jsonIn(out, 'fused', 'config.json')).toMatchObject({ backend: 'wasm', fma: true });
    const { exitCode, stderr } = await runTiny(['demo', '--resume', join(out, 'fused')]);
    expect(exitCode).toBe(0);
    expect(stderr).toContain('and fused multiply-add');
  });
});

describe('a process with threads', () => {
  /** Runs the tiny program as a process; at the given output it gets the signal. */
  const spawned = async (
    words: readonly string[],
    signalAt: string,
  ): Promise<{ readonly status: number | null; readonly stderr: string }> => {
    const script = fileURLToPath(new URL('tinyProgram.ts', import.meta.url));
    const flags = ['--conditions=@autoassign/source', '--import', 'tsx', script, ...words];
    const child = spawn(process.execPath, flags, { stdio: ['ignore', 'pipe', 'pipe'], timeout: 40_000 });
    const said = { stdout: '', stderr: '' };
    child.stderr.on('data', (chunk: Buffer) => {
      said.stderr += chunk.toString();
    });
    child.stdout.on('data', (chunk: Buffer) => {
      const isFirst = !said.stdout.includes(signalAt);
      said.stdout += chunk.toString();
      if (isFirst && said.stdout.includes(signalAt)) child.kill('SIGINT');
    });
    const [status] = (await once(child, 'close')) as [number | null];
    return { status, stderr: said.stderr };
  };

  it.each([
    ['ends by itself', '1', 'no such output', 0],
    ['stops at Ctrl-C with status 130', '5000', '"event":"step"', 130],
  ])('%s', async (_how, steps, signalAt, expected) => {
    const words = ['demo', '--out', out, '--name', `process ${steps}`, '--json', '--threads', '3'];
    const { status, stderr } = await spawned([...words, '--steps', steps], signalAt);
    expect({ status, stderr }).toMatchObject({ status: expected });
    if (expected === 130) expect(stderr).toContain('of 5000, saved.');
  });
});
