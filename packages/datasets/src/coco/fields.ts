// Typed access to the fields of parsed JSON; every failure names the file and the field.
import { DatasetError } from '../errors.ts';

/** A JSON object together with where it stands, such as `annotations[12]` in a file. */
export interface Fields {
  readonly value: Readonly<Record<string, unknown>>;
  readonly place: { readonly file: string; readonly field: string };
}

/**
 * The value as an object with named fields.
 *
 * Throws   DatasetError when it is no object
 */
export const entryAt = (value: unknown, place: Fields['place']): Fields => {
  if (isObject(value)) return { value, place };
  throw wrongField(place, 'an object', value);
};

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * The objects of an array field.
 *
 * Throws   DatasetError when the field is missing or holds anything else
 */
export const arrayField = (root: Fields, name: string): Fields[] => {
  const value = root.value[name];
  const { file } = root.place;
  if (!Array.isArray(value)) throw wrongField({ file, field: name }, 'an array', value);
  return value.map((entry: unknown, i) => entryAt(entry, { file, field: `${name}[${i}]` }));
};

/**
 * An integer field of at least `minimum`.
 *
 * Throws   DatasetError when it is missing or something else
 */
export const integerField = (
  entry: Fields,
  name: string,
  minimum: number = Number.MIN_SAFE_INTEGER,
): number => {
  const value = entry.value[name];
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= minimum) return value;
  const wanted = minimum === Number.MIN_SAFE_INTEGER ? 'an integer' : `an integer of at least ${minimum}`;
  throw wrongField(inside(entry, name), wanted, value);
};

/**
 * A text field that is not empty.
 *
 * Throws   DatasetError when it is missing or something else
 */
export const textField = (entry: Fields, name: string): string => {
  const value = entry.value[name];
  if (typeof value === 'string' && value !== '') return value;
  throw wrongField(inside(entry, name), 'a text', value);
};

/**
 * A field that is 0 or 1 (or false or true); false when it is missing.
 *
 * Throws   DatasetError when it is something else
 */
export const booleanField = (entry: Fields, name: string): boolean => {
  const value = entry.value[name] ?? 0;
  if (value === 0 || value === 1 || typeof value === 'boolean') return Boolean(value);
  throw wrongField(inside(entry, name), '0 or 1', value);
};

const inside = ({ place }: Fields, name: string): Fields['place'] => ({
  file: place.file,
  field: `${place.field}.${name}`,
});

const wrongField = (place: Fields['place'], wanted: string, value: unknown): DatasetError => {
  const got = value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 60);
  return new DatasetError(
    `openCoco(${place.file}): needs ${place.field} to be ${wanted}, got ${got}. Correct the file.`,
    place,
  );
};
