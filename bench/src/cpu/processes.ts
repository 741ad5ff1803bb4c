// Suites in processes of their own: some libraries fix their threads or their device when they load.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { CpuOptions, CpuResult } from './suite.ts';

/**
 * What a program sends, given options as JSON in its first argument.
 *
 * Throws  Error when the process fails
 */
export const inProcess = <Result>(program: URL, options: object): Promise<Result> =>
  new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(program), [JSON.stringify(options)]);
    let result: Result | undefined;
    child.on('message', (message) => {
      result = message as Result;
    });
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      if (code === 0 && result !== undefined) resolve(result);
      else reject(new Error(`The suite with ${JSON.stringify(options)} ended with ${code ?? signal}.`));
    });
  });

/**
 * The rows of the suite `cpu` for every number of threads, one after the other.
 *
 * Throws  Error when one of the processes fails
 */
export const perThreadCount = async (
  threadCounts: readonly number[],
  options: Omit<CpuOptions, 'threads'>,
): Promise<CpuResult> => {
  const results: CpuResult[] = [];
  for (const threads of threadCounts)
    results.push(
      await inProcess<CpuResult>(new URL('./process.ts', import.meta.url), { ...options, threads }),
    );
  return {
    rows: results.flatMap(({ rows }) => rows),
    fma: results.every(({ fma }) => fma),
    missing: Object.assign({}, ...results.map(({ missing }) => missing)) as CpuResult['missing'],
  };
};
