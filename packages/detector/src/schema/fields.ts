// The kinds of fields that configurations are made of, as schemas that say in words what they need.
import * as z from 'zod/mini';

/** What accepts values of type `T` and refuses all others. */
export type Schema<T> = z.ZodMiniType<T>;

/** The keys that may be missing. */
type OptionalKey<T> = { [K in keyof T]-?: Record<never, never> extends Pick<T, K> ? K : never }[keyof T];

/** A schema for every field of `T`: one that is missing, too many or of another type does not compile. */
export type Fields<T> = {
  readonly [K in keyof T]-?: Schema<K extends OptionalKey<T> ? T[K] | undefined : T[K]>;
};

/** The kinds of a type that has some. */
type KindOf<T> = T extends { readonly kind?: infer Kind } ? Exclude<Kind, undefined> & string : never;

/** What a type is when it is of a kind. */
type OfKind<T, Kind> = T extends { readonly kind?: infer Own } ? (Kind extends Own ? T : never) : never;

/** The names of the fields that any member of a union has. */
type FieldOfAny<T> = T extends unknown ? keyof T & string : never;

/** One kind of several: its meaning and the fields that it has besides `kind`. */
interface Variant<T> {
  readonly description: string;
  readonly fields: Fields<Omit<T, 'kind'>>;
}

/** The schemas of kinds as zod takes them. */
type Options = [z.core.$ZodTypeDiscriminable, ...z.core.$ZodTypeDiscriminable[]];

/**
 * The schema with what its field means, in one line, and the unit that it counts in.
 *
 * Example  field('Channels of every level.', count)
 */
export const field = <T>(description: string, schema: Schema<T>, unit?: string): Schema<T> =>
  schema.check(z.meta({ description, ...(unit === undefined ? {} : { unit }) }));

/** The schema with what it needs in words, for documentation; its errors say the same. */
const needing = <T>(needs: string, schema: Schema<T>): Schema<T> => schema.check(z.meta({ needs }));

const numberThat = (needs: string, ...checks: z.core.$ZodCheck<number>[]): Schema<number> =>
  needing(needs, z.number({ error: needs }).check(...checks));

const wholeFrom = (least: number): Schema<number> => {
  const needs = `an integer of at least ${least}`;
  return needing(needs, z.int({ error: needs }).check(z.gte(least, { error: needs })));
};

/** Any number but NaN and the infinities. */
export const anyNumber: Schema<number> = numberThat('a finite number');

const aboveZero = 'a number above 0';
/** A number above 0. */
export const positive: Schema<number> = numberThat(aboveZero, z.gt(0, { error: aboveZero }));

const fromZero = 'a number of at least 0';
/** A number of at least 0. */
export const notNegative: Schema<number> = numberThat(fromZero, z.gte(0, { error: fromZero }));

const share = 'a number in [0, 1]';
/** A number from 0 to 1. */
export const fraction: Schema<number> = numberThat(
  share,
  z.gte(0, { error: share }),
  z.lte(1, { error: share }),
);

const between = 'a number between 0 and 1';
/** A number between 0 and 1, neither of them. */
export const probability: Schema<number> = numberThat(
  between,
  z.gt(0, { error: between }),
  z.lt(1, { error: between }),
);

/** A whole number of at least 1. */
export const count: Schema<number> = wholeFrom(1);

/** A whole number of at least 0. */
export const countOrZero: Schema<number> = wholeFrom(0);

/** True or false. */
export const yesOrNo: Schema<boolean> = needing('true or false', z.boolean({ error: 'true or false' }));

/** Text that is not empty; `needs` says of what. */
export const text = (needs: string): Schema<string> =>
  needing(needs, z.string({ error: needs }).check(z.minLength(1, { error: needs })));

/** One number and no other, such as that of a format. */
export const constant = <T extends number>(value: T): Schema<T> => {
  const needs = String(value);
  return needing(needs, z.literal(value, { error: needs })) as unknown as Schema<T>;
};

/** A field that may be missing. */
export const optional = <T>(schema: Schema<T>): Schema<T | undefined> => z.optional(schema);

