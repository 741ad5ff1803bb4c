// The folder of an ablation: which runs it has, how far each is, and the settings that all of them share.
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { writeJson } from '../atomicFile.ts';
import type { AblateOptions } from '../options.ts';
import { RunFolderError, runFiles } from '../runFolder.ts';
import type { RunScores } from './table.ts';

/** What a grid is made of: the options of the verb with what they left open. */
export interface GridOptions extends AblateOptions {
  readonly variants: readonly string[];
}

/** One run of the grid. */
export interface GridRun {
  readonly variant: string;
  readonly seed: number;
  /** The name of its folder under that of all runs. */
  readonly name: string;
  readonly folder: string;
}

/** All runs: seed by seed, so that every variant has as many as the others wherever the grid is stopped. */
export function gridRuns({ out, name, variants, seeds, seed: first }: GridOptions): readonly GridRun[] {
  return Array.from({ length: seeds }, (_, i) => first + i).flatMap((seed) =>
    variants.map((variant) => {
      const own = join(name, `${variant}-seed${seed}`);
      return { variant, seed, name: own, folder: join(out, own) };
    }),
  );
}

async function jsonIn(path: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new RunFolderError(
      `ablate(${path}): needs the JSON that an earlier run wrote, got something else. Remove its folder, or give another --name.`,
    );
  }
}

/** What a finished run came to; undefined for one that is not finished. */
export async function scoresOfRun({ variant, seed, folder }: GridRun): Promise<RunScores | undefined> {
  const summary = await jsonIn(runFiles(folder).summary);
  if (summary === undefined) return undefined;
  const [ap, ap50, ap75, seconds] = ['ap', 'ap50', 'ap75', 'seconds'].map((name) => Number(summary[name]));
  return { variant, seed, ap: ap!, ap50: ap50!, ap75: ap75!, seconds: seconds! };
}

/** Whether a run has begun, so that it can be continued; what is left of one that was stopped before that is cleared away. */
export async function isBegun({ folder }: GridRun): Promise<boolean> {
  if ((await stat(runFiles(folder).config).catch(() => undefined)) !== undefined) return true;
  const names = await readdir(folder).catch(() => undefined);
  if (names === undefined) return false;
  if (names.every((name) => name.endsWith('.part'))) {
    await rm(folder, { recursive: true });
    return false;
  }
  throw new RunFolderError(
    `ablate(${folder}): needs a folder of a run or none, got one without config.json. Remove it, or give another --name.`,
  );
}

/** What all runs of a grid share; seeds and variants may be added later. */
function sharedSettings(options: GridOptions): Readonly<Record<string, unknown>> {
  const { data, trainSplit, validationSplit, strict, followLinks, flips, steps, epochs, batch } = options;
  const { backend, fma, precision, preset, config, settings } = options;
  const folder = data === undefined ? 'shapes' : resolve(data);
  const ofData = { data: folder, trainSplit, validationSplit, strict, followLinks };
  const ofEngine = { backend, fma, precision };
  const file = config === undefined ? undefined : resolve(config);
  return {
    ...ofData,
    flips,
    steps,
    epochs,
    batch,
    preset,
    config: file,
    settings: settings.join(' '),
    ...ofEngine,
  };
}

/**
 * Resolves when the grid's folder says which settings its runs share.
 *
 * Throws   RunFolderError when it was begun with others
 */
export async function requireSharedSettings(options: GridOptions): Promise<void> {
  const path = join(options.out, options.name, 'grid.json');
  const settings = JSON.parse(JSON.stringify(sharedSettings(options))) as Record<string, unknown>;
  const before = await jsonIn(path);
  if (before === undefined) {
    await mkdir(join(options.out, options.name), { recursive: true });
    await writeJson(path, settings);
    return;
  }
  const names = [...new Set([...Object.keys(before), ...Object.keys(settings)])];
  const changed = names.find((name) => before[name] !== settings[name]);
  if (changed === undefined) return;
  const shown = (value: unknown): string => (value === undefined ? 'none' : JSON.stringify(value));
  throw new RunFolderError(
    `ablate(${path}): needs the settings that its runs share, ${changed} ${shown(before[changed])}, got ${shown(settings[changed])}. Give the same again, or another --name.`,
  );
}
