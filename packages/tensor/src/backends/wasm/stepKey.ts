// What determines the kernels of a step, as text.
import type { WholeStep } from './split.ts';

/**
 * Text that is equal only for steps with equal kernels: all that emitters are given. Labels are not among it. Expressions in attributes
 * may share nodes, so a node that was met before is named by its number.
 */
export const stepKey = ({ op, inputs, output, attrs }: WholeStep): string => {
  const nodes = new Map<object, number>();
  // one growing text: programs have thousands of steps, and lists of pieces cost several times as much
  let text = op.name;
  const add = (value: unknown): void => {
    if (typeof value === 'number') text += Object.is(value, -0) ? '-0' : value;
    else if (typeof value === 'string') text += `"${value}"`;
    else if (Array.isArray(value)) {
      text += '[';
      for (const item of value) {
        add(item);
        text += ',';
      }
      text += ']';
    } else if (typeof value === 'object' && value !== null)
      addFields(value as Readonly<Record<string, unknown>>);
    else if (typeof value === 'boolean' || value === undefined || value === null) text += value;
    else throw new RangeError(`stepKey: needs attributes of plain data, got a ${typeof value}.`);
  };
  const addFields = (value: Readonly<Record<string, unknown>>): void => {
    const known = nodes.get(value);
    if (known !== undefined) {
      text += `#${known}`;
      return;
    }
    if ('kind' in value) nodes.set(value, nodes.size);
    text += '{';
    for (const name in value) {
      if (name === 'label') continue;
      text += `${name}:`;
      add(value[name]);
      text += ',';
    }
    text += '}';
  };
  for (const part of [inputs, output, attrs]) add(part);
  return text;
};
