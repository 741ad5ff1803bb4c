// The verb `doctor`: which backends run on this machine, on what, and how to get the others.
import type { BackendSurvey, Fact } from '@autoassign/tensor';
import { surveyBackends, tuneTiles } from '@autoassign/tensor';
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

/** Prints what every backend finds here; tunes the GPU where it is asked to. */
export async function doctorVerb(options: DoctorOptions, context: VerbContext): Promise<void> {
  if (options.tune === true) return tune(context);
  const { reporter } = context;
  const backends = await surveyBackends();
  const { version, platform, arch } = process;
  for (const backend of backends) reporter.event({ event: 'backend', ...backend });
  reporter.result([`Node ${version} on ${platform} ${arch}`, ...backends.map(surveyText)].join('\n'));
}
