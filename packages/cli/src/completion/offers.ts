// What a shell may offer after the words that are there already: found in the tables of verbs, presets and settings.
import type { ArgumentSpec, OptionSpec } from '../program/specification.ts';
import { verbGroups, verbTable } from '../program/verbTable.ts';
import { settingPaths } from '../settings/paths.ts';

/** What stands in a place: one of some words, a path, a setting, or anything. */
export type Offer =
  | { readonly kind: 'words'; readonly words: readonly string[] }
  | { readonly kind: 'folder' | 'file' | 'setting' | 'anything' };

/** An option as a shell needs it. */
interface OfferedOption {
  /** `--steps`. */
  readonly flag: string;
  readonly description: string;
  /** What follows it; nothing for a switch. */
  readonly value?: Offer & { readonly isOptional: boolean };
}

/** A verb as a shell needs it. */
export interface OfferedVerb {
  /** `['data', 'info']`. */
  readonly words: readonly string[];
  readonly description: string;
  readonly options: readonly OfferedOption[];
  /** What may stand after it beside options. */
  readonly argument: Offer;
}

/** A setting as a shell needs it. */
export interface OfferedSetting {
  readonly path: string;
  readonly words: readonly string[];
}

function offerOf({
  choices,
  completedBy,
}: Pick<OptionSpec & ArgumentSpec, 'choices' | 'completedBy'>): Offer {
  if (choices !== undefined) return { kind: 'words', words: choices };
  return { kind: completedBy ?? 'anything' };
}

function offeredOption(spec: OptionSpec): OfferedOption {
  const [flag = '', value] = spec.flags.split(' ');
  const { description } = spec;
  if (value === undefined) return { flag, description };
  return { flag, description, value: { ...offerOf(spec), isOptional: value.startsWith('[') } };
}

const help: OfferedOption = { flag: '--help', description: 'display help for command' };

/** Every verb with its options. */
export const offeredVerbs: readonly OfferedVerb[] = verbTable.map((spec) => ({
  words: spec.name.split(' '),
  description: spec.description,
  options: [...spec.options.map(offeredOption), help],
  argument: offerOf(spec.arguments?.[0] ?? {}),
}));

/** The first words of command lines, with what each is for. */
export const firstWords: readonly { readonly word: string; readonly description: string }[] = [
  ...verbTable.filter(({ name }) => !name.includes(' ')),
  ...verbGroups,
].map(({ name, description }) => ({ word: name, description }));

/** The words that stand before several verbs. */
export const groupWords: readonly string[] = verbGroups.map(({ name }) => name);

/** Every setting that takes a value, with the words there are for it. */
export const offeredSettings: readonly OfferedSetting[] = [
  ...new Map(
    settingPaths
      .filter(({ node }) => node.type !== 'object' && node.type !== undefined)
      .map(({ path, node }) => [
        path,
        { path, words: node.enum ?? (node.type === 'boolean' ? ['true', 'false'] : []) },
      ]),
  ).values(),
];

/** Text as one word of a POSIX shell. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
