// Steps from outside: configuration files and command lines give unknown values, which are checked field by field.
import { DatasetError } from '../errors.ts';
import {
  type FieldRule,
  flag,
  numbersWithin,
  numberWithin,
  oneOf,
  optional,
  probability,
  rangeWithin,
  side,
  sideOrSides,
  sides,
} from './fieldRules.ts';
import { nearestName } from './nearestName.ts';
import type { TransformStep } from './steps.ts';

type StepType = TransformStep['type'];
type FieldsOf<Type extends StepType> = Exclude<keyof Extract<TransformStep, { readonly type: Type }>, 'type'>;

/** The rule of every field of every step; the compiler asks for a line where a step gets a new field. */
const rules: { readonly [Type in StepType]: { readonly [Field in FieldsOf<Type>]: FieldRule } } = {
  resize: { shortSide: sides, longSide: side, enlarge: optional(flag) },
  flip: { probability: optional(probability), axis: optional(oneOf('horizontal', 'vertical')) },
  crop: { width: sideOrSides, height: sideOrSides, allowEmpty: optional(flag) },
  minimumIouCrop: {
    minimumIous: optional(numbersWithin(0, 1)),
    smallest: optional(numberWithin(0.01, 1)),
  },
  photometric: {
    brightness: optional(numberWithin(0, 255)),
    contrast: optional(probability),
    saturation: optional(probability),
    hue: optional(numberWithin(0, 180)),
    swapChannels: optional(probability),
    probability: optional(probability),
  },
  mosaic: {
    size: side,
    center: optional(rangeWithin(0, 1)),
    fill: optional(numberWithin(0, 255)),
    probability: optional(probability),
  },
  normalizeJitter: { gain: rangeWithin(1e-3, 1e3), offset: rangeWithin(-1e3, 1e3) },
};

/**
 * The steps that a value of unknown origin holds, such as a part of a parsed JSON file; `where` names it in messages.
 *
 * Throws   DatasetError naming the step and its field at the first thing that is wrong
 * Example  parseSteps(JSON.parse(text).steps, 'recipe.json')
 */
export const parseSteps = (value: unknown, where: string): readonly TransformStep[] => {
  if (!Array.isArray(value)) throw wrong(where, 'steps', 'a list of steps', value);
  for (const [i, step] of value.entries()) checkStep(step, where, `steps[${i}]`);
  return value;
};

const checkStep = (step: unknown, where: string, place: string): void => {
  if (typeof step !== 'object' || step === null || Array.isArray(step))
    throw wrong(where, place, 'an object with a "type"', step);
  const { type, ...fields } = step as Readonly<Record<string, unknown>>;
  const types = Object.keys(rules);
  if (typeof type !== 'string' || !types.includes(type))
    throw wrong(where, `${place}.type`, `one of ${types.join(', ')}`, type, meant(type, types));
  const expected: Readonly<Record<string, FieldRule>> = rules[type as StepType];
  for (const field of Object.keys(fields))
    if (!Object.hasOwn(expected, field)) throw unknownField(where, place, field, type, Object.keys(expected));
  for (const [field, { needed, isOptional, accepts }] of Object.entries(expected)) {
    const given = fields[field];
    const isMissing = given === undefined && isOptional;
    if (!isMissing && !accepts(given)) throw wrong(where, `${place}.${field}`, needed, given);
  }
};

const meant = (name: unknown, names: readonly string[]): string | undefined => {
  const nearest = typeof name === 'string' ? nearestName(name, names) : undefined;
  return nearest === undefined ? undefined : `Did you mean "${nearest}"?`;
};

const unknownField = (
  where: string,
  place: string,
  field: string,
  type: string,
  fields: readonly string[],
): DatasetError =>
  new DatasetError(
    `parseSteps(${where}): needs no fields in ${place} but type, ${fields.join(', ')}, got "${field}" in a step of type ${type}. ${
      meant(field, fields) ?? 'Remove it.'
    }`,
    { file: where, field: `${place}.${field}` },
  );

const wrong = (
  where: string,
  field: string,
  needed: string,
  value: unknown,
  action = 'Correct it.',
): DatasetError =>
  new DatasetError(`parseSteps(${where}): needs ${field} to be ${needed}, got ${shown(value)}. ${action}`, {
    file: where,
    field,
  });

const longestShown = 60;

const shown = (value: unknown): string => {
  if (value === undefined) return 'nothing';
  const text = typeof value === 'object' || typeof value === 'string' ? jsonOf(value) : String(value);
  return text.length > longestShown ? `${text.slice(0, longestShown)}…` : text;
};

const jsonOf = (value: unknown): string => {
  try {
    return JSON.stringify(value);
  } catch {
    return 'an object that is no plain data';
  }
};
