// The command line: what reaches the verbs, what is refused and how a run ends.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../src/exitCodes.ts';
import { listenForStop } from '../src/signals.ts';
import { tryProgram } from './surroundings.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
const run = (...words: string[]) => tryProgram(words).outcome;

describe('--version', () => {
  it('prints the version of the package', async () => {
    const { exitCode, calls, stdout } = await run('--version');
    expect({ exitCode, calls }).toEqual({ exitCode: 0, calls: [] });
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe('options that reach the verbs', () => {
  it('fills in the defaults', async () => {
    const { exitCode, calls, stderr } = await run('demo');
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(calls.map(({ verb }) => verb)).toEqual(['demo']);
    expect(calls[0]?.options).toEqual({
      out: 'runs',
      name: 'demo',
      backend: 'wasm',
      seed: 0,
      settings: [],
    });
    expect(calls[0]?.context.commandLine).toEqual(['demo']);
  });

  it('parses every option of train', async () => {
    const words = [
      '--data',
      here,
      '--out',
      'o',
      '--name',
      'n',
      '--steps',
      '10',
      '--batch',
      '2',
      '--seed',
      '7',
    ];
    const engine = ['--backend', 'cpu', '--threads', '3', '--fma', '--precision', 'emulated mixed'];
    const { calls } = await run('train', ...words, ...engine, '--json', '--quiet', 'recipe.rate=0.1');
    expect(calls[0]?.options).toEqual({
      data: here,
      out: 'o',
      name: 'n',
      steps: 10,
      batch: 2,
      seed: 7,
      backend: 'cpu',
      threads: 3,
      fma: true,
      precision: 'emulated mixed',
      json: true,
      quiet: true,
      settings: ['recipe.rate=0.1'],
    });
  });

  it('takes --resume with and without a folder', async () => {
    const newest = await run('train', '--resume');
    const named = await run('demo', '--resume', here, '--quiet');
    expect(newest.calls[0]?.options.resume).toBe(true);
    expect(named.calls[0]?.options.resume).toBe(here);
  });

  it('takes images for predict and data for eval', async () => {
    const predict = await run('predict', 'a.jpg', 'b.png', '--score', '0.25', '--weights', here);
    const evaluate = await run('eval', '--data', here, '--batch', '3');
    expect(predict.calls[0]?.options).toMatchObject({
      images: ['a.jpg', 'b.png'],
      score: 0.25,
      weights: here,
    });
    expect(evaluate.calls[0]?.options).toMatchObject({ data: here, batch: 3, name: 'eval' });
  });
});

describe('what to type to go on', () => {
  it.each([
    [undefined, 'autoassign demo', 'autoassign predict'],
    ['test', 'autoassign demo', 'autoassign predict'],
    ['demo', 'npm run demo --', 'npm run autoassign -- predict'],
    ['autoassign', 'npm run demo --', 'npm run autoassign -- predict'],
  ])('started by the npm script %s', async (script, demo, predict) => {
    const { calls } = await tryProgram(['demo'], undefined, { npm_lifecycle_event: script }).outcome;
    expect([calls[0]?.context.commandFor('demo'), calls[0]?.context.commandFor('predict')]).toEqual([
      demo,
      predict,
    ]);
  });
});

describe('mistakes on the command line end with status 2 and one line', () => {
  const cases: readonly (readonly [words: string, ...says: string[]])[] = [
    ['demo --stpes 3', 'autoassign demo: ', "'--stpes'", 'Did you mean --steps?'],
    ['train --bakend cpu', "'--bakend'", 'Did you mean --backend?'],
    ['trian', 'autoassign: ', "'trian'", 'Did you mean train?'],
    ['demo --zzzzzzzz', "'--zzzzzzzz'", "See 'autoassign demo --help'."],
    ['demo --steps 0', '--steps needs a whole number from 1', "got '0'"],
    ['demo --steps 2.5', '--steps', "got '2.5'"],
    ['demo --steps 1e3', '--steps', "got '1e3'"],
    ['demo --steps', '--steps', 'argument missing'],
    ['demo --batch -4', '--batch', "got '-4'"],
    ['demo --batch 100000', '--batch', '1024'],
    ['demo --seed 4294967296', '--seed', '4294967295'],
    ['demo --threads 0', '--threads needs a whole number from 1', "got '0'"],
    ['train --threads 1.5', '--threads', "got '1.5'"],
    ['eval --threads abc', '--threads', "got 'abc'"],
    ['predict a.jpg --threads -2', '--threads', "got '-2'"],
    ['demo --threads', '--threads', 'argument missing'],
    ['demo --resume --fma', '--resume', '--fma'],
    ['demo --resume --no-fma', '--resume', '--no-fma'],
    ['demo --resume --precision mixed', '--resume', '--precision'],
    ['demo --precision half', '--precision needs one of f32, mixed, emulated mixed', "got 'half'"],
    ['demo --precision', '--precision', 'argument missing'],
    ['demo --backend gpu', '--backend needs one of cpu, wasm', "got 'gpu'"],
    ['demo --name a/b', '--name', 'without slashes'],
    ['demo --name ..', '--name'],
    ['demo --data /no/such/folder', '--data needs a folder that exists', '/no/such/folder', 'no such file'],
    [`demo --data ${here}program.test.ts`, '--data', '(a file)'],
    [`demo --data ${here}program.test.ts/x`, '--data', 'no such file'],
    [`demo --out ${here}program.test.ts`, '--out', '(a file)'],
    ['demo --resume /no/such/run', '--resume', '/no/such/run'],
    ['demo --resume --seed 3', '--resume', '--seed'],
    ['demo --resume --quick', '--resume', '--quick'],
    ['doctor stray', 'doctor', 'too many arguments'],
    ['demo --resume recipe.rate=1', '--resume', "'recipe.rate=1'"],
    ['train --resume --preset small', '--resume', '--preset'],
    ['train --preset smal', '--preset needs one of small, ', "Did you mean 'small'?"],
    ['train --config /no/such.yaml', '--config needs a file that exists', 'no such file'],
    [`train --config ${here}`, '--config', '(a folder)'],
    ['train', '--data', '--resume'],
    ['eval', '--data'],
    ['predict', 'images'],
    ['bench --size 3', '--size needs a height and a width', "got '3'"],
    ['bench --backends wasm,gpuu', '--backends needs one of cpu, wasm', "got 'gpuu'"],
    ['bench --rounds 0', '--rounds needs a whole number from 1', "got '0'"],
    ['config --preset r50-voci', "Did you mean 'r50-voc'?"],
    ['completion tcsh', "'tcsh'", 'bash, zsh, fish'],
    ['completion', 'shell'],
    ['doctor --tun', 'Did you mean --tune?'],
    ['predict a.jpg --score 2', '--score needs a number from 0 to 1', "got '2'"],
    ['predict a.jpg --weights /no/such', '--weights', '/no/such'],
  ];
  it.each(cases)('%s', async (words, ...says) => {
    const { exitCode, calls, stdout, stderr } = await run(...words.split(' '));
    expect({ exitCode, calls: calls.length, stdout }).toEqual({ exitCode: 2, calls: 0, stdout: '' });
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    for (const part of says) expect(stderr).toContain(part);
  });

  it('never crashes on any words', async () => {
    const word = fc.oneof(
      fc.constantFrom('demo', 'train', 'eval', 'predict', '--steps', '--out', '--json', '--', '-', '-1', ''),
      fc.string({ maxLength: 8 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(word, { maxLength: 6 }), async (words) => {
        expect([0, 2]).toContain((await run(...words)).exitCode);
      }),
      { seed: 20, numRuns: 150 },
    );
  });
});

describe('how a run ends', () => {
  it('prints help on request with status 0, and with status 2 when there is no verb', async () => {
    const asked = await run('--help');
    expect(asked.exitCode).toBe(0);
    expect(asked.stdout).toContain('predict');
    const none = await run();
    expect({ exitCode: none.exitCode, stdout: none.stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(none.stderr).toContain('Usage: autoassign');
  });

  it('turns a failure into status 1 and one line, and a usage error of a verb into 2', async () => {
    const failed = await tryProgram(['demo'], () => Promise.reject(new Error('first\n  second'))).outcome;
    expect({ ...failed, calls: 1 }).toEqual({
      exitCode: 1,
      calls: 1,
      stdout: '',
      stderr: 'autoassign demo: first second\n',
    });
    expect((await tryProgram(['demo'], () => Promise.reject(new UsageError('x'))).outcome).exitCode).toBe(2);
  });

  it('reports a failure as an event too under --json', async () => {
    const { stdout } = await tryProgram(['demo', '--json'], () => Promise.reject(new Error('no'))).outcome;
    expect(JSON.parse(stdout)).toEqual({ event: 'error', message: 'no' });
  });

  const untilAborted = (signal: AbortSignal): Promise<unknown> => once(signal, 'abort');

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ])('ends with the status of %s once the verb has saved', async (name, status) => {
    const tried = tryProgram(['demo'], async ({ signal }) => {
      await untilAborted(signal);
    });
    tried.signals.emit(name);
    const { exitCode, stderr } = await tried.outcome;
    expect({ exitCode, exits: tried.exits }).toEqual({ exitCode: status, exits: [] });
    expect(stderr).toContain('Stopping');
    expect(stderr).not.toContain('saving'); // not every phase has something to save
    expect(tried.signals.listenerCount('SIGINT')).toBe(0);
  });

  it('ends with 130 when the verb throws the reason of the abort, with 1 when saving fails', async () => {
    const stopped = tryProgram(['demo'], async ({ signal }) => {
      await untilAborted(signal);
      signal.throwIfAborted();
    });
    stopped.signals.emit('SIGINT');
    expect((await stopped.outcome).exitCode).toBe(130);
    const failed = tryProgram(['demo'], async ({ signal }) => {
      await untilAborted(signal);
      throw new Error('disk full');
    });
    failed.signals.emit('SIGINT');
    expect((await failed.outcome).exitCode).toBe(1);
  });

  it('exits at once at the second signal, but not at an echo of the first', () => {
    const listeners = new Map<string, () => void>();
    const exits: number[] = [];
    let clock = 0;
    const source = {
      on: (name: string, listener: () => void) => listeners.set(name, listener),
      off: (name: string) => listeners.delete(name),
    };
    const stop = listenForStop(source, {
      onFirst: () => undefined,
      exitNow: (code) => exits.push(code),
      now: () => clock,
    });
    listeners.get('SIGINT')?.();
    clock = 50;
    listeners.get('SIGINT')?.();
    expect({ exits, aborted: stop.signal.aborted, code: stop.exitCode() }).toEqual({
      exits: [],
      aborted: true,
      code: 130,
    });
    clock = 900;
    listeners.get('SIGINT')?.();
    listeners.get('SIGTERM')?.();
    expect(exits).toEqual([130, 143]);
    stop.close();
    expect(listeners.size).toBe(0);
  });

  it('stops a real process with status 130 after its last words', async () => {
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', fileURLToPath(new URL('waitForStop.ts', import.meta.url))],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    const said: string[] = [];
    child.stdout.on('data', (chunk: Buffer) => {
      said.push(chunk.toString());
      if (said.length === 1) child.kill('SIGINT');
    });
    const [status] = (await once(child, 'exit')) as [number];
    expect({ status, said: said.join('') }).toEqual({ status: 130, said: 'ready\nsaved\n' });
  });
});
