// Shape rules: what every op says when its inputs do not fit, word for word.
import { describe, expect, test } from 'vitest';
import type { Tensor } from '../src/index.ts';
import * as t from '../src/index.ts';

const f32 = (...shape: number[]): Tensor => t.zeros(shape);
const i32 = (...shape: number[]): Tensor => t.zeros(shape, 'i32');
const bool = (...shape: number[]): Tensor => t.zeros(shape, 'bool');
const { apply, primitives } = t;
const {
  floor,
  sqrt,
  exp,
  log,
  log1p,
  sigmoid,
  neg,
  abs,
  add,
  sub,
  mul,
  div,
  pow,
  minimum,
  maximum,
  less,
  lessEqual,
} = t;
const ops = {
  floor,
  sqrt,
  exp,
  log,
  log1p,
  sigmoid,
  neg,
  abs,
  add,
  sub,
  mul,
  div,
  pow,
  minimum,
  maximum,
  less,
  lessEqual,
};
const window = { stride: [1, 1], padding: [0, 0, 0, 0], dilation: [1, 1], groups: 1 } as const;

/** `<function>(<label>): needs <requirement>, got <inputs>. <what to do>.` */
const form = /^[a-zA-Z0-9]+(\([^)]+\))?: needs .+, got .+\. .+\.$/s;

type Case = readonly [name: string, build: () => unknown, message: string];

