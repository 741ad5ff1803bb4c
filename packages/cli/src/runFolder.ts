// The folder of one run: a name that was never used before, and the files in it that say what was run and what came out.
import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileWriteError, writeJson } from './atomicFile.ts';
import type { RunStart } from './environment.ts';
import { collectEnvironment } from './environment.ts';

/** What a run came to, `summary.json`. */
export interface RunSummary {
  readonly ap: number;
  readonly ap50: number;
  readonly ap75: number;
  readonly steps: number;
  /** Why the run ended before its last step. */
  readonly ending?: string;
  readonly seconds: number;
  readonly imagesPerSecond: number;
  readonly backend: string;
  readonly seed: number;
}

/** The paths of the files that every run folder has. */
export interface RunFiles {
  readonly folder: string;
  readonly config: string;
  readonly environment: string;
  readonly metrics: string;
  readonly summary: string;
}

/** A run folder that was asked for is not there or is not one: one sentence that says what to do. */
export class RunFolderError extends Error {
  override readonly name = 'RunFolderError';
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** The name of the `attempt`-th folder for a wanted path: itself, then `-2`, `-3` …. */
function numbered(wanted: string, attempt: number): string {
  return attempt === 1 ? wanted : `${wanted}-${attempt}`;
}

/**
 * The path of a new empty folder: `wanted` itself, or with the first free number (`runs/demo-2`) when it is taken.
 * Making the folder is the test whether it is free, so that runs started together never share one.
 *
 * Throws   FileWriteError when no folder can be made there
 */
export async function createRunFolder(wanted: string): Promise<string> {
  try {
    await mkdir(dirname(wanted), { recursive: true });
    for (let attempt = 1; ; attempt += 1) {
      const folder = numbered(wanted, attempt);
      try {
        await mkdir(folder);
        return folder;
      } catch (error) {
        if (codeOf(error) !== 'EEXIST') throw error;
      }
    }
  } catch (cause) {
    throw fileWriteError(wanted, cause);
  }
}

/** The paths of the files that belong in a run folder; says nothing of whether they exist. */
export function runFiles(folder: string): RunFiles {
  return {
    folder,
    config: join(folder, 'config.json'),
    environment: join(folder, 'env.json'),
    metrics: join(folder, 'metrics.jsonl'),
    summary: join(folder, 'summary.json'),
  };
}

/**
 * The paths of a new run folder that holds `config.json` (all that is needed to repeat the run) and `env.json`.
 *
 * Throws   FileWriteError
 * Example  const files = await startRun('runs/demo', { seed: 0 }, { commandLine: ['demo'], threads: 2 })
 */
export async function startRun(
  wanted: string,
  config: Readonly<Record<string, unknown>>,
  start: RunStart,
): Promise<RunFiles> {
  const files = runFiles(await createRunFolder(wanted));
  await writeJson(files.config, config);
  await writeJson(files.environment, await collectEnvironment(start));
  return files;
}

/**
 * Resolves when the run's `summary.json` is written.
 *
 * Throws   FileWriteError
 */
export async function writeSummary(files: RunFiles, summary: RunSummary): Promise<void> {
  await writeJson(files.summary, summary);
}

/**
 * The folder of the newest run named `wanted`, `wanted-2` …: the one with the highest number that has a `config.json`.
 *
 * Throws   RunFolderError when there is none
 */
export async function newestRunFolder(wanted: string): Promise<string> {
  const names = await readdir(dirname(wanted)).catch(() => []);
  const base = basename(wanted);
  const numbers = names.flatMap((name) => {
    if (name === base) return [1];
    const digits = name.startsWith(`${base}-`) ? name.slice(base.length + 1) : '';
    return /^[1-9]\d*$/.test(digits) ? [Number(digits)] : [];
  });
  for (const number of numbers.sort((a, b) => b - a)) {
    const folder = numbered(wanted, number);
    const config = await stat(runFiles(folder).config).catch(() => undefined);
    if (config?.isFile()) return folder;
  }
  throw new RunFolderError(
    `newestRunFolder(${wanted}): needs an earlier run, got none. Name its folder, or start a new run.`,
  );
}

/**
 * The parsed `config.json` of a run folder.
 *
 * Throws   RunFolderError when the file is missing or is not a JSON object
 */
export async function readRunConfig(folder: string): Promise<Readonly<Record<string, unknown>>> {
  const path = runFiles(folder).config;
  let got: string;
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return value as Record<string, unknown>;
    }
    got = 'another JSON value';
  } catch (error) {
    got =
      codeOf(error) === 'ENOENT'
        ? 'no such file'
        : error instanceof SyntaxError
          ? 'malformed JSON'
          : codeOf(error);
  }
  throw new RunFolderError(
    `readRunConfig(${path}): needs the JSON object that a run writes, got ${got}. Give another run folder.`,
  );
}
