// The work that libraries are compared on, as plain data: what to compute and the numbers to compute it from.
import type { DetectorWork, LossWork } from './detectorWork.ts';

/** Numbers with a shape, row-major; images are [N,C,H,W], filters [O,C,kh,kw]. */
export interface Values {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** A product of two square matrices, and its product with the second one again, so many times in all. */
export interface MatmulWork {
  readonly kind: 'matmul';
  readonly times: number;
  readonly size: number;
  readonly a: Values;
  readonly b: Values;
}

/** A convolution layer: square images, square filters, the same border of zeros on all sides. */
interface Layer {
  readonly channels: number;
  readonly outChannels: number;
  readonly size: number;
  readonly kernel: number;
  readonly stride: number;
}

/** The passes of a convolution. */
type Pass = 'forward' | 'input gradient' | 'filter gradient';

/** One pass of a convolution over one image. */
export interface ConvWork {
  readonly kind: 'conv';
  readonly pass: Pass;
  readonly layer: Layer;
  readonly border: number;
  readonly x: Values;
  readonly weight: Values;
  readonly ct: Values;
}

/** A training step of a small network: 3x3 convolutions with ReLU, mean over pixels, linear, softmax cross entropy, plain SGD. */
export interface CnnWork {
  readonly kind: 'cnn';
  readonly rate: number;
  readonly images: Values;
  readonly labels: readonly number[];
  readonly classes: number;
  /** One filter per convolution. */
  readonly filters: readonly Values[];
  /** [classes, channels] and [classes]. */
  readonly linear: readonly [weight: Values, bias: Values];
}

/** One layer of a chain with shortcuts: reads an earlier result by its index, 0 being the image. */
type NetLayer =
  | {
      readonly op: 'conv';
      readonly from: number;
      readonly weight: Values;
      readonly bias: Values;
      readonly stride: number;
      readonly relu: boolean;
    }
  | { readonly op: 'maxPool'; readonly from: number }
  | { readonly op: 'addRelu'; readonly from: number; readonly other: number };

/** A network on one image, its result the mean over pixels of the last layer. */
export interface NetWork {
  readonly kind: 'net';
  readonly image: Values;
  readonly layers: readonly NetLayer[];
}

/** A chain of elementwise operations: `y = sigmoid(x y + shift)` so many times, from `y = x`. */
export interface ChainWork {
  readonly kind: 'chain';
  readonly times: number;
  readonly shift: number;
  readonly x: Values;
}

/** Everything that is compared. */
export type Work = MatmulWork | ChainWork | ConvWork | CnnWork | NetWork | LossWork | DetectorWork;

/** Whether work is the detector or its loss: a library needs a port of AutoAssign to take part. */
export const isOfDetector = (work: Work): work is LossWork | DetectorWork =>
  work.kind === 'loss' || work.kind === 'detector';

/** Work with a name; its floating point operations where libraries are compared by rate. */
export interface NamedWork {
  readonly name: string;
  readonly flops?: number;
  /** Whether it needs more memory than the reference has: other libraries are then held to our result. */
  readonly exceedsReference?: true;
  readonly work: Work;
}

/** Uniform numbers in [0, 1) by mulberry32, one after the other. */
export const uniformFrom = (seed: number): (() => number) => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
};

/** Uniform numbers in [-scale, scale): the same in every library and run. */
export const draws = (seed: number): ((shape: readonly number[], scale?: number) => Values) => {
  const next = uniformFrom(seed);
  return (shape, scale = 1) => {
    const count = shape.reduce((a, b) => a * b, 1);
    return { shape, data: Float32Array.from({ length: count }, () => (2 * next() - 1) * scale) };
  };
};

/** The product of two square matrices of a size, drawn from a seed. */
export const matmulWork = (size: number, seed: number): NamedWork => {
  const draw = draws(seed);
  const [a, b] = [draw([size, size]), draw([size, size])];
  return { name: `matmul ${size}`, flops: 2 * size ** 3, work: { kind: 'matmul', times: 1, size, a, b } };
};

/** Products so small that a library's price per step is all they take, each waiting for the one before. */
const launchWork = (seed: number): NamedWork => {
  const [size, times] = [8, 64];
  const draw = draws(seed);
  const [a, b] = [draw([size, size]), draw([size, size], Math.sqrt(3 / size))];
  return { name: '64 products of 8x8 in a row', work: { kind: 'matmul', times, size, a, b } };
};

