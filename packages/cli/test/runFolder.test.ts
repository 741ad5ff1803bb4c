// Run folders and the files in them: nothing is overwritten, half-written or lost.
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, open, readdir, readFile, rename, rm, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FileOperations } from '../src/atomicFile.ts';
import { writeFileAtomic, writeJson } from '../src/atomicFile.ts';
import { collectEnvironment } from '../src/environment.ts';
import { openMetrics, readMetrics } from '../src/metrics.ts';
import {
  createRunFolder,
  newestRunFolder,
  readRunConfig,
  runFiles,
  startRun,
  writeSummary,
} from '../src/runFolder.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'autoassign-run-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const systemError = (code: string): Error => Object.assign(new Error(code), { code });
const json = async (path: string): Promise<unknown> => JSON.parse(await readFile(path, 'utf8'));

describe('createRunFolder', () => {
  it('takes the next number when the name is taken', async () => {
    const wanted = join(folder, 'runs', 'demo');
    const made = [];
    for (let run = 0; run < 3; run += 1) made.push(await createRunFolder(wanted));
    expect(made).toEqual([wanted, `${wanted}-2`, `${wanted}-3`]);
  });

  it('gives every one of many parallel runs its own folder', async () => {
    const wanted = join(folder, 'runs', 'demo');
    const made = await Promise.all(Array.from({ length: 24 }, () => createRunFolder(wanted)));
    expect(new Set(made).size).toBe(24);
    expect(await readdir(join(folder, 'runs'))).toHaveLength(24);
  });

  it('counts a file of that name as taken and leaves it alone', async () => {
    await writeFile(join(folder, 'demo'), 'mine');
    expect(await createRunFolder(join(folder, 'demo'))).toBe(join(folder, 'demo-2'));
    expect(await readFile(join(folder, 'demo'), 'utf8')).toBe('mine');
  });

  it('names the folder when none can be made', async () => {
    await writeFile(join(folder, 'file'), '');
    await expect(createRunFolder(join(folder, 'file', 'demo'))).rejects.toThrow(
      /file\/demo\): needs .*--out\.$/,
    );
  });
});

describe('newestRunFolder', () => {
  it('is the highest number that holds a config, compared as numbers', async () => {
    const wanted = join(folder, 'demo');
    for (const name of ['demo', 'demo-2', 'demo-10', 'demo-11', 'demo-x', 'demo-012', 'demolition-99']) {
      await mkdir(join(folder, name));
      if (name !== 'demo-11') await writeFile(join(folder, name, 'config.json'), '{}');
    }
    expect(await newestRunFolder(wanted)).toBe(`${wanted}-10`);
  });

  it('says so when there is none', async () => {
    await expect(newestRunFolder(join(folder, 'no', 'demo'))).rejects.toThrow(/needs an earlier run/);
  });
});

describe('the files of a run', () => {
  const started = { commandLine: ['demo', '--steps', '3'], threads: 2 };

  it('holds config and environment from the start, the summary at the end', async () => {
    const files = await startRun(join(folder, 'demo'), { steps: 3, seed: 0 }, started);
    expect(await readRunConfig(files.folder)).toEqual({ steps: 3, seed: 0 });
    expect(await json(files.environment)).toMatchObject({
      node: process.version,
      ...started,
      packages: { autoassign: expect.stringMatching(/^\d/), sharp: expect.stringMatching(/^\d/) },
    });
    const summary = { ap: 0.5, ap50: 0.7, ap75: 0.6, steps: 3, seconds: 1, imagesPerSecond: 12 };
    await writeSummary(files, { ...summary, backend: 'wasm', seed: 0 });
    expect(await json(files.summary)).toEqual({ ...summary, backend: 'wasm', seed: 0 });
    expect((await readdir(files.folder)).sort()).toEqual(['config.json', 'env.json', 'summary.json']);
  });

  it.each([
    ['{"steps": ', 'malformed JSON'],
    ['[]', 'another JSON value'],
    [undefined, 'no such file'],
  ])('refuses the config %s', async (text, got) => {
    if (text !== undefined) await writeFile(runFiles(folder).config, text);
    await expect(readRunConfig(folder)).rejects.toThrow(`got ${got}.`);
  });

  it('knows the commit of a repository, and that there is none outside of one', async () => {
    const git = (...words: string[]) =>
      execFileSync('git', ['-c', 'user.name=n', '-c', 'user.email=e', ...words], { cwd: folder }).toString();
    expect((await collectEnvironment(started, folder)).git).toBeUndefined();
    git('init', '-q');
    await writeFile(join(folder, 'a'), '1');
    git('add', 'a');
    git('commit', '-q', '-m', 'one');
    const commit = git('rev-parse', 'HEAD').trim();
    expect((await collectEnvironment(started, folder)).git).toEqual({ commit, isClean: true });
    await writeFile(join(folder, 'a'), '2');
    expect((await collectEnvironment(started, folder)).git).toEqual({ commit, isClean: false });
  });
});

