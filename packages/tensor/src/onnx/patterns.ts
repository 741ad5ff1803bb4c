// Compositions that have an operator of their own in ONNX, recognised in the graph of primitives.
//
// Most templates are the compositions themselves, built on placeholders: a change of `compose/` changes what is recognised with it.
import { relu } from '../compose/activations.ts';
import type { ClampBounds } from '../compose/arithmetic.ts';
import { clamp } from '../compose/arithmetic.ts';
import { maxPool2d, resizeNearest } from '../compose/image.ts';
import { frozenBatchNorm, groupNorm } from '../compose/norm.ts';
import type { WindowAttrs } from '../ops/conv.ts';
import type { PoolAttrs } from '../ops/pool.ts';
import { sameShape } from '../shape.ts';
import type { Shape, Tensor } from '../tensor.ts';
import type { OnnxAttribute } from './model.ts';
import type { Applied, Reading, Site } from './reading.ts';
import { beforeBroadcast, isApplied } from './reading.ts';
import { equalAttrs, equalData } from './sizes.ts';

/** A way to export a value, if it is what the pattern describes. */
type Pattern = (t: Applied, site: Site) => Reading | undefined;

const placeholder = (index: number, shape: Shape): Tensor => ({
  shape,
  dtype: 'f32',
  depth: 0,
  source: { kind: 'argument', index, path: '' },
});

/** What stands for the template's placeholders in a graph, if it has the template's form. */
const match = (template: Tensor, found: Tensor): readonly Tensor[] | undefined => {
  const bound: Tensor[] = [];
  const fits = (pattern: Tensor, t: Tensor): boolean => {
    if (pattern.dtype !== t.dtype || !sameShape(pattern.shape, t.shape)) return false;
    const [wanted, given] = [pattern.source, t.source];
    if (wanted.kind === 'argument') {
      bound[wanted.index] ??= t;
      return bound[wanted.index] === t;
    }
    if (wanted.kind === 'constant') return given.kind === 'constant' && equalData(wanted.data, given.data);
    if (wanted.kind !== 'apply' || given.kind !== 'apply' || wanted.op !== given.op) return false;
    return (
      equalAttrs(wanted.attrs, given.attrs) &&
      wanted.inputs.every((input, i) => fits(input, given.inputs[i]!))
    );
  };
  return fits(template, found) ? bound : undefined;
};

/** Attributes of a convolution's window. */
export const windowAttributes = (
  weight: Shape,
  { stride, padding, dilation, groups }: WindowAttrs,
): Record<string, OnnxAttribute> => ({
  kernel_shape: weight.slice(2),
  strides: stride,
  pads: padding,
  dilations: dilation,
  group: groups,
});

/** A convolution, and a bias per channel that is added to nothing else. */
const biasedConvolution: Pattern = (t, { writer, usesOf }) => {
  const [convolution, shift] = t.source.inputs;
  if (!isApplied(convolution, 'conv2d') || usesOf(convolution) > 1) return undefined;
  const perChannel = beforeBroadcast(shift!);
  const bias = isApplied(perChannel, 'reshape') ? perChannel.source.inputs[0]! : perChannel;
  const channels = t.shape[1]!;
  if (!sameShape(perChannel.shape, [1, channels, 1, 1]) || !sameShape(bias.shape, [channels]))
    return undefined;
  const [x, weight] = convolution.source.inputs as readonly [Tensor, Tensor];
  const attributes = windowAttributes(weight.shape, convolution.source.attrs as WindowAttrs);
  return {
    inputs: [x, weight, bias],
    write: (names) => writer.add('Conv', names, { attributes, label: convolution.label }),
  };
};

const fixedBatchNorm: Pattern = (t, { writer }) => {
  if (t.shape.length !== 4) return undefined;
  const channels: Shape = [t.shape[1]!];
  const [x, weight, bias, mean, variance] = [t.shape, channels, channels, channels, channels].map(
    (shape, i) => placeholder(i, shape),
  ) as [Tensor, Tensor, Tensor, Tensor, Tensor];
  const inputs = match(frozenBatchNorm(x, { weight, bias, running_mean: mean, running_var: variance }), t);
  if (inputs === undefined) return undefined;
  const attributes = { epsilon: { float: 1e-5 } };
  return { inputs, write: (names) => writer.add('BatchNormalization', names, { attributes }) };
};