/** Twelve elementwise operations on a million elements, drawn from a seed. */
export const chainWork = (seed: number): NamedWork => {
  const x = draws(seed)([1024, 1024]);
  return { name: 'elementwise chain of 12, 1M elements', work: { kind: 'chain', times: 4, shift: 0.5, x } };
};

const layers: readonly (readonly [name: string, Layer])[] = [
  ['3x3 64@56', { channels: 64, outChannels: 64, size: 56, kernel: 3, stride: 1 }],
  ['3x3 256@40', { channels: 256, outChannels: 256, size: 40, kernel: 3, stride: 1 }],
  ['1x1 256->1024@20', { channels: 256, outChannels: 1024, size: 20, kernel: 1, stride: 1 }],
  ['7x7/2 3->64@224', { channels: 3, outChannels: 64, size: 224, kernel: 7, stride: 2 }],
];

const convWork = (name: string, layer: Layer, seed: number): NamedWork[] => {
  const { channels, outChannels, size, kernel, stride } = layer;
  const draw = draws(seed);
  const border = (kernel - 1) / 2;
  const out = Math.floor((size + 2 * border - kernel) / stride) + 1;
  const x = draw([1, channels, size, size]);
  const weight = draw([outChannels, channels, kernel, kernel]);
  const ct = draw([1, outChannels, out, out]);
  const flops = 2 * outChannels * out * out * channels * kernel * kernel;
  const passes: readonly Pass[] = ['forward', 'input gradient', 'filter gradient'];
  return passes.map((pass) => ({
    name: `${name} ${pass}`,
    flops,
    work: { kind: 'conv', pass, layer, border, x, weight, ct },
  }));
};

const cnnWork = (seed: number): NamedWork => {
  const draw = draws(seed);
  const [images, side, classes] = [8, 32, 10];
  const widths = [3, 16, 32, 32];
  const filters = widths.slice(1).map((outputs, i) => {
    const inputs = widths[i]!;
    return draw([outputs, inputs, 3, 3], Math.sqrt(6 / (9 * inputs)));
  });
  const features = widths.at(-1)!;
  const products = filters.reduce((total, { data }) => total + data.length, 0);
  return {
    name: 'small-CNN training step',
    flops: 3 * 2 * images * side * side * products,
    work: {
      kind: 'cnn',
      rate: 0.1,
      images: draw([images, 3, side, side]),
      labels: Array.from({ length: images }, (_, n) => (3 * n + 1) % classes),
      classes,
      filters,
      linear: [draw([classes, features], 1 / Math.sqrt(features)), draw([classes], 0.1)],
    },
  };
};

/** ResNet-50 with random weights, every norm folded into its convolution, as deployed networks are. */
const resnetWork = (seed: number): NamedWork => {
  const draw = draws(seed);
  const net: NetLayer[] = [];
  const conv = (
    from: number,
    inputs: number,
    outputs: number,
    kernel: number,
    stride: number,
    relu: boolean,
  ) => {
    const scale = Math.sqrt((relu ? 6 : 3) / (inputs * kernel * kernel));
    const weight = draw([outputs, inputs, kernel, kernel], scale);
    return net.push({ op: 'conv', from, weight, bias: draw([outputs], 0.1), stride, relu });
  };
  let at = conv(0, 3, 64, 7, 2, true);
  at = net.push({ op: 'maxPool', from: at });
  let width = 64;
  [3, 4, 6, 3].forEach((depth, stage) => {
    const planes = 64 * 2 ** stage;
    for (let block = 0; block < depth; block++) {
      const stride = block === 0 && stage > 0 ? 2 : 1;
      const inner = conv(conv(at, width, planes, 1, 1, true), planes, planes, 3, stride, true);
      const body = conv(inner, planes, 4 * planes, 1, 1, false);
      const other = block === 0 ? conv(at, width, 4 * planes, 1, stride, false) : at;
      at = net.push({ op: 'addRelu', from: body, other });
      width = 4 * planes;
    }
  });
  const work = { kind: 'net', image: draw([1, 3, 224, 224]), layers: net } as const;
  return { name: 'ResNet-50 forward 224', flops: 8.2e9, work };
};

/** All work, drawn from a seed. */
export const allWork = (seed: number): NamedWork[] => [
  ...[256, 512, 1024].map((size) => matmulWork(size, seed)),
  launchWork(seed),
  ...layers.flatMap(([name, layer]) => convWork(name, layer, seed)),
  cnnWork(seed),
  resnetWork(seed),
];
