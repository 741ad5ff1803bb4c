// Computing ONNX graphs by plain loops, as the specification of the operators has it: the meaning that exported files are held to.

import { operatorMeanings } from './operatorMeanings.ts';
import type { OnnxArray, ReadModel, ReadNode } from './readOnnx.ts';

/** The attributes of an operator with defaults. */
export interface Attributes {
  readonly numbers: (name: string, otherwise?: readonly number[]) => readonly number[];
  readonly number: (name: string, otherwise?: number) => number;
}

const attributesOf = ({ op, attributes }: ReadNode): Attributes => {
  const numbers: Attributes['numbers'] = (name, otherwise) => {
    const value = attributes.get(name) ?? otherwise;
    if (value === undefined || typeof value === 'string')
      throw new RangeError(`${op}: ${name} is ${String(value)}`);
    return value;
  };
  return {
    numbers,
    number: (name, otherwise) => numbers(name, otherwise === undefined ? undefined : [otherwise])[0]!,
  };
};

/**
 * The outputs of a model for arrays by name.
 *
 * Throws   RangeError for operators or sizes that are not what a file may have
 */
export const runOnnx = (
  model: ReadModel,
  inputs: Readonly<Record<string, OnnxArray>>,
): Record<string, OnnxArray> => {
  const values = new Map<string, OnnxArray>([...model.initializers, ...Object.entries(inputs)]);
  for (const node of model.nodes) {
    const meaning = operatorMeanings[node.op];
    if (meaning === undefined) throw new RangeError(`no operator ${node.op}`);
    const given = node.inputs.map((name) => {
      const value = values.get(name);
      if (value === undefined && name !== '')
        throw new RangeError(`${node.name}: ${name} does not exist yet`);
      return value;
    });
    const results = meaning(given as OnnxArray[], attributesOf(node), model.opset);
    node.outputs.forEach((name, i) => {
      if (values.has(name)) throw new RangeError(`${name} is computed twice`);
      values.set(name, results[i]!);
    });
  }
  return Object.fromEntries(model.outputs.map(({ name }) => [name, values.get(name)!]));
};
