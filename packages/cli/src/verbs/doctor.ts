// The verb `doctor`: the machine and its versions, which backends run on it, on what, and how to get the others.
import { freemem } from 'node:os';
import type { BackendSurvey, Fact } from '@autoassign/tensor';
import { surveyBackends, tuneTiles } from '@autoassign/tensor';
import type { RunEnvironment } from '../environment.ts';
import { collectEnvironment, installedVersion } from '../environment.ts';
import type { DoctorOptions } from '../options.ts';
import type { VerbContext } from '../program.ts';
import { keepTiles, tilesFile, tunedText } from '../tunedTiles.ts';

function factText(fact: Fact): string {
  if (typeof fact === 'boolean') return fact ? 'yes' : 'no';
  if (typeof fact !== 'object') return String(fact);
  if (Array.isArray(fact)) return fact.join(', ') || 'none';
  return Object.entries(fact)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}

/** A backend as lines: whether it runs, then a line per fact, or the reason why not. */
function surveyText({ name, isAvailable, reason, facts }: BackendSurvey): string {
  const lines = Object.entries(facts).map(([fact, value]) => `    ${fact}: ${factText(value)}`);
  return [
    `  ${name.padEnd(8)}${isAvailable ? 'runs here' : 'does not run here'}`,
    ...(reason === undefined ? [] : [`    ${reason}`]),
    ...lines,
  ].join('\n');
}

/** Finds the fastest tiles for the GPU, keeps them and prints what was tried. */
async function tune({ reporter }: VerbContext): Promise<void> {
  const backends = await surveyBackends();
  const isSoftware = backends.find(({ name }) => name === 'webgpu')?.facts.software === true;
  const tuned = await tuneTiles({}, isSoftware ? { large: 256, small: 64 } : undefined);
  await keepTiles(tuned);
  reporter.event({ event: 'tiles', ...tuned });
  reporter.result(tunedText(tuned, tilesFile()));
}

/** What is installed beside the program that other verbs or other ways to compute can use. */
const optionalPackages = ['onnxruntime-node', 'onnxruntime-web', 'gpu.js', 'webgpu'];

/** The machine, the versions and what is installed, as lines. */
function machineText(
  machine: Pick<RunEnvironment, 'packages' | 'node' | 'platform' | 'cores' | 'cpu' | 'memoryBytes'>,
  optional: Readonly<Record<string, string | null>>,
): string {
  const { autoassign, sharp, vips } = machine.packages;
  const installed = Object.entries(optional).map(
    ([name, version]) => `${name} ${version ?? 'not installed'}`,
  );
  return [
    `autoassign ${autoassign}, Node ${machine.node} on ${machine.platform}`,
    `${machine.cores} cores (${machine.cpu}), ${(machine.memoryBytes / 2 ** 30).toFixed(1)} GiB of memory, ${(freemem() / 2 ** 30).toFixed(1)} GiB free`,
    `sharp ${sharp} with libvips ${vips}; ${installed.join(', ')}`,
  ].join('\n');
}

/** Prints what the machine has and what every backend finds here; tunes the GPU where it is asked to. */
export async function doctorVerb(options: DoctorOptions, context: VerbContext): Promise<void> {
  if (options.tune === true) return tune(context);
  const { reporter } = context;
  const backends = await surveyBackends();
  const {
    commandLine,
    threads: _,
    git: __,
    ...machine
  } = await collectEnvironment({
    commandLine: context.commandLine,
    threads: 1,
  });
  const optional = Object.fromEntries(optionalPackages.map((name) => [name, installedVersion(name) ?? null]));
  reporter.event({ event: 'machine', ...machine, optional });
  for (const backend of backends) reporter.event({ event: 'backend', ...backend });
  reporter.result([machineText(machine, optional), '', ...backends.map(surveyText)].join('\n'));
}
