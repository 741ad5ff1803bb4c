// The benchmark runner: `npm run bench -- [ops|conv|step|loss|cpu|gpu|profile|compile|open|batches|evaluation|checkpoints|kill|predict|onnx ...]` measures, prints a table and writes bench/results.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Backend } from '@autoassign/tensor';
import { createBackend } from '@autoassign/tensor';
import { checkpointSuite, checkpointText } from './checkpoints/suite.ts';
import { keepComparison } from './comparison.ts';
import { compileSuite, compileText } from './compile/suite.ts';
import { inProcess, perThreadCount } from './cpu/processes.ts';
import type { CpuOptions } from './cpu/suite.ts';
import { chromiumSuite } from './gpu/chromium.ts';
import type { GpuOptions, GpuResult } from './gpu/suite.ts';
import type { Task } from './measure.ts';
import { measure } from './measure.ts';
import { openDatasetSuite, openDatasetText } from './openDataset/suite.ts';
import { predictSuite, predictText } from './predict/suite.ts';
import type { Row } from './record.ts';
import { describeRun, loadNow, tableOf } from './record.ts';
import { batchesSuite, batchesText } from './suites/batches.ts';
import { convTasks } from './suites/conv.ts';
import { evaluationSuite, evaluationText } from './suites/evaluation.ts';
import { exportedSuite, exportedText } from './suites/exported.ts';
import { killSuite, killText } from './suites/kill.ts';
import { lossTasks } from './suites/loss.ts';
import { opTasks } from './suites/ops.ts';
import type { ProfileRow } from './suites/profile.ts';
import { profileSuite, profileText } from './suites/profile.ts';
import { stepTasks } from './suites/trainStep.ts';

const suites: Readonly<Record<string, (backend: Backend, seed: number) => Promise<Task[]>>> = {
  ops: opTasks,
  conv: convTasks,
  step: stepTasks,
  loss: lossTasks,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  allowNegative: true,
  options: {
    seed: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '5' },
    time: { type: 'string', default: '200' },
    out: { type: 'string', default: join(fileURLToPath(import.meta.url), '../../results') },
    // of the suites cpu and gpu
    peers: { type: 'boolean', default: false },
    only: { type: 'string' },
    // of the suites gpu and open
    large: { type: 'boolean', default: false },
    // of the suite gpu
    in: { type: 'string', default: 'node,chromium' },
    // of the suite open
    images: { type: 'string', default: '120000' },
    objects: { type: 'string', default: '1200000' },
    // of the suites cpu and predict
    threads: { type: 'string', default: '1' },
    fma: { type: 'boolean', default: true },
    // of the suite batches
    pictures: { type: 'string' },
    // of the suite kill
    runs: { type: 'string', default: '50' },
  },
});
const known = [
  ...Object.keys(suites),
  'cpu',
  'gpu',
  'profile',
  'compile',
  'open',
  'batches',
  'evaluation',
  'checkpoints',
  'kill',
  'predict',
  'onnx',
];
const chosen = positionals.length === 0 ? Object.keys(suites) : positionals;
const stop = (needs: string, got: string): never => {
  console.error(`bench: needs ${needs}, got '${got}'.`);
  process.exit(2);
};
const unknown = chosen.find((name) => !known.includes(name));
if (unknown !== undefined) stop(`suites out of ${known.join(', ')}`, unknown);
const threadCounts = values.threads.split(',').map(Number);
if (!threadCounts.every((count) => Number.isInteger(count) && count > 0))
  stop('--threads as positive integers such as 1,2', values.threads);
const gpuPlaces = values.in.split(',');
if (!gpuPlaces.every((place) => ['node', 'chromium'].includes(place)))
  stop('--in as places out of node,chromium', values.in);
const [images, objects] = [Number(values.images), Number(values.objects)];
if (![images, objects].every((count) => Number.isInteger(count) && count > 0))
  stop('--images and --objects as positive integers', `${values.images} and ${values.objects}`);
const seed = Number(values.seed);
const timing = { time: Number(values.time), rounds: Number(values.rounds) };

/** Measures one of the plain suites, prints and writes it. */
const runSuite = async (name: string): Promise<void> => {
  const tasks = await suites[name]!(await createBackend('wasm'), seed);
  return record(name, () => measure(tasks, timing), tableOf);
};

