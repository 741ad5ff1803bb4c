// The ONNX operators of every primitive. A primitive without an entry is a type error.
import { input } from '../expression.ts';
import type { AttrsByName, PrimitiveName } from '../ops/index.ts';
import { sampleExtents } from '../ops/sampling.ts';
import type { Attrs } from '../primitive.ts';
import { broadcastShapes, sameShape, sizeOf } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { castTarget, expressionNodes } from './expressionNodes.ts';
import { windowAttributes } from './patterns.ts';
import type { Applied, Reading, Site } from './reading.ts';
import { beforeBroadcast } from './reading.ts';

/** How a primitive is exported, or undefined where these inputs and attributes cannot be. */
type Rule<A> = (t: Applied, site: Site, attrs: A) => Reading | undefined;

/** A rule per primitive, or the statement that ONNX gets none. */
export type OnnxRules = {
  readonly [Name in PrimitiveName]: Rule<AttrsByName[Name]> | 'unsupported';
};

/** A rule that keeps the primitive's inputs. */
const rule =
  <A>(write: (names: readonly string[], t: Applied, site: Site, attrs: A) => string): Rule<A> =>
  (t, site, attrs) => ({ inputs: t.source.inputs, write: (names) => write(names, t, site, attrs) });

/** Operands before they were repeated, where the operator repeats them itself. */
const shortOperands = (t: Applied): readonly Tensor[] => {
  const [first, ...others] = t.source.inputs;
  const short = [first!, ...others].map(beforeBroadcast);
  const joint = short.reduce<readonly number[] | undefined>(
    (shape, operand) => shape && broadcastShapes(shape, operand.shape),
    [],
  );
  return joint !== undefined && sameShape(joint, t.shape) ? short : [first!, ...short.slice(1)];
};

/** Elementwise: the operators of the scalar expression. */
const elementwise: Rule<Attrs> = (t, { writer }, attrs) => {
  const inputs = shortOperands(t);
  const root = t.source.op.expression!(
    inputs.map(({ dtype }, i) => input(i, dtype)),
    attrs,
    t,
  );
  return { inputs, write: (names) => expressionNodes(writer, root, names) };
};

const same: Rule<Attrs> = (t) => ({ inputs: [t.source.inputs[0]!], write: ([name]) => name! });

const named = (op: string): Rule<Attrs> => rule((names, _t, { writer }) => writer.add(op, names));

/** The shape as stored numbers, with -1 for the one size that a run decides. */
const openShape = (t: Tensor, { sizesOf }: Site): number[] | undefined => {
  const sizes = sizesOf(t);
  return sizes.filter((size) => size === undefined).length > 1 ? undefined : sizes.map((size) => size ?? -1);
};

const reshape: Rule<AttrsByName['reshape']> = (t, site) => {
  const shape = openShape(t, site);
  const isEmpty = shape?.includes(0) === true;
  // a 0 means the input's size unless said otherwise, and then nothing may be open
  if (shape === undefined || (isEmpty && shape.includes(-1))) return undefined;
  const { add, integers } = site.writer;
  const options = isEmpty ? { attributes: { allowzero: 1 } } : {};
  return { inputs: t.source.inputs, write: ([x]) => add('Reshape', [x!, integers(shape)], options) };
};

const broadcastTo: Rule<AttrsByName['broadcastTo']> = (t, { writer, sizesOf }) => {
  if (sizesOf(t).includes(undefined)) return undefined;
  const write: Reading['write'] = ([x]) => writer.add('Expand', [x!, writer.integers(t.shape)]);
  return { inputs: t.source.inputs, write };
};

const slice: Rule<AttrsByName['slice']> = (t, { writer, sizesOf }, { begin, size }) => {
  const x = t.source.inputs[0]!;
  const [whole, left] = [sizesOf(x), sizesOf(t)];
  const cut = x.shape.map((_, d) => d).filter((d) => begin[d] !== 0 || whole[d] !== left[d]);
  if (cut.some((d) => whole[d] === undefined)) return undefined;
  const lists = [cut.map((d) => begin[d]!), cut.map((d) => begin[d]! + size[d]!), cut];
  const write: Reading['write'] = ([name]) =>
    writer.add('Slice', [name!, ...lists.map((list) => writer.integers(list))]);
  return { inputs: [x], write };
};

const pad: Rule<AttrsByName['pad']> = (t, { writer }, { before, afterwards, value }) => {
  if (t.dtype !== 'f32') return undefined;
  const write: Reading['write'] = ([x]) =>
    writer.add('Pad', [x!, writer.integers([...before, ...afterwards]), writer.floats(value)]);
  return { inputs: t.source.inputs, write };
};

const gather: Rule<AttrsByName['gather']> = (t, { writer }, { axis, batch }) => {
  const { inputs } = t.source;
  if (batch === 0) return { inputs, write: (names) => writer.add('Gather', names, { attributes: { axis } }) };
  if (axis !== batch) return undefined;
  const write: Reading['write'] = ([x, indices]) => {
    const long = writer.add('Cast', [indices!], { attributes: { to: 7 } });
    const tuples = writer.add('Unsqueeze', [long, writer.integers([-1])]);
    return writer.add('GatherND', [x!, tuples], { attributes: { batch_dims: batch } });
  };
  return { inputs, write };
};

