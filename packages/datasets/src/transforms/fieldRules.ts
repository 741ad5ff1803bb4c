// What the fields of a step may be: a rule says what is needed, and whether a value is that.

/** What a field must be, in words for a message, and the test of it. */
export interface FieldRule {
  readonly needed: string;
  readonly isOptional: boolean;
  readonly accepts: (value: unknown) => boolean;
}

const rule = (needed: string, accepts: (value: unknown) => boolean): FieldRule => ({
  needed,
  isOptional: false,
  accepts,
});

/** The same rule for a field that may be left out. */
export const optional = (required: FieldRule): FieldRule => ({ ...required, isOptional: true });

const isNumber = (value: unknown, least: number, most: number): value is number =>
  typeof value === 'number' && Number.isFinite(value) && value >= least && value <= most;

const largestSide = 2 ** 16;

const isSide = (value: unknown): value is number =>
  Number.isSafeInteger(value) && isNumber(value, 1, largestSide);

/** A side of a picture. */
export const side: FieldRule = rule(`a whole number of pixels from 1 to ${largestSide}`, isSide);

/** A number within bounds. */
export const numberWithin = (least: number, most: number): FieldRule =>
  rule(`a number from ${least} to ${most}`, (value) => isNumber(value, least, most));

/** A share of cases. */
export const probability: FieldRule = numberWithin(0, 1);

export const flag: FieldRule = rule('true or false', (value) => typeof value === 'boolean');

/** One of a few words. */
export const oneOf = (...words: readonly string[]): FieldRule =>
  rule(words.map((word) => `"${word}"`).join(' or '), (value) => words.includes(value as string));

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isRangeOf = (value: unknown, accepts: (bound: unknown) => boolean): boolean => {
  if (!isRecord(value) || Object.keys(value).length !== 2) return false;
  return accepts(value.from) && accepts(value.to) && (value.from as number) <= (value.to as number);
};

/** A range within bounds. */
export const rangeWithin = (least: number, most: number): FieldRule =>
  rule(`{ "from": a, "to": b } with ${least} <= a <= b <= ${most}`, (value) =>
    isRangeOf(value, (bound) => isNumber(bound, least, most)),
  );

/** A range of sides. */
const sideRange: FieldRule = rule(
  '{ "from": a, "to": b } with whole numbers of pixels 1 <= a <= b',
  (value) => isRangeOf(value, isSide),
);

/** A side, or a range of them. */
export const sideOrSides: FieldRule = rule(
  'a whole number of pixels, or { "from": a, "to": b }',
  (value) => isSide(value) || sideRange.accepts(value),
);

/** A side, some sides, or a range of them. */
export const sides: FieldRule = rule(
  'a whole number of pixels, a list of them, or { "from": a, "to": b }',
  (value) => isSide(value) || sideRange.accepts(value) || isListOf(value, isSide),
);

const isListOf = (value: unknown, accepts: (item: unknown) => boolean): boolean =>
  Array.isArray(value) && value.length > 0 && value.every(accepts);

/** At least one number within bounds. */
export const numbersWithin = (least: number, most: number): FieldRule =>
  rule(`a list of numbers from ${least} to ${most}`, (value) =>
    isListOf(value, (item) => isNumber(item, least, most)),
  );
