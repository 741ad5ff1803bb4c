// An ONNX graph under construction: operators are added one by one, equal small constants are stored once, names are made unique.
import type { Shape } from '../tensor.ts';
import type { OnnxAttribute, OnnxInitializer, OnnxNode } from './model.ts';

/** How an operator is added. */
export interface OperatorOptions {
  readonly attributes?: Readonly<Record<string, OnnxAttribute>>;
  /** What it is called in viewers; numbered where several have it. */
  readonly label?: string | undefined;
  /** How many results it has; 1 by default. */
  readonly outputs?: number;
}

/** Where operators and stored values are collected. */
export interface OnnxWriter {
  /** Adds an operator; gives the name of its first result. */
  readonly add: (op: string, inputs: readonly string[], options?: OperatorOptions) => string;
  /** Adds an operator of several results; gives their names. */
  readonly addAll: (op: string, inputs: readonly string[], options: OperatorOptions) => readonly string[];
  /** A vector i64, such as a shape or axes. */
  readonly integers: (values: readonly number[]) => string;
  /** An f32 constant: a vector, or a scalar of one number. */
  readonly floats: (values: number | readonly number[], shape?: Shape) => string;
  /** Stores a value under a name of its own, or under one like it when that is taken. */
  readonly store: (initializer: OnnxInitializer) => string;
  /** What was added so far. */
  readonly nodes: OnnxNode[];
  readonly initializers: OnnxInitializer[];
}

/** An empty graph, in which the given names are taken. */
export const onnxWriter = (taken: readonly string[] = []): OnnxWriter => {
  const nodes: OnnxNode[] = [];
  const initializers: OnnxInitializer[] = [];
  const names = new Set(taken);
  const counts = new Map<string, number>();
  const constants = new Map<string, string>();
  const unique = (wanted: string): string => {
    for (;;) {
      const count = (counts.get(wanted) ?? 0) + 1;
      counts.set(wanted, count);
      const name = count === 1 ? wanted : `${wanted}:${count}`;
      if (names.has(name)) continue;
      names.add(name);
      return name;
    }
  };
  const store = (initializer: OnnxInitializer): string => {
    const name = unique(initializer.name);
    initializers.push({ ...initializer, name });
    return name;
  };
  const storeOnce = (initializer: OnnxInitializer): string => {
    const key = `${initializer.type} ${initializer.shape} ${initializer.data}`;
    const name = constants.get(key) ?? store(initializer);
    constants.set(key, name);
    return name;
  };
  const addAll = (op: string, inputs: readonly string[], options: OperatorOptions): readonly string[] => {
    const { attributes = {}, label, outputs = 1 } = options;
    const name = unique(label ?? op);
    const results = Array.from({ length: outputs }, (_, i) => (i === 0 ? name : unique(`${name}/${i}`)));
    nodes.push({ op, name, inputs, outputs: results, attributes });
    return results;
  };
  return {
    nodes,
    initializers,
    store,
    addAll,
    add: (op, inputs, options = {}) => addAll(op, inputs, options)[0]!,
    integers: (values) =>
      storeOnce({
        name: 'integers',
        type: 'i64',
        shape: [values.length],
        data: BigInt64Array.from(values, BigInt),
      }),
    floats: (values, shape) => {
      const list = typeof values === 'number' ? [values] : values;
      return storeOnce({
        name: 'number',
        type: 'f32',
        shape: shape ?? (typeof values === 'number' ? [] : [list.length]),
        data: Float32Array.from(list),
      });
    },
  };
};
