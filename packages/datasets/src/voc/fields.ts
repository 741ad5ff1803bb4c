// The fields of an XML element: texts, numbers and flags, each with what is wrong with it.
import { type Fault, quoted } from '../fault.ts';
import { numberIn } from '../numberText.ts';
import type { XmlElement } from './xml.ts';

/**
 * The first element of that name directly inside another.
 *
 * Example  childOf(object, 'bndbox')
 */
export const childOf = ({ children }: XmlElement, name: string): XmlElement | undefined =>
  children.find((child) => child.name === name);

/**
 * The text of the first element of that name directly inside, without white space around it; undefined when it is missing or empty.
 *
 * Example  textOf(object, 'name')
 */
export const textOf = (element: XmlElement, name: string): string | undefined => {
  const text = childOf(element, name)?.text.trim();
  return text === '' ? undefined : text;
};

/**
 * The number in the first element of that name directly inside, NaN and infinities included; undefined when it is missing or empty.
 *
 * Example  numberOf(bndbox, 'xmin', 'object[3].bndbox')
 */
export const numberOf = (element: XmlElement, name: string, place: string): number | undefined | Fault => {
  const text = textOf(element, name);
  if (text === undefined) return undefined;
  const number = numberIn(text);
  if (number !== undefined) return number;
  return wrongField(`${place}.${name}`, 'a number', text);
};

/**
 * The flag in the first element of that name directly inside; undefined when it is missing, empty or "Unspecified".
 *
 * Example  flagOf(object, 'difficult', 'object[3]')
 */
export const flagOf = (element: XmlElement, name: string, place: string): boolean | undefined | Fault => {
  const text = textOf(element, name);
  if (text === undefined || text === 'Unspecified') return undefined;
  if (text === '0' || text === '1') return text === '1';
  if (/^(true|false)$/i.test(text)) return text.toLowerCase() === 'true';
  return wrongField(`${place}.${name}`, '0 or 1', text);
};

const wrongField = (place: string, wanted: string, got: string): Fault => ({
  kind: 'wrong field',
  place,
  sentence: `needs ${wanted}, got ${quoted(got)}. Correct or remove the object.`,
});
