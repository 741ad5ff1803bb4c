// A file of settings, JSON or YAML: some of them, or the `config.json` of an earlier run.
import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { parse } from 'yaml';
import { describeError, UsageError } from '../exitCodes.ts';
import type { SomeSettings } from './layers.ts';

const parsers: Readonly<Record<string, (text: string) => unknown>> = {
  '.json': (text) => JSON.parse(text) as unknown,
  '.yaml': (text) => parse(text, { logLevel: 'error' }) as unknown,
  '.yml': (text) => parse(text, { logLevel: 'error' }) as unknown,
};

function refuse(path: string, needs: string, got: string): never {
  throw new UsageError(
    `--config needs ${needs}, got ${got} (${path}). 'autoassign config' prints a file to begin with.`,
  );
}

/** The settings of an earlier run without what belongs to its data alone. */
function settingsOfRun({ recipe, images, detector }: SomeSettings): SomeSettings {
  const { classes, ...network } = (detector ?? {}) as SomeSettings;
  return { recipe, images, detector: network };
}

/**
 * The settings in a file, as a layer that has not been checked.
 *
 * Throws   UsageError when the file cannot be read or holds no object
 */
export async function readSettings(path: string): Promise<SomeSettings> {
  const parser = parsers[extname(path).toLowerCase()];
  if (parser === undefined) refuse(path, 'a .json, .yaml or .yml file', 'another one');
  let value: unknown;
  try {
    value = parser(await readFile(path, 'utf8'));
  } catch (error) {
    refuse(path, 'a file of settings', describeError(error));
  }
  if (value === null) return {}; // an empty file, or one of comments alone
  if (typeof value !== 'object' || Array.isArray(value)) refuse(path, 'an object', JSON.stringify(value));
  const settings = value as SomeSettings;
  return 'format' in settings ? settingsOfRun(settings) : settings;
}
