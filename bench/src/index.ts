// The benchmark runner: `npm run bench -- [ops|conv|step|loss ...]` measures, prints a table and writes bench/results.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Backend } from '@autoassign/tensor';
import { createBackend } from '@autoassign/tensor';
import type { Task } from './measure.ts';
import { measure } from './measure.ts';
import { describeRun, loadNow, tableOf } from './record.ts';
import { convTasks } from './suites/conv.ts';
import { lossTasks } from './suites/loss.ts';
import { opTasks } from './suites/ops.ts';
import { stepTasks } from './suites/trainStep.ts';

const suites: Readonly<Record<string, (backend: Backend, seed: number) => Promise<Task[]>>> = {
  ops: opTasks,
  conv: convTasks,
  step: stepTasks,
  loss: lossTasks,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '5' },
    time: { type: 'string', default: '200' },
    out: { type: 'string', default: join(fileURLToPath(import.meta.url), '../../results') },
  },
});
const chosen = positionals.length === 0 ? Object.keys(suites) : positionals;
const unknown = chosen.find((name) => suites[name] === undefined);
if (unknown !== undefined) {
  console.error(`bench: needs suites out of ${Object.keys(suites).join(', ')}, got '${unknown}'.`);
  process.exit(2);
}
const seed = Number(values.seed);
mkdirSync(values.out, { recursive: true });
for (const name of chosen) {
  const run = describeRun(name, seed);
  const before = loadNow();
  const tasks = await suites[name]!(await createBackend('wasm'), seed);
  const rows = await measure(tasks, { time: Number(values.time), rounds: Number(values.rounds) });
  const file = join(values.out, `${name}-${run.date}.json`);
  writeFileSync(file, `${JSON.stringify({ ...run, load: { before, after: loadNow() }, rows }, null, 2)}\n`);
  console.log(
    `${name}: ${run.machine.cpu}, Node ${run.runtime.node}, load ${before[0]}\n${tableOf(rows)}\n→ ${file}\n`,
  );
}
