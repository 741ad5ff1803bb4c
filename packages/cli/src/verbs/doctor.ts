// The verb `doctor`: which backends run on this machine, on what, and how to get the others.
import type { BackendSurvey, Fact } from '@autoassign/tensor';
import { surveyBackends } from '@autoassign/tensor';
import type { DoctorOptions } from '../options.ts';
import type { VerbContext } from '../program.ts';

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

/** Prints what every backend finds here. */
export async function doctorVerb(_options: DoctorOptions, { reporter }: VerbContext): Promise<void> {
  const backends = await surveyBackends();
  const { version, platform, arch } = process;
  for (const backend of backends) reporter.event({ event: 'backend', ...backend });
  reporter.result([`Node ${version} on ${platform} ${arch}`, ...backends.map(surveyText)].join('\n'));
}
