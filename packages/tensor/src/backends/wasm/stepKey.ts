// What determines the kernels of a step, as text.
import type { WholeStep } from './split.ts';

/**
 * Text that is equal only for steps with equal kernels: all that emitters are given. Labels are not among it. Expressions in attributes
 * may share nodes, so a node that was met before is named by its number.
 */
export const stepKey = ({ op, inputs, output, attrs }: WholeStep): string => {
  const nodes = new Map<object, number>();
  const print = (value: unknown): string => {
    if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value);
    if (typeof value !== 'object' || value === null) return printScalar(value);
    if (Array.isArray(value)) return `[${value.map(print).join()}]`;
    const known = nodes.get(value);
    if (known !== undefined) return `#${known}`;
    if ('kind' in value) nodes.set(value, nodes.size);
    const fields = Object.entries(value).filter(([name]) => name !== 'label');
    return `{${fields.map(([name, field]) => `${name}:${print(field)}`).join()}}`;
  };
  return print([op.name, inputs, output, attrs]);
};

const printScalar = (value: unknown): string => {
  const text = JSON.stringify(value) as string | undefined;
  if (text !== undefined || value === undefined) return String(text);
  throw new RangeError(`stepKey: needs attributes of plain data, got a ${typeof value}.`);
};