describe('writeFileAtomic', () => {
  it('replaces the whole file and leaves nothing beside it', async () => {
    const path = join(folder, 'config.json');
    await writeJson(path, { long: 'x'.repeat(5000) });
    await writeJson(path, { a: 1 });
    expect(await readFile(path, 'utf8')).toBe('{\n  "a": 1\n}\n');
    expect(await readdir(folder)).toEqual(['config.json']);
  });

  const disk: FileOperations = { open, rename, unlink };
  /** A disk that fails at one operation, after the first bytes of a write went through. */
  const failing = (at: 'open' | 'write' | 'sync' | 'rename', code: string): FileOperations => ({
    ...disk,
    open: async (path, flags) => {
      if (at === 'open') throw systemError(code);
      const handle = await open(path, flags);
      return {
        close: () => handle.close(),
        sync: () => (at === 'sync' ? Promise.reject(systemError(code)) : handle.sync()),
        writeFile: async (data) => {
          await handle.writeFile(at === 'write' ? String(data).slice(0, 3) : data);
          if (at === 'write') throw systemError(code);
        },
      };
    },
    rename: (from, to) => (at === 'rename' ? Promise.reject(systemError(code)) : rename(from, to)),
  });

  it.each([
    ['open', 'EACCES'],
    ['write', 'ENOSPC'],
    ['sync', 'ENOSPC'],
    ['rename', 'EROFS'],
  ] as const)('keeps the old file when %s fails with %s, in one line that names it', async (at, code) => {
    const path = join(folder, 'summary.json');
    await writeFile(path, 'old');
    const failure = await writeFileAtomic(path, 'new content', failing(at, code)).catch(
      (error: Error) => error,
    );
    expect(failure).toMatchObject({ name: 'FileWriteError' });
    expect(String(failure)).toMatch(new RegExp(`writeFile\\(${path}\\): needs .*, got ${code}\\. .*\\.$`));
    expect(await readFile(path, 'utf8')).toBe('old');
    expect(await readdir(folder)).toEqual(['summary.json']);
  });
});

describe('metrics.jsonl', () => {
  it('holds every line at once and adds to what is there', async () => {
    const path = join(folder, 'metrics.jsonl');
    const log = await openMetrics(path);
    log.append({ step: 1, loss: 2.5 });
    expect(await readFile(path, 'utf8')).toBe('{"step":1,"loss":2.5}\n');
    log.close();
    const again = await openMetrics(path);
    again.append({ step: 2, loss: 2.25 });
    again.close();
    expect(readMetrics(path)).toEqual([
      { step: 1, loss: 2.5 },
      { step: 2, loss: 2.25 },
    ]);
  });

  it('after stopping anywhere and resuming, reads like one run', async () => {
    const path = join(folder, 'metrics.jsonl');
    const record = (step: number) => ({ step, loss: 1 / step });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 0, max: 12 }),
        fc.integer({ min: 0, max: 20 }),
        async (stoppedAt, savedAt, halfLine) => {
          const saved = Math.min(savedAt, stoppedAt);
          await rm(path, { force: true });
          const first = await openMetrics(path);
          for (let step = 1; step <= stoppedAt; step += 1) first.append(record(step));
          first.close();
          await writeFile(path, '{"step":13,"loss":0.07692}'.slice(0, halfLine), { flag: 'a' });
          const second = await openMetrics(path, { resumeAfter: saved });
          for (let step = saved + 1; step <= 12; step += 1) second.append(record(step));
          second.close();
          expect(readMetrics(path)).toEqual(Array.from({ length: 12 }, (_, index) => record(index + 1)));
          expect((await readFile(path, 'utf8')).endsWith('\n')).toBe(true);
        },
      ),
      { seed: 4, numRuns: 25 },
    );
  });

  it('cuts off the half line that a full disk let through', async () => {
    const path = join(folder, 'metrics.jsonl');
    await writeFile(path, '{"step":1}\n');
    const fs = await import('node:fs');
    let calls = 0;
    const write = ((file: number, bytes: Uint8Array) => {
      calls += 1;
      if (calls > 1) throw systemError('ENOSPC');
      return fs.writeSync(file, bytes, 0, 5);
    }) as typeof fs.writeSync;
    const log = await openMetrics(path, { write });
    expect(() => log.append({ step: 2, loss: 1 })).toThrow(/metrics\.jsonl\): needs free space.*ENOSPC/);
    log.close();
    expect(await readFile(path, 'utf8')).toBe('{"step":1}\n');
  });
});
