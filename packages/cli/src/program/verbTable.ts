// All verbs of the program, in the order of its help.
import { dataGroup, dataVerbs } from './dataVerbs.ts';
import { machineVerbs } from './machineVerbs.ts';
import { modelVerbs } from './modelVerbs.ts';
import { researchVerbs } from './researchVerbs.ts';
import { settingVerbs } from './settingVerbs.ts';
import type { VerbGroup, VerbSpec } from './specification.ts';
import { trainingVerbs } from './trainingVerbs.ts';
import { usingVerbs } from './usingVerbs.ts';
import { weightsVerbs } from './weightsVerbs.ts';

/** Every verb; a further one is a line in the table of its family. */
export const verbTable: readonly VerbSpec[] = [
  ...trainingVerbs,
  ...usingVerbs,
  ...modelVerbs,
  ...researchVerbs,
  ...weightsVerbs,
  ...machineVerbs,
  ...settingVerbs,
  ...dataVerbs,
];

/** The words that stand before several verbs. */
export const verbGroups: readonly VerbGroup[] = [dataGroup];

/** The words of a command line that name its verb, as far as there is one: `['data', 'info']` of `data info photos`. */
export function verbWords(commandLine: readonly string[]): readonly string[] {
  const names = [...verbTable, ...verbGroups].map(({ name }) => name.split(' '));
  const starts = (words: readonly string[]): boolean => words.every((word, i) => commandLine[i] === word);
  return names.filter(starts).sort((a, b) => b.length - a.length)[0] ?? [];
}
