// Reading the `config.json` of a training run, checked field by field.
import { configProblem, firstProblem, type Problem } from '@autoassign/detector/schema';
import type { RunConfig } from './runConfig.ts';
import { RunFolderError, readRunConfig, runFiles } from './runFolder.ts';
import { runSchema } from './settings/runSchema.ts';

function requireFormat({ format }: Readonly<Record<string, unknown>>, path: string): void {
  if (format === 3) return;
  const advice =
    format === 1 || format === 2
      ? 'The run was begun by an earlier version: continue it with that one, or start a new run.'
      : 'Give the folder of a training run.';
  throw new RunFolderError(
    `readTrainingConfig(${path}): needs format 3, got ${format === undefined ? 'none' : JSON.stringify(format)}. ${advice}`,
  );
}

/** What keeps a value from being the configuration of a run, or undefined when it is one. */
function runProblem(value: Readonly<Record<string, unknown>>): Problem | undefined {
  const problem = firstProblem(runSchema, value);
  if (problem !== undefined) return problem;
  const inner = configProblem(value.detector);
  return inner && { ...inner, label: `detector.${inner.label}` };
}

/**
 * The configuration of the training run in a folder.
 *
 * Throws   RunFolderError when the file is missing, is of an earlier version, or a field of it is not what training writes
 */
export async function readTrainingConfig(folder: string): Promise<RunConfig> {
  const config = await readRunConfig(folder);
  const path = runFiles(folder).config;
  requireFormat(config, path);
  const problem = runProblem(config);
  if (problem === undefined) return config as unknown as RunConfig;
  const { label, needs, got } = problem;
  throw new RunFolderError(
    `readTrainingConfig(${path}, ${label}): needs ${needs}, got ${got}. Give the folder of a training run.`,
  );
}
