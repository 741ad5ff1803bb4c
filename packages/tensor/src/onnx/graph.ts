// From a function of tensors to an ONNX graph.
import { describeSpec, LifetimeError, sentence, UnsupportedError } from '../errors.ts';
import type { PrimitiveName } from '../ops/index.ts';
import type { Attrs } from '../primitive.ts';
import type { Data, DType, Tensor } from '../tensor.ts';
import type { OnnxGraph, OnnxInitializer, OnnxNode, OnnxOpset, OnnxValue } from './model.ts';
import { onnxRules } from './operators.ts';
import { recognise } from './patterns.ts';
import type { Applied, Reading, Site } from './reading.ts';
import { isApplied } from './reading.ts';
import { openSizes, sizesOf } from './sizes.ts';
import type { OnnxWriter } from './writer.ts';
import { onnxWriter } from './writer.ts';

/** An input of an exported function. A size given as a name is left to the runs; it is the same wherever the name stands. */
export interface OnnxInput {
  readonly shape: readonly (number | string)[];
  readonly dtype?: DType;
}

/** Options of `onnxGraph`. */
export interface OnnxGraphOptions {
  /** The version of the operators; 17 by default. */
  readonly opset?: OnnxOpset;
}

/** Tensors by name. */
export type NamedTensors = Readonly<Record<string, Tensor>>;

/**
 * The ONNX graph that computes what `fn` does. Constants with a label, such as parameters, are stored under it; compositions for
 * which ONNX has an operator become that operator.
 *
 * Throws   UnsupportedError naming the primitive that ONNX has no operator for, or that depends on a size that was left open;
 *          LifetimeError for evaluated tensors, which must be read first
 * Example  onnxGraph(({ x }) => ({ y: relu(x!) }), { x: { shape: ['batch', 3] } })
 */
export const onnxGraph = (
  fn: (inputs: NamedTensors) => NamedTensors,
  inputs: Readonly<Record<string, OnnxInput>>,
  { opset = 17 }: OnnxGraphOptions = {},
): OnnxGraph => {
  const open = openName(inputs);
  const [first, second] = openSizes.map((size) => fn(placeholders(inputs, size))) as [
    NamedTensors,
    NamedTensors,
  ];
  const outputs = Object.values(first);
  const writer = onnxWriter([...Object.keys(inputs), ...Object.keys(first)]);
  const site: Site = {
    writer,
    opset,
    sizesOf: sizesOf(outputs, Object.values(second)),
    usesOf: countUses(outputs),
  };
  const names = exportAll(outputs, site, Object.keys(inputs));
  const outputValue = (name: string, t: Tensor): OnnxValue => ({
    name,
    type: t.dtype,
    shape: site.sizesOf(t).map((size, d) => size ?? (t.shape[d] === openSizes[0] ? open : undefined)),
  });
  return {
    inputs: Object.entries(inputs).map(([name, { shape, dtype = 'f32' }]) => ({ name, type: dtype, shape })),
    outputs: Object.entries(first).map(([name, t]) => outputValue(name, t)),
    nodes: nameOutputs(
      writer,
      Object.entries(first).map(([name, t]) => [names.get(t)!, name]),
    ),
    initializers: writer.initializers,
  };
};

const openName = (inputs: Readonly<Record<string, OnnxInput>>): string | undefined => {
  const [name, ...others] = new Set(
    Object.values(inputs).flatMap(({ shape }) => shape.filter((size) => typeof size === 'string')),
  );
  if (others.length === 0) return name;
  throw new UnsupportedError(
    sentence({
      where: 'onnxGraph',
      needs: 'at most one size that is left open',
      got: [name, ...others].join(', '),
      advice: 'Give the others as numbers.',
    }),
  );
};

const placeholders = (inputs: Readonly<Record<string, OnnxInput>>, open: number): NamedTensors =>
  Object.fromEntries(
    Object.entries(inputs).map(([path, { shape, dtype = 'f32' }], index) => [
      path,
      {
        shape: shape.map((size) => (typeof size === 'number' ? size : open)),
        dtype,
        depth: 0,
        source: { kind: 'argument', index, path },
      },
    ]),
  );

