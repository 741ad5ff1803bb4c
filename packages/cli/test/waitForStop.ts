// A program with one verb that works until it is asked to stop, then saves; run as a process by program.test.ts.
import { once } from 'node:events';
import type { VerbContext } from '../src/program.ts';
import { runProgram } from '../src/program.ts';
import { verbsThat } from './surroundings.ts';

async function workUntilStopped(_options: unknown, { signal, reporter }: VerbContext): Promise<void> {
  const work = setInterval(() => undefined, 1000);
  reporter.result('ready');
  await once(signal, 'abort');
  clearInterval(work);
  reporter.result('saved');
}

process.exitCode = await runProgram(
  verbsThat(() => workUntilStopped),
  ['demo'],
  {
    stdout: process.stdout,
    stderr: process.stderr,
    environment: process.env,
    signals: process,
    exitNow: (exitCode) => process.exit(exitCode),
  },
);
