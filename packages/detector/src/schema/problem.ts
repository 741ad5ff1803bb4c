// What is wrong with a value that should fit a schema: the first thing, in words.
import type * as z from 'zod/mini';
import { knownFields, type Schema } from './fields.ts';
import { nearestName } from './nearestName.ts';

/** One thing that is wrong, as the parts of an error's sentence. */
export interface Problem {
  /** The dotted path of the field; empty for the value as a whole. */
  readonly label: string;
  readonly needs: string;
  readonly got: string;
  readonly advice: string;
}

/** The problem of a field whose value is not what it needs. */
export const wrongValue = (label: string, needs: string, value: unknown): Problem => {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  const got = text.length > 80 ? `${text.slice(0, 77)}...` : text;
  return { label, needs, got, advice: 'Correct this field.' };
};

/**
 * The first problem of a value, unknown fields before all others, as they are what a missing field was meant to be; undefined when it fits.
 *
 * Example  firstProblem(detectorSchema, JSON.parse(text))
 */
export const firstProblem = (schema: Schema<unknown>, value: unknown): Problem | undefined => {
  const { success, error } = schema.safeParse(value);
  if (success) return undefined;
  const unknown = error.issues.find(({ code }) => code === 'unrecognized_keys');
  return problemOf(unknown ?? error.issues[0]!, value);
};

const problemOf = (issue: z.core.$ZodIssue, value: unknown): Problem => {
  const { path, message } = issue;
  const inner = issue.code === 'invalid_union' ? presentField(issue, value) : undefined;
  if (inner !== undefined) return problemOf(inner, value);
  if (issue.code === 'unrecognized_keys') return unknownField(path.map(String), issue.keys[0]!, message);
  return wrongValue(path.join('.'), message, valueAt(value, path));
};

/** Of what the members of a union complain about, the first that is there, as an issue of the whole. */
const presentField = (
  { errors, path }: z.core.$ZodIssueInvalidUnion,
  value: unknown,
): z.core.$ZodIssue | undefined =>
  errors
    .flat()
    .filter((issue) => issue.path.length > 0)
    .map((issue) => ({ ...issue, path: [...path, ...issue.path] }))
    .find((issue) => issue.code !== 'unrecognized_keys' && valueAt(value, issue.path) !== undefined);

const unknownField = (path: readonly string[], name: string, needs: string): Problem => {
  const below = (field: string): string => [...path, field].join('.');
  const meant = nearestName(name, knownFields(needs));
  const advice = meant === undefined ? 'Remove it or correct its name.' : `Did you mean '${below(meant)}'?`;
  return { label: below(name), needs, got: `a field '${name}'`, advice };
};

const valueAt = (value: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>(
    (inner, key) =>
      typeof inner === 'object' && inner !== null ? (inner as Record<PropertyKey, unknown>)[key] : undefined,
    value,
  );
