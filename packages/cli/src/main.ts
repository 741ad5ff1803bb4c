#!/usr/bin/env node
// The program `autoassign`: its verbs, the words it was started with, and the process around it.
import { runProgram } from './program.ts';
import { createVerbs } from './verbs/index.ts';

process.exitCode = await runProgram(createVerbs(), process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  environment: process.env,
  signals: process,
  exitNow: (exitCode) => process.exit(exitCode),
});