/** Measures rows, writes them with what they were measured on, and prints them. */
const record = async <R extends Row>(
  name: string,
  rowsOf: () => Promise<readonly R[]>,
  textOf: (rows: readonly R[]) => string,
): Promise<void> => {
  const run = describeRun(name, seed);
  const before = loadNow();
  const rows = await rowsOf();
  const file = join(values.out, `${name}-${run.date}.json`);
  writeFileSync(file, `${JSON.stringify({ ...run, load: { before, after: loadNow() }, rows }, null, 2)}\n`);
  console.log(
    `${name}: ${run.machine.cpu}, Node ${run.runtime.node}, load ${before[0]}\n${textOf(rows)}\n→ ${file}\n`,
  );
};

/** Looks into whole programs, prints and writes where their time goes. */
const runProfile = async (): Promise<void> => {
  const backend = await createBackend('wasm');
  const textOf = (rows: readonly ProfileRow[]): string => rows.map(profileText).join('\n\n');
  await record('profile', () => profileSuite(backend, seed, timing), textOf);
};

const chosenRows = {
  seed,
  peers: values.peers,
  ...timing,
  ...(values.only === undefined ? {} : { only: values.only }),
};

/** Measures the suite cpu, prints it, writes it and draws it. */
const runCpu = async (): Promise<void> => {
  const options: Omit<CpuOptions, 'threads'> = { ...chosenRows, fma: values.fma };
  const described = describeRun('cpu', seed);
  const before = loadNow();
  const { rows, fma, missing } = await perThreadCount(threadCounts, options);
  const run = { ...described, fma, load: { before, after: loadNow() }, rows };
  keepComparison(values.out, { run, on: `fma ${fma ? 'on' : 'off'}`, missing });
};

/** Measures the suite gpu, prints it, writes it and draws it. */
const runGpu = async (): Promise<void> => {
  // software adapters take long, and single runs tell little on a shared machine
  const options: GpuOptions = { ...chosenRows, large: values.large, slow: 20_000 };
  const described = describeRun('gpu', seed);
  const before = loadNow();
  const program = new URL('./gpu/process.ts', import.meta.url);
  const places: Readonly<Record<string, () => Promise<GpuResult>>> = {
    node: () => inProcess<GpuResult>(program, options),
    chromium: () => chromiumSuite(options),
  };
  const results: GpuResult[] = [];
  for (const place of gpuPlaces) results.push(await places[place]!());
  const rows = results.flatMap((result) => result.rows);
  const adapter = results.map((result) => result.adapter).join('; ');
  const missing = Object.assign({}, ...results.map((result) => result.missing)) as GpuResult['missing'];
  const run = { ...described, adapter, load: { before, after: loadNow() }, rows };
  keepComparison(values.out, { run, on: adapter, missing });
};

mkdirSync(values.out, { recursive: true });
const special: Readonly<Record<string, () => Promise<void>>> = {
  cpu: runCpu,
  gpu: runGpu,
  profile: runProfile,
  open: () =>
    record(
      'open',
      () => openDatasetSuite({ seed, rounds: timing.rounds, images, objects, large: values.large }),
      openDatasetText,
    ),
  checkpoints: () =>
    record('checkpoints', () => checkpointSuite({ seed, rounds: timing.rounds }), checkpointText),
  predict: () =>
    record(
      'predict',
      () => predictSuite({ threads: Math.max(2, ...threadCounts), seed, rounds: timing.rounds }),
      predictText,
    ),
  compile: () => record('compile', () => compileSuite(seed, timing.rounds), compileText),
  evaluation: () => record('evaluation', () => evaluationSuite(seed, timing.rounds), evaluationText),
  onnx: () =>
    record('onnx', () => exportedSuite({ seed, rounds: timing.rounds, peers: values.peers }), exportedText),
  kill: () => record('kill', () => killSuite({ seed, runs: Number(values.runs) }), killText),
  batches: () =>
    record(
      'batches',
      () => batchesSuite({ seed, rounds: timing.rounds, images: values.pictures }),
      batchesText,
    ),
};
for (const name of chosen) await (special[name] ?? (() => runSuite(name)))();