/** A list of at least so many values. */
export const listOf = <T>(schema: Schema<T>, least = 1): Schema<readonly T[]> => {
  const needs = `a list of at least ${least}`;
  return needing(needs, z.array(schema, { error: needs }).check(z.minLength(least, { error: needs })));
};

/** Three values. */
export const triple = <T>(schema: Schema<T>): Schema<readonly [T, T, T]> => {
  const needs = 'a list of three numbers';
  return needing(needs, z.tuple([schema, schema, schema], { error: needs }));
};

/** A list that another function checks, which throws at the first thing that is wrong. */
export const listBy = <T>(needs: string, check: (value: unknown) => readonly T[]): Schema<readonly T[]> => {
  const problem = (value: unknown): string | undefined => {
    try {
      check(value);
      return undefined;
    } catch (error) {
      return `${needs} (${error instanceof Error ? error.message : String(error)})`;
    }
  };
  const items = z.array(z.looseObject({}), { error: needs });
  const isRight = z.refine<unknown>((value) => problem(value) === undefined, {
    error: ({ input }) => problem(input) ?? needs,
  });
  return needing(needs, items.check(isRight)) as unknown as Schema<readonly T[]>;
};

/**
 * One of several words, each with its meaning; the type has to be named, so that none is forgotten.
 *
 * Example  choice<InputConfig['order']>({ rgb: 'red first', bgr: 'blue first' })
 */
export const choice = <T extends string = never>(
  meanings: Readonly<Record<NoInfer<T>, string>>,
): Schema<T> => {
  const words = Object.keys(meanings) as T[];
  const needs = `one of ${words.join(', ')}`;
  const enumDescriptions = words.map((word) => meanings[word]);
  return z.enum(words, { error: needs }).check(z.meta({ needs, enumDescriptions })) as unknown as Schema<T>;
};

const onlyTheFields = 'only the fields ';

/** The names of the fields that there are, from the message of an object that has another one. */
export const knownFields = (message: string): readonly string[] =>
  message.startsWith(onlyTheFields) ? message.slice(onlyTheFields.length).split(', ') : [];

const exactly = (fields: Readonly<Record<string, Schema<unknown>>>) =>
  z.strictObject(fields, {
    error: ({ code }) =>
      code === 'unrecognized_keys' ? onlyTheFields + Object.keys(fields).join(', ') : 'an object',
  });

/** An object with exactly these fields. */
export const object = <T>(fields: Fields<T>): Schema<T> =>
  exactly(fields as Readonly<Record<string, Schema<unknown>>>) as unknown as Schema<T>;

/** An object with one of these fields, of which each is a member of the union `T`. */
export const oneFieldOf = <T>(
  fields: {
    readonly [Name in FieldOfAny<T>]: Schema<T extends Readonly<Record<Name, infer V>> ? V : never>;
  },
): Schema<T> => {
  const entries = Object.entries(fields) as [string, Schema<unknown>][];
  const needs = `an object with one of the fields ${entries.map(([name]) => name).join(', ')}`;
  const options = entries.map(([name, schema]) => exactly({ [name]: schema }));
  return needing(needs, z.union(options, { error: needs })) as unknown as Schema<T>;
};

/** An object whose field `kind` says which further fields it has; the kind `unsaid` is what an object without one is. */
export const variants = <T extends { readonly kind?: string }>(
  kinds: { readonly [Kind in KindOf<T>]: Variant<OfKind<T, Kind>> },
  unsaid?: KindOf<T>,
): Schema<T> => {
  const entries = Object.entries(kinds) as [string, Variant<T>][];
  const options = entries.map(([name, { description, fields }]) => {
    const kind = name === unsaid ? z.optional(z.literal(name)) : z.literal(name);
    return field(description, exactly({ kind, ...fields }));
  });
  const needs = `one of ${entries.map(([name]) => name).join(', ')}`;
  return z.discriminatedUnion('kind', options as unknown as Options, {
    error: ({ code }) => (code === 'invalid_union' ? needs : 'an object'),
  }) as unknown as Schema<T>;
};
