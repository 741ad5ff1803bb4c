// One process per number of threads: some libraries fix theirs when they load.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { CpuOptions, CpuResult } from './suite.ts';

/** The suite in a process of its own. */
const inProcess = (options: CpuOptions): Promise<CpuResult> =>
  new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(new URL('./process.ts', import.meta.url)), [JSON.stringify(options)]);
    let result: CpuResult | undefined;
    child.on('message', (message) => {
      result = message as CpuResult;
    });
    child.once('error', reject);
    child.once('exit', (code) => {
      if (code === 0 && result !== undefined) resolve(result);
      else reject(new Error(`The suite cpu with threads ${options.threads} ended with code ${code}.`));
    });
  });

/**
 * The suite's rows for every number of threads, one after the other.
 *
 * Throws  Error when one of the processes fails
 */
export const perThreadCount = async (
  threadCounts: readonly number[],
  options: Omit<CpuOptions, 'threads'>,
): Promise<CpuResult> => {
  const results: CpuResult[] = [];
  for (const threads of threadCounts) results.push(await inProcess({ ...options, threads }));
  return {
    rows: results.flatMap(({ rows }) => rows),
    fma: results.every(({ fma }) => fma),
    missing: Object.assign({}, ...results.map(({ missing }) => missing)) as CpuResult['missing'],
  };
};