const shapeCases: readonly Case[] = [
  [
    'add',
    () => t.add(f32(2, 3), f32(4)),
    'add: needs shapes that broadcast, got a f32[2,3], b f32[4]. Reshape one of them.',
  ],
  [
    'select',
    () => t.select(bool(5), f32(2, 3), 0),
    'select: needs shapes that broadcast, got condition bool[5], a f32[2,3], b f32[2,3]. Reshape the condition.',
  ],
  [
    'reshape',
    () => t.reshape(f32(2, 3), [4]),
    'reshape: needs 4 elements for shape [4], got x f32[2,3]. Check the sizes.',
  ],
  [
    'reshape',
    () => t.reshape(f32(2, 3), [-1, 4]),
    'reshape: needs a shape of its 6 elements, not [-1,4], got x f32[2,3]. Use at most one -1.',
  ],
  [
    'transpose',
    () => t.transpose(f32(2, 3), [0, 0]),
    'transpose: needs axes that permute 2 dimensions, not [0,0], got x f32[2,3]. Name each once.',
  ],
  [
    'broadcastTo',
    () => t.broadcastTo(f32(2, 3), [3, 2]),
    'broadcastTo: needs a shape that broadcasts to [3,2], got x f32[2,3]. Reshape it first.',
  ],
  [
    'slice',
    () => t.slice(f32(4), [2], [3]),
    'slice: needs a range inside x, not begin [2] size [3], got x f32[4]. Clip the range.',
  ],
  [
    'pad',
    () => t.pad(f32(4), [[0, -1]]),
    'pad: needs a non-negative pair of counts per dimension, got x f32[4]. Use slice to cut.',
  ],
  [
    'concat',
    () => t.concat([f32(2, 3), f32(3, 3)], 1),
    'concat: needs inputs of one dtype that differ in axis 1 only, got f32[2,3], f32[3,3]. Reshape or cast them first.',
  ],
  ['concat', () => t.concat([]), 'concat: needs at least one tensor, got none. Check the list.'],
  [
    'sum',
    () => t.sum(f32(2, 3), 2),
    'sum: needs an axis in [-2, 2), got axis 2. Check the rank of the input.',
  ],
  [
    'argMax',
    () => t.argMax(f32(2, 0), 1),
    'argMax: needs at least one element along the folded axes, got x f32[2,0]. Handle the empty case before.',
  ],
  [
    'gather',
    () => t.gather(f32(2, 5), i32(3, 4), { axis: 1, batchDims: 1 }),
    'gather: needs i32 indices that share 1 leading dimensions, and an axis after them, got x f32[2,5], indices i32[3,4], axis 1. Check axis and batchDims.',
  ],
  [
    'scatterAdd',
    () => t.scatterAdd(f32(4), i32(3), 9),
    "scatterAdd: needs updates with the indices' dimensions [3] at axis 0, got updates f32[4], indices i32[3]. Check axis and batchDims.",
  ],
  [
    'topK',
    () => t.topK(f32(2, 3), 4),
    'topK: needs a last axis of at least 4 elements, got x f32[2,3]. Lower the count.',
  ],
  [
    'matmul',
    () => t.matmul(f32(2, 3), f32(4, 5)),
    'matmul: needs equal inner sizes (3 and 4) and batch dimensions, got a f32[2,3], b f32[4,5]. Transpose or reshape one of them.',
  ],
  [
    'matmul',
    () => t.matmul(f32(3), f32(3, 5)),
    'matmul: needs inputs of rank 2 or more, got a f32[3], b f32[3,5]. Reshape vectors to one row or column.',
  ],
  [
    'conv2d',
    () => t.conv2d(f32(2, 64, 100, 168), f32(128, 32, 3, 3), { label: 'backbone.layer2.0.conv1' }),
    'conv2d(backbone.layer2.0.conv1): needs x channels = weight input channels * groups (32 * 1) and groups that divide the output channels, got x f32[2,64,100,168], weight f32[128,32,3,3]. Check groups or the checkpoint mapping.',
  ],
  [
    'conv2d',
    () => t.conv2d(f32(3, 4), f32(1, 1, 3, 3)),
    'conv2d: needs x [N,C,H,W] and weight [O,C/groups,kh,kw], got x f32[3,4], weight f32[1,1,3,3]. Check groups or the checkpoint mapping.',
  ],
  [
    'conv2dInputGrad',
    () => apply(primitives.conv2dInputGrad, [f32(1, 2, 3, 3), f32(2, 1, 3, 3)], { ...window, size: [4, 4] }),
    'conv2dInputGrad: needs a cotangent of shape [1,2,2,2], got cotangent f32[1,2,3,3]. Pass the sizes of the forward convolution.',
  ],
  [
    'conv2dFilterGrad',
    () =>
      apply(primitives.conv2dFilterGrad, [f32(1, 1, 4, 4), f32(1, 2, 3, 3)], { ...window, kernel: [3, 3] }),
    'conv2dFilterGrad: needs a cotangent of shape [1,2,2,2], got cotangent f32[1,2,3,3]. Pass the sizes of the forward convolution.',
  ],
  [
    'maxPool2d',
    () => t.maxPool2d(f32(1, 1, 4, 4), { window: 2, padding: 2 }),
    'maxPool2d: needs x [N,C,H,W] and padding smaller than the window [2,2], got x f32[1,1,4,4], padding [2,2,2,2]. Check window and padding.',
  ],
  [
    'randomBits',
    () => t.uniform(f32(2), [3]),
    'randomBits: needs a key i32[2], got key f32[2]. Make one with key(seed) or split.',
  ],
  [
    'groupNorm',
    () => t.groupNorm(f32(1, 6, 2, 2), { weight: f32(6), bias: f32(6) }, { groups: 4, label: 'head.norm' }),
    'groupNorm(head.norm): needs x [N,C,H,W] with C divisible by 4 groups and C weights, got x f32[1,6,2,2], weight f32[6], bias f32[6]. Check groups and widths.',
  ],
  [
    'tensor',
    () => t.tensor([1, 2, 3], { shape: [2, 2] }),
    'tensor: needs 4 values for shape [2,2], got 3 values. Check the shape.',
  ],
  [
    'tensor',
    () => t.tensor([[1, 2], [3]]),
    'tensor: needs rows of one length, got rows of shapes [2], [1]. Pad the rows or pass flat data with a shape.',
  ],
];

