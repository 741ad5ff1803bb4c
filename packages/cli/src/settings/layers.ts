// Settings in layers: those of a preset, of a file and of the command line become one, checked as a whole.
import { configProblem, firstProblem, nearestName, type Problem } from '@autoassign/detector/schema';
import { parse } from 'yaml';
import { UsageError } from '../exitCodes.ts';
import { alternativesOf, kindOf, type SettingPath, settingPaths } from './paths.ts';
import type { Settings } from './runSchema.ts';
import { settingsSchema } from './runSchema.ts';

/** Some of the settings, in the form of their objects; a null takes an optional field away. */
export type SomeSettings = Readonly<Record<string, unknown>>;

const isRecord = (value: unknown): value is SomeSettings =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Whether an object is to stand in the place of another one, of whose kind it is not. */
function isOtherKind(before: SomeSettings, after: SomeSettings, path: string): boolean {
  const node = settingPaths.find((setting) => setting.path === path)?.node;
  const alternatives = node === undefined ? [] : alternativesOf(node);
  const unsaid = alternatives.find(({ required = [] }) => !required.includes('kind'));
  const kind = before.kind ?? (unsaid && kindOf(unsaid));
  if (after.kind !== undefined && after.kind !== kind) return true;
  return alternatives.length > 0 && alternatives.every((option) => kindOf(option) === undefined);
}

/** The settings with those of a layer in place of their own; lists and objects of another kind are replaced as a whole. */
function merged(before: SomeSettings, layer: SomeSettings, path = ''): SomeSettings {
  const result: Record<string, unknown> = { ...before };
  for (const [name, value] of Object.entries(layer)) {
    const inner = path === '' ? name : `${path}.${name}`;
    const own = Object.hasOwn(before, name) ? before[name] : undefined;
    if (value === null) delete result[name];
    else if (isRecord(value) && isRecord(own) && !isOtherKind(own, value, inner))
      result[name] = merged(own, value, inner);
    else Object.defineProperty(result, name, { value, enumerable: true, configurable: true, writable: true });
  }
  return result;
}

/** The first thing that keeps a value from being settings. */
function settingsProblem(value: SomeSettings): Problem | undefined {
  const problem = firstProblem(settingsSchema, value);
  if (problem !== undefined) return problem;
  const inner = configProblem(value.detector);
  return inner && { ...inner, label: `detector.${inner.label}` };
}

/**
 * The settings with those of a layer, which `where` names in messages (nothing for the command line).
 *
 * Throws   UsageError naming the field that does not exist, or does not take its value
 */
export function withLayer(settings: Settings, layer: SomeSettings, where = ''): Settings {
  const result = merged({ ...settings }, layer);
  const problem = settingsProblem(result);
  if (problem === undefined) return result as unknown as Settings;
  const { label, needs, got, advice } = problem;
  throw new UsageError(`${where === '' ? '' : `${where}: `}${label} needs ${needs}, got ${got}. ${advice}`);
}

/** A word such as `recipe.rate=0.01`, taken apart. */
interface Assignment {
  readonly path: string;
  readonly text: string;
}

function takenApart(word: string): Assignment {
  const at = word.indexOf('=');
  if (at > 0) return { path: word.slice(0, at), text: word.slice(at + 1) };
  throw new UsageError(
    `a setting needs the form key=value, got '${word}'. Try recipe.rate=0.01, or see 'autoassign config' for all keys.`,
  );
}

/** The path that was probably meant by one that does not exist. */
function meantPath(path: string): string | undefined {
  const paths = settingPaths.map((setting) => setting.path);
  const wanted = path.toLowerCase();
  const ending = paths.filter((known) => known.toLowerCase().endsWith(`.${wanted}`));
  if (ending.length > 0) return ending[0];
  const lastOf = (dotted: string): string => dotted.split('.').at(-1) ?? '';
  const near = nearestName(path, paths);
  const byLast = nearestName(lastOf(path), paths.map(lastOf));
  return near ?? (byLast === undefined ? undefined : paths.find((known) => lastOf(known) === byLast));
}

/** The fields of a path: of several where kinds have a field of the same name. */
function settingsAt(path: string): readonly SettingPath[] {
  const found = settingPaths.filter((setting) => setting.path === path);
  if (found.length > 0) return found;
  const meant = meantPath(path);
  if (path === 'detector.classes')
    throw new UsageError(`${path} comes from the dataset, got a value for it. Leave it out.`);
  throw new UsageError(
    `there is no setting '${path}'. ${meant === undefined ? "See 'autoassign config' for all." : `Did you mean '${meant}'?`}`,
  );
}

/** What was typed as a value of the type that the field has; text that is none stays text, for the check to refuse. */
function typedValue({ path, text }: Assignment): unknown {
  const types = settingsAt(path).map(({ node }) => node.type);
  if (text === 'null') return null;
  if (types.includes('string')) return text;
  if (types.some((type) => type === 'number' || type === 'integer')) {
    const number = text.trim() === '' ? Number.NaN : Number(text);
    return Number.isFinite(number) ? number : text;
  }
  if (types.includes('boolean')) return text === 'true' || (text === 'false' ? false : text);
  try {
    return parse(text, { logLevel: 'error' });
  } catch {
    return text;
  }
}

/**
 * The settings that words of the command line ask for, as a layer.
 *
 * Throws   UsageError naming a word that is no assignment, or the nearest name of one that does not exist
 * Example  assigned(['recipe.rate=0.01', 'images.train.shortSides=[640, 800]'])
 */
export function assigned(words: readonly string[]): SomeSettings {
  return words.map(takenApart).reduce<SomeSettings>((layer, assignment) => {
    const value = typedValue(assignment);
    const names = assignment.path.split('.');
    const single = names.reduceRight<unknown>((inner, name) => ({ [name]: inner }), value);
    return joined(layer, single as SomeSettings);
  }, {});
}

/** Two layers as one, the second before the first. */
function joined(first: SomeSettings, second: SomeSettings): SomeSettings {
  const result: Record<string, unknown> = { ...first };
  for (const [name, value] of Object.entries(second)) {
    const own = Object.hasOwn(first, name) ? first[name] : undefined;
    result[name] = isRecord(own) && isRecord(value) ? joined(own, value) : value;
  }
  return result;
}
