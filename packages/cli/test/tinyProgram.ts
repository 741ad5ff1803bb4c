// The whole program with tiny verbs as a process of its own, for tests that send it signals.
import { runProgram } from '../src/program.ts';
import { tinyVerbs } from './tinyVerbs.ts';

process.exitCode = await runProgram(tinyVerbs(), process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  environment: process.env,
  signals: process,
  exitNow: (exitCode) => process.exit(exitCode),
});