const countUses = (outputs: readonly Tensor[]): ((t: Tensor) => number) => {
  const uses = new Map<Tensor, number>();
  const stack = [...outputs];
  for (let t = stack.pop(); t !== undefined; t = stack.pop()) {
    const before = uses.get(t) ?? 0;
    uses.set(t, before + 1);
    if (before === 0 && t.source.kind === 'apply') stack.push(...t.source.inputs);
  }
  return (t) => uses.get(t) ?? 0;
};

/** Exports the outputs and what they are made of, inputs first; gives the names of all values. Iterative: graphs may be deep. */
const exportAll = (
  outputs: readonly Tensor[],
  site: Site,
  inputNames: readonly string[],
): ReadonlyMap<Tensor, string> => {
  const names = new Map<Tensor, string>();
  const stack: { readonly t: Tensor; readonly reading: Reading; next: number }[] = [];
  const enter = (t: Tensor): void => {
    if (names.has(t)) return;
    if (isApplied(t)) stack.push({ t, reading: readingOf(t, site), next: 0 });
    else names.set(t, leafName(t, site.writer, inputNames));
  };
  for (const output of outputs) {
    enter(output);
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const { t, reading } = top;
      if (top.next < reading.inputs.length) enter(reading.inputs[top.next++]!);
      else {
        stack.pop();
        if (!names.has(t)) names.set(t, reading.write(reading.inputs.map((x) => names.get(x)!)));
      }
    }
  }
  return names;
};

const readingOf = (t: Applied, site: Site): Reading => {
  const { op, attrs } = t.source;
  const known = recognise(t, site);
  if (known !== undefined) return known;
  const rule = Object.hasOwn(onnxRules, op.name) ? onnxRules[op.name as PrimitiveName] : 'unsupported';
  const reading =
    rule === 'unsupported'
      ? undefined
      : (rule as (t: Applied, site: Site, attrs: Attrs) => Reading | undefined)(t, site, attrs);
  if (reading !== undefined) return reading;
  const inputs = t.source.inputs.map(describeSpec).join(', ');
  throw new UnsupportedError(
    sentence({
      where: 'onnxGraph',
      label: t.label,
      needs: 'operations that ONNX has an operator for',
      got: `${op.name}(${inputs}) -> [${site.sizesOf(t).map((size) => size ?? 'open')}]`,
      advice: 'Give all sizes as numbers, or compose it of other operations.',
    }),
  );
};

const leafName = (t: Tensor, { store, floats }: OnnxWriter, inputNames: readonly string[]): string => {
  const { source } = t;
  if (source.kind === 'argument') return inputNames[source.index]!;
  if (source.kind !== 'constant')
    throw new LifetimeError(
      sentence({
        where: 'onnxGraph',
        label: t.label,
        needs: 'constants and inputs',
        got: `an evaluated tensor ${describeSpec(t)}`,
        advice: 'Read it and pass tensor(data).',
      }),
    );
  const { data } = source;
  if (t.label === undefined && t.shape.length === 0 && t.dtype === 'f32') return floats(data[0]!);
  return store({
    name: t.label ?? 'constant',
    type: t.dtype,
    shape: t.shape,
    data: storedData(t.dtype, data),
  });
};

const storedData = (dtype: DType, data: Data): OnnxInitializer['data'] => {
  if (dtype === 'f32') return data instanceof Float32Array ? data : Float32Array.from(data);
  return dtype === 'i32' ? Int32Array.from(data) : Uint8Array.from(data);
};

/** The nodes with the values that leave the graph under their own names; what cannot be renamed is copied. */
const nameOutputs = (
  { nodes }: OnnxWriter,
  outputs: readonly (readonly [value: string, name: string])[],
): OnnxNode[] => {
  const renamed = new Map<string, string>();
  const computed = new Set(nodes.flatMap((node) => node.outputs));
  const copies: OnnxNode[] = [];
  for (const [value, name] of outputs) {
    if (computed.has(value) && !renamed.has(value)) renamed.set(value, name);
    else
      copies.push({
        op: 'Identity',
        name: `copy of ${name}`,
        inputs: [value],
        outputs: [name],
        attributes: {},
      });
  }
  const now = (name: string): string => renamed.get(name) ?? name;
  return [...nodes, ...copies].map((node) => ({
    ...node,
    inputs: node.inputs.map(now),
    outputs: node.outputs.map(now),
  }));
};