const matmul: Rule<AttrsByName['matmul']> = rule(
  ([a, b], { source, shape }, { writer }, { transposeA, transposeB }) => {
    const rank = shape.length;
    const perm = [...shape.slice(2).map((_, d) => d), rank - 1, rank - 2];
    const turned = (name: string, isTurned: boolean): string =>
      isTurned ? writer.add('Transpose', [name], { attributes: { perm } }) : name;
    const names = [turned(a!, transposeA), turned(b!, transposeB)];
    return writer.add('MatMul', names, { label: source.attrs.label as string | undefined });
  },
);

/** Sampling with coordinates from -1 to 1 over the edges of the image, x before y; groups of channels are images of their own. */
const sampleBilinear: Rule<AttrsByName['sampleBilinear']> = (t, { writer, opset, sizesOf }, { order }) => {
  const [x, points] = t.source.inputs as readonly [Tensor, Tensor];
  const { channels, height, width, groups, taps, places } = sampleExtents(x.shape, points.shape);
  const isOpen = [x, points].some((input) => sizesOf(input).slice(1).includes(undefined));
  if (order.some((n) => n > 0) || isOpen || sizeOf(t.shape) === 0) return undefined;
  const { add, integers, floats } = writer;
  const reshaped = (name: string, sizes: readonly number[]): string =>
    add('Reshape', [name, integers([-1, ...sizes])]);
  const attributes = { mode: opset < 20 ? 'bilinear' : 'linear', padding_mode: 'zeros', align_corners: 0 };
  const write: Reading['write'] = ([image, at, mask]) => {
    const pairs = add('Transpose', [at!], { attributes: { perm: [0, 1, 2, 4, 3] } });
    const turned = add('Gather', [pairs, integers([1, 0])], { attributes: { axis: 4 } });
    const scaled = add('Mul', [turned, floats([2 / width, 2 / height])]);
    const grid = add('Add', [scaled, floats([1 / width - 1, 1 / height - 1])]);
    const planes = reshaped(image!, [channels / groups, height, width]);
    const samples = add('GridSample', [planes, reshaped(grid, [taps, places, 2])], { attributes });
    const grouped = reshaped(samples, [groups, channels / groups, taps, places]);
    const masked = add('Mul', [grouped, add('Unsqueeze', [mask!, integers([2])])]);
    return reshaped(masked, [channels, taps, places]);
  };
  return { inputs: t.source.inputs, write };
};

/** Operators that count in 64 bits: their result as i32. */
const asI32 = (writer: Site['writer'], name: string): string =>
  writer.add('Cast', [name], { attributes: { to: castTarget.i32 } });

/** The rules. */
export const onnxRules: OnnxRules = {
  neg: elementwise,
  abs: elementwise,
  floor: elementwise,
  sqrt: elementwise,
  exp: elementwise,
  log: elementwise,
  log1p: elementwise,
  sigmoid: named('Sigmoid'),
  add: elementwise,
  sub: elementwise,
  mul: elementwise,
  div: elementwise,
  pow: elementwise,
  minimum: elementwise,
  maximum: elementwise,
  less: elementwise,
  lessEqual: elementwise,
  equal: elementwise,
  select: elementwise,
  cast: elementwise,
  sum: rule(([x], _t, { writer }, { axes }) =>
    writer.add('ReduceSum', [x!, writer.integers(axes)], { attributes: { keepdims: 0 } }),
  ),
  reduceMax: rule(([x], _t, { writer, opset }, { axes }) =>
    opset < 18
      ? writer.add('ReduceMax', [x!], { attributes: { axes, keepdims: 0 } })
      : writer.add('ReduceMax', [x!, writer.integers(axes)], { attributes: { keepdims: 0 } }),
  ),
  argMax: rule(([x], _t, { writer }, { axis }) =>
    asI32(writer, writer.add('ArgMax', [x!], { attributes: { axis, keepdims: 0 } })),
  ),
  reshape,
  transpose: rule((names, _t, { writer }, { axes }) =>
    writer.add('Transpose', names, { attributes: { perm: axes } }),
  ),
  broadcastTo,
  slice,
  pad,
  concat: rule((names, _t, { writer }, { axis }) => writer.add('Concat', names, { attributes: { axis } })),
  gather,
  scatterAdd: 'unsupported',
  topKIndices: rule(([x], _t, { writer }, { count }) =>
    asI32(writer, writer.addAll('TopK', [x!, writer.integers([count])], { outputs: 2 })[1]!),
  ),
  matmul,
  conv2d: rule((names, t, { writer }, attrs) =>
    writer.add('Conv', names, {
      attributes: windowAttributes(t.source.inputs[1]!.shape, attrs),
      label: t.label,
    }),
  ),
  conv2dInputGrad: 'unsupported',
  conv2dFilterGrad: 'unsupported',
  poolArgMax2d: 'unsupported',
  randomBits: 'unsupported',
  sampleBilinear,
  sampleBilinearInputGrad: 'unsupported',
  sampleBilinearPointGrad: 'unsupported',
  identity: same,
  stopGradient: same,
  withRule: same,
  after: same,
};