const dtypeCases: readonly Case[] = [
  ...(['floor', 'sqrt', 'exp', 'log', 'log1p', 'sigmoid'] as const).map(
    (name): Case => [
      name,
      () => ops[name](i32(2)),
      `${name}: needs x of dtype f32, got x i32[2]. Convert it with cast.`,
    ],
  ),
  ...(['neg', 'abs'] as const).map(
    (name): Case => [
      name,
      () => ops[name](bool(2)),
      `${name}: needs x of dtype f32 or i32, got x bool[2]. Convert it with cast.`,
    ],
  ),
  ...(['add', 'sub', 'mul', 'minimum', 'maximum', 'less', 'lessEqual'] as const).map(
    (name): Case => [
      name,
      () => ops[name](f32(2), i32(2)),
      `${name}: needs inputs of one dtype and of shapes that broadcast, got a f32[2], b i32[2]. Convert one of them with cast.`,
    ],
  ),
  ...(['div', 'pow'] as const).map(
    (name): Case => [
      name,
      () => ops[name](i32(2), i32(2)),
      `${name}: needs a of dtype f32, got a i32[2]. Convert it with cast.`,
    ],
  ),
  [
    'equal',
    () => t.equal(bool(2), i32(2)),
    'equal: needs inputs of one dtype and of shapes that broadcast, got a bool[2], b i32[2]. Convert one of them with cast.',
  ],
  [
    'select',
    () => t.select(f32(2), 1, 2),
    'select: needs condition of dtype bool, got condition f32[2]. Convert it with cast.',
  ],
  ['sum', () => t.sum(bool(2)), 'sum: needs x of dtype f32 or i32, got x bool[2]. Convert it with cast.'],
  [
    'max',
    () => t.max(bool(2)),
    'reduceMax: needs x of dtype f32 or i32, got x bool[2]. Convert it with cast.',
  ],
  [
    'argMax',
    () => t.argMax(bool(2), 0),
    'argMax: needs x of dtype f32 or i32, got x bool[2]. Convert it with cast.',
  ],
  [
    'gather',
    () => t.gather(f32(5), f32(3)),
    'gather: needs i32 indices that share 0 leading dimensions, and an axis after them, got x f32[5], indices f32[3], axis 0. Check axis and batchDims.',
  ],
  [
    'scatterAdd',
    () => t.scatterAdd(bool(3), i32(3), 4),
    'scatterAdd: needs updates of dtype f32 or i32, got updates bool[3]. Convert it with cast.',
  ],
  [
    'topK',
    () => t.topK(bool(3), 1),
    'topK: needs x of dtype f32 or i32, got x bool[3]. Convert it with cast.',
  ],
  [
    'matmul',
    () => t.matmul(f32(2, 3), i32(3, 4)),
    'matmul: needs b of dtype f32, got b i32[3,4]. Convert it with cast.',
  ],
  [
    'conv2d',
    () => t.conv2d(f32(1, 1, 3, 3), i32(1, 1, 3, 3)),
    'conv2d: needs weight of dtype f32, got weight i32[1,1,3,3]. Convert it with cast.',
  ],
  [
    'maxPool2d',
    () => t.maxPool2d(i32(1, 1, 4, 4), { window: 2 }),
    'maxPool2d: needs x of dtype f32, got x i32[1,1,4,4]. Convert it with cast.',
  ],
];

const thrownBy = (build: () => unknown): Error => {
  try {
    build();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
};

describe('shapes that do not fit', () => {
  test.each(shapeCases)('%s', (_, build, message) => {
    const error = thrownBy(build);
    expect(error).toBeInstanceOf(t.ShapeError);
    expect(error.message).toBe(message);
  });
});

describe('dtypes that do not fit', () => {
  test.each(dtypeCases)('%s', (_, build, message) => {
    const error = thrownBy(build);
    expect(error).toBeInstanceOf(t.DTypeError);
    expect(error.message).toBe(message);
  });
});

test('every message is one sentence of the common form', () => {
  for (const [, build] of [...shapeCases, ...dtypeCases]) expect(thrownBy(build).message).toMatch(form);
});

test('an unknown backend is refused with the ones there are', async () => {
  await expect(t.createBackend('gpu' as 'cpu')).rejects.toThrow(
    /^createBackend: needs one of the backends cpu.*, got 'gpu'\./,
  );
});