const groupNormalization: Pattern = (t, { writer, opset, sizesOf }) => {
  const groups = t.source.inputs[0]!.shape[1];
  if (t.shape.length !== 4 || groups === undefined || t.shape[1]! % groups !== 0) return undefined;
  const [weight, bias] = [placeholder(1, [t.shape[1]!]), placeholder(2, [t.shape[1]!])];
  const inputs = match(groupNorm(placeholder(0, t.shape), { weight, bias }, { groups }), t);
  if (inputs === undefined) return undefined;
  const epsilon = { float: 1e-5 };
  if (opset >= 21)
    return {
      inputs,
      write: (names) =>
        writer.add('GroupNormalization', names, { attributes: { epsilon, num_groups: groups } }),
    };
  // before 21, the operator of that name has a scale per group only: each group is normalised as one channel instead
  const back = sizesOf(t).map((size) => size ?? -1);
  const [one, zero] = [1, 0].map((value) => new Array<number>(groups).fill(value)) as [number[], number[]];
  return {
    inputs,
    write: ([x, scale, shift]) => {
      const { add, integers, floats } = writer;
      const grouped = add('Reshape', [x!, integers([0, groups, -1])]);
      const normal = add('InstanceNormalization', [grouped, floats(one), floats(zero)], {
        attributes: { epsilon },
      });
      const channels = add('Reshape', [normal, integers(back)]);
      const [a, b] = [scale!, shift!].map((name) => add('Unsqueeze', [name, integers([1, 2])]));
      return add('Add', [add('Mul', [channels, a!]), b!]);
    },
  };
};

const rectifier: Pattern = (t, { writer }) => {
  const inputs = match(relu(placeholder(0, t.shape)), t);
  return inputs && { inputs, write: (names) => writer.add('Relu', names) };
};

/** The number that a select takes where its condition holds. */
const boundOf = (t: Tensor | undefined): number | undefined => {
  if (!isApplied(t, 'select')) return undefined;
  const { source } = beforeBroadcast(t.source.inputs[1]!);
  return source.kind === 'constant' && source.data.length === 1 ? source.data[0] : undefined;
};

const limit: Pattern = (t, { writer }) => {
  const [outer, inner] = [boundOf(t), boundOf(t.source.inputs[2])];
  if (outer === undefined) return undefined;
  const bounds: readonly ClampBounds[] = [
    { min: outer },
    ...(inner === undefined ? [] : [{ min: inner, max: outer }]),
    { max: outer },
  ];
  for (const { min, max } of bounds) {
    const inputs = match(clamp(placeholder(0, t.shape), { min, max } as ClampBounds), t);
    if (inputs === undefined) continue;
    const names = [min, max].map((bound) => (bound === undefined ? '' : writer.floats(bound)));
    return { inputs, write: ([x]) => writer.add('Clip', [x!, ...names]) };
  }
  return undefined;
};

const maxPooling: Pattern = (t, { writer }) => {
  const gathered = t.source.inputs[0];
  const places = isApplied(gathered, 'gather') ? gathered.source.inputs[1] : undefined;
  const found = isApplied(places, 'reshape') ? places.source.inputs[0] : undefined;
  if (!isApplied(found, 'poolArgMax2d')) return undefined;
  const { window, stride, padding } = found.source.attrs as PoolAttrs;
  const x = placeholder(0, found.source.inputs[0]!.shape);
  const inputs = match(maxPool2d(x, { window, stride, padding }), t);
  const attributes = { kernel_shape: window, strides: stride, pads: padding };
  return inputs && { inputs, write: (names) => writer.add('MaxPool', names, { attributes }) };
};

/** Enlarging by whole factors: others round differently from runtime to runtime, and stay gathers. */
const enlargement: Pattern = (t, { writer }) => {
  const rows = t.source.inputs[0];
  const source = isApplied(rows, 'gather') ? rows.source.inputs[0] : undefined;
  if (source?.shape.length !== 4 || t.shape.length !== 4) return undefined;
  const [height, width] = [t.shape[2]!, t.shape[3]!];
  const factors = [height / source.shape[2]!, width / source.shape[3]!];
  const inputs = match(resizeNearest(placeholder(0, source.shape), [height, width]), t);
  if (inputs === undefined || !factors.every(Number.isInteger)) return undefined;
  const attributes = {
    mode: 'nearest',
    coordinate_transformation_mode: 'asymmetric',
    nearest_mode: 'floor',
  };
  const write: Reading['write'] = ([name]) =>
    writer.add('Resize', [name!, '', writer.floats([1, 1, ...factors])], { attributes });
  return { inputs, write };
};

const patterns: Readonly<Record<string, readonly Pattern[]>> = {
  add: [biasedConvolution, fixedBatchNorm],
  reshape: [groupNormalization, maxPooling],
  select: [rectifier, limit],
  gather: [enlargement],
};

/** The export of a value as an operator for the whole composition that ends in it, if ONNX has one. */
export const recognise: Pattern = (t, site) => {
  if (t.dtype !== 'f32') return undefined;
  for (const pattern of patterns[t.source.op.name] ?? []) {
    const reading = pattern(t, site);
    if (reading !== undefined) return reading;
  }
  return undefined;
};
