// Convolutions and both gradients, named after the layers they stand for.
import type { Backend, Tensor } from '@autoassign/tensor';
import {
  add,
  apply,
  compile,
  conv2d,
  evaluate,
  key,
  primitives,
  release,
  tensor,
  uniform,
} from '@autoassign/tensor';
import type { Task } from '../measure.ts';

interface Layer {
  readonly name: string;
  readonly images: number;
  readonly channels: number;
  readonly outChannels: number;
  readonly size: number;
  readonly kernel: number;
  readonly stride: number;
  /** 1 when this is left out. */
  readonly groups?: number;
}

const layers: readonly Layer[] = [
  {
    name: 'R-50 stage 3x3 256@40',
    images: 1,
    channels: 256,
    outChannels: 256,
    size: 40,
    kernel: 3,
    stride: 1,
  },
  { name: 'R-50 stage 3x3 64@56', images: 1, channels: 64, outChannels: 64, size: 56, kernel: 3, stride: 1 },
  {
    name: 'R-50 expand 1x1 256->1024@20',
    images: 1,
    channels: 256,
    outChannels: 1024,
    size: 20,
    kernel: 1,
    stride: 1,
  },
  {
    name: 'R-50 stem 7x7/2 3->64@224',
    images: 1,
    channels: 3,
    outChannels: 64,
    size: 224,
    kernel: 7,
    stride: 2,
  },
  {
    name: 'demo stem 3x3/2 3->16@128',
    images: 4,
    channels: 3,
    outChannels: 16,
    size: 128,
    kernel: 3,
    stride: 2,
  },
  { name: 'demo stage 3x3 64@16', images: 4, channels: 64, outChannels: 64, size: 16, kernel: 3, stride: 1 },
  { name: 'demo head 3x3 48@16', images: 4, channels: 48, outChannels: 48, size: 16, kernel: 3, stride: 1 },
  ...[
    { inGroup: 4, size: 56 },
    { inGroup: 8, size: 40 },
    { inGroup: 16, size: 28 },
    { inGroup: 32, size: 14 },
  ].map(({ inGroup, size }) => ({
    name: `X-101 stage 3x3 64 groups of ${inGroup}@${size}`,
    images: 1,
    channels: 64 * inGroup,
    outChannels: 64 * inGroup,
    size,
    kernel: 3,
    stride: 1,
    groups: 64,
  })),
  { name: 'demo head 3x3 48@4', images: 4, channels: 48, outChannels: 48, size: 4, kernel: 3, stride: 1 },
];

const tasksOf = async (layer: Layer, backend: Backend, seed: number): Promise<Task[]> => {
  const { images, channels, outChannels, size, kernel, stride, groups = 1 } = layer;
  const border = (kernel - 1) / 2;
  const out = Math.floor((size + 2 * border - kernel) / stride) + 1;
  const flops = 2 * images * outChannels * out * out * (channels / groups) * kernel * kernel;
  const draw = (shape: readonly number[]) => evaluate(uniform(key(seed), shape), { backend });
  const x = await draw([images, channels, size, size]);
  const weight = await draw([outChannels, channels / groups, kernel, kernel]);
  const ct = await draw([images, outChannels, out, out]);
  const attrs = {
    stride: [stride, stride],
    padding: [border, border, border, border],
    dilation: [1, 1],
    groups,
  } as const;
  const task = (pass: string, fn: (a: Tensor, b: Tensor) => Tensor, a: Tensor, b: Tensor): Task => {
    const compiled = compile(fn, { backend, strict: true });
    return { name: `${layer.name} ${pass}`, flops, run: async () => release(await compiled(a, b)) };
  };
  return [
    task('forward', (a, b) => conv2d(a, b, { stride, padding: border, groups }), x, weight),
    task(
      'input gradient',
      (a, b) => apply(primitives.conv2dInputGrad, [a, b], { ...attrs, size: [size, size] }),
      ct,
      weight,
    ),
    task(
      'filter gradient',
      (a, b) => apply(primitives.conv2dFilterGrad, [a, b], { ...attrs, kernel: [kernel, kernel] }),
      x,
      ct,
    ),
  ];
};

/** The parts of a deformable convolution besides its product: 3x3, all taps moved by up to a pixel. */
const samplingTasks = async (backend: Backend, seed: number): Promise<Task[]> => {
  const [channels, size, taps] = [256, 40, 9];
  const places = size * size;
  const draw = (shape: readonly number[], low: number) =>
    evaluate(uniform(key(seed), shape, { low, high: 1 }), { backend });
  const grid = Float32Array.from({ length: taps * 2 * places }, (_, i) =>
    Math.floor(i / places) % 2 === 0 ? Math.floor((i % places) / size) : i % size,
  );
  const points = await evaluate(
    add(
      uniform(key(seed), [1, 1, taps, 2, places], { low: -1, high: 1 }),
      tensor(grid, { shape: [1, 1, taps, 2, places] }),
    ),
    { backend },
  );
  const image = await draw([1, channels, size, size], -1);
  const columns = await draw([1, channels, taps, places], -1);
  const mask = await draw([1, 1, taps, places], 0);
  // a sample is four products, and as many additions
  const flops = 8 * channels * taps * places;
  const task = (pass: string, fn: (...inputs: Tensor[]) => Tensor, inputs: readonly Tensor[]): Task => {
    const compiled = compile(fn, { backend, strict: true });
    return {
      name: `sampling 3x3 256@40 ${pass}`,
      flops,
      run: async () => release(await compiled(...inputs)),
    };
  };
  const order = [0, 0] as const;
  return [
    task('forward', (x, p, m) => apply(primitives.sampleBilinear, [x!, p!, m!], { order }), [
      image,
      points,
      mask,
    ]),
    task(
      'input gradient',
      (g, p, m) => apply(primitives.sampleBilinearInputGrad, [g!, p!, m!], { order, size: [size, size] }),
      [columns, points, mask],
    ),
    task('point gradient', (x, g, p) => apply(primitives.sampleBilinearPointGrad, [x!, g!, p!], { order }), [
      image,
      columns,
      points,
    ]),
  ];
};

/** The tasks of the suite on a backend. */
export const convTasks = async (backend: Backend, seed: number): Promise<Task[]> => [
  ...(await Promise.all(layers.map((layer) => tasksOf(layer, backend, seed)))).flat(),
  ...(await samplingTasks(backend, seed)),
];
