// The program that bench/device/run.sh starts: `conformance`, or `bench` with options.
import { mkdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { createBackend } from '@autoassign/tensor';
import { keepComparison, writeComparison } from '../comparison.ts';
import { openAdapter } from '../gpu/adapter.ts';
import type { SurveyedAdapter } from '../gpu/surveyAdapter.ts';
import type { BenchRun } from '../record.ts';
import { describeRun, loadNow } from '../record.ts';
import { runConformance } from './conformance.ts';
import { readPacked } from './packed.ts';
import type { DeviceOptions, DeviceResult } from './suite.ts';
import { deviceSuite } from './suite.ts';

/** Dawn keeps half precision from NVIDIA under Vulkan, and matrix units from everyone, unless asked for. */
const toggles = ['allow_unsafe_apis', 'vulkan_enable_f16_on_nvidia'];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  allowNegative: true,
  options: {
    seed: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '5' },
    time: { type: 'string', default: '200' },
    out: { type: 'string', default: 'bench/results' },
    only: { type: 'string' },
    // all that a software adapter takes minutes for
    large: { type: 'boolean', default: true },
    // GPU.js, and the libraries that were packed
    peers: { type: 'boolean', default: false },
    torch: { type: 'string', default: 'cuda' },
  },
});

const stop = (needs: string, got: string): never => {
  console.error(`program: needs ${needs}, got '${got}'.`);
  process.exit(2);
};

const describe = ({ description, isSoftware, features }: SurveyedAdapter): string =>
  `${description}${isSoftware ? ' (software)' : ''}; ${features.join(', ')}`;

const conform = async (): Promise<boolean> => {
  console.log(`conformance of webgpu on ${describe(await openAdapter(toggles))}`);
  const { passed, failed } = await runConformance('webgpu', () => createBackend('webgpu'), console.log);
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 && passed > 0;
};

const bench = async (): Promise<boolean> => {
  const { only, large, peers, torch } = values;
  if (torch !== 'cuda' && torch !== 'cpu') return stop('--torch as cuda or cpu', torch);
  const seed = Number(values.seed);
  const options: DeviceOptions = {
    ...{ seed, large, peers, torch, slow: 20_000 },
    ...{ time: Number(values.time), rounds: Number(values.rounds) },
    ...(only === undefined ? {} : { only }),
  };
  const described = describeRun('device', seed, readPacked().commit);
  const before = loadNow();
  const adapter = await openAdapter(toggles);
  console.log(`bench on ${describe(adapter)}`);
  mkdirSync(values.out, { recursive: true });
  const runOf = ({ rows, failed }: DeviceResult): BenchRun => ({
    ...{ ...described, adapter: adapter.description, load: { before, after: loadNow() }, rows },
    ...(Object.keys(failed).length === 0 ? {} : { failed }),
  });
  const result = await deviceSuite(options, adapter, (soFar) => writeComparison(values.out, runOf(soFar)));
  const { rows, failed, missing } = result;
  keepComparison(values.out, { run: runOf(result), on: adapter.description, missing });
  for (const [name, message] of Object.entries(failed)) console.log(`FAIL ${name}: ${message}`);
  return rows.length > 0 && Object.keys(failed).length === 0;
};

const parts: Readonly<Record<string, () => Promise<boolean>>> = { conformance: conform, bench };
const [part = ''] = positionals;
const run = parts[part] ?? (() => stop(`a part out of ${Object.keys(parts).join(', ')}`, part));
const isRight = await run().catch((error: unknown) => {
  console.error(error);
  return false;
});
// a GPU device keeps a process alive
process.exit(isRight ? 0 : 1);
