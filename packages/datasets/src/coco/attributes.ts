// Further facts about objects: the object `attributes` of annotation tools, and fields of a format of its own.
import { membersAt } from '../json/members.ts';
import { numberIn } from '../json/numbers.ts';
import { kindAt, textIn } from '../json/values.ts';
import type { AttributeList } from '../table.ts';
import type { EntryFields } from './entries.ts';

type Plain = string | number | boolean;

/**
 * A function that gives the index, in `list`, of the attributes of the entry that `fields` is turned to: the plain values in
 * its field `attributes`, and those of the fields `extras`, which stand behind that one. Anything else in them means something
 * else in another convention, and is left alone.
 *
 * Example  const indexOf = attributeIndices(fields, 9, ['isfake'], list); indexOf(bytes)
 */
export const attributeIndices = (
  fields: EntryFields,
  field: number,
  extras: readonly string[],
  list: AttributeList,
): ((bytes: Uint8Array) => number) => {
  // nearly all extras are 0 or 1: a number with a digit for each finds what was found before
  const known = new Map<number, number>();
  const codeOf = (bytes: Uint8Array): number => {
    let code = 0;
    for (let i = 1; i <= extras.length; i++) {
      const [start, end] = [fields.start(field + i), fields.end(field + i)];
      const digit = start < 0 ? 0 : end - start === 1 ? bytes[start]! - 0x30 + 1 : -1;
      if (digit < 0 || digit > 2) return -1;
      code = 3 * code + digit;
    }
    return code;
  };
  const indexOf = (bytes: Uint8Array): number => {
    const found: [string, Plain][] = [];
    if (fields.kind(field) === 'an object')
      for (const { keyStart, keyEnd, start, end } of membersAt(bytes, fields.start(field))) {
        const name = textIn(bytes, keyStart, keyEnd);
        const value = plainValue(bytes, start, end);
        if (name !== undefined && value !== undefined) found.push([name, value]);
      }
    for (const [i, name] of extras.entries()) {
      const start = fields.start(field + 1 + i);
      const value = start < 0 ? undefined : plainValue(bytes, start, fields.end(field + 1 + i));
      if (value !== undefined) found.push([name, value]);
    }
    return list.indexOf(found.length === 0 ? undefined : Object.fromEntries(found));
  };
  return (bytes) => {
    const code = fields.start(field) < 0 ? codeOf(bytes) : -1;
    if (code === 0) return 0;
    const before = known.get(code);
    if (before !== undefined) return before;
    const index = indexOf(bytes);
    if (code > 0) known.set(code, index);
    return index;
  };
};

const plainValue = (bytes: Uint8Array, start: number, end: number): Plain | undefined => {
  switch (kindAt(bytes, start)) {
    case 'a text':
      return textIn(bytes, start, end);
    case 'a number': {
      const value = numberIn(bytes, start, end);
      return Number.isFinite(value) ? value : undefined;
    }
    case 'true':
      return true;
    case 'false':
      return false;
    default:
      return undefined;
  }
};
