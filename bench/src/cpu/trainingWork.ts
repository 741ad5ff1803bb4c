// Whole detectors as work: the demo's training step and forward pass, and a training step of the paper's ResNet-50.
import { batches, shapeClasses, shapes } from '@autoassign/datasets';
import type { BatchTensors, DetectorConfig, Params } from '@autoassign/detector';
import {
  batchTensors,
  createDetector,
  demoConfig,
  featureLevels,
  isTrained,
  locations,
  resnet50Config,
} from '@autoassign/detector';
import { key, leavesWithPaths } from '@autoassign/tensor';
import type { DetectorWork, ObjectValues, OptimizerWork, ParameterGroup } from './detectorWork.ts';
import { objectsOf, valuesOf } from './lossWork.ts';
import type { Values } from './work.ts';
import { draws } from './work.ts';

/** Detector work that is made when it is asked for: parameters of a large network take a while to draw. */
export interface NamedDetectorWork {
  readonly name: string;
  readonly flops: number;
  readonly make: () => Promise<DetectorWork>;
}

type ByPath = Readonly<Record<string, Values>>;

/** The parameters that a seed draws, by path. */
const drawParams = async (config: DetectorConfig, seed: number): Promise<ByPath> => {
  const params: Params = await createDetector(config).init(key(seed));
  const drawn: Record<string, Values> = {};
  for (const [path, leaf] of leavesWithPaths(params)) drawn[path] = await valuesOf(leaf);
  return drawn;
};

/** The trained parameters, grouped by what `of` says of each. */
const groupsOf = (
  config: DetectorConfig,
  params: ByPath,
  of: (path: string, values: Values) => Omit<ParameterGroup, 'paths'>,
): ParameterGroup[] => {
  const groups = new Map<string, ParameterGroup & { readonly paths: string[] }>();
  for (const [path, values] of Object.entries(params).filter(([name]) => isTrained(config, name))) {
    const group = of(path, values);
    const alike = JSON.stringify(group);
    if (!groups.has(alike)) groups.set(alike, { ...group, paths: [] });
    groups.get(alike)!.paths.push(path);
  }
  return [...groups.values()];
};

/** The locations of a configuration's predictions for images [N,3,H,W]. */
const gridOf = async (
  config: DetectorConfig,
  { shape }: Values,
): Promise<Pick<DetectorWork, 'locations' | 'strides'>> => {
  const points = locations(featureLevels(config, shape[2]!, shape[3]!));
  return { locations: await valuesOf(points.locations), strides: await valuesOf(points.strides) };
};

const batchSize = 4;

/** The first batch of the shapes that a seed draws. */
const shapesBatch = async (config: DetectorConfig, seed: number): Promise<BatchTensors> => {
  const dataset = shapes({ length: batchSize, seed });
  for await (const batch of batches(dataset, { normalization: config.input, batchSize, seed }))
    return batchTensors(batch);
  throw new Error('shapesBatch: needs a batch, got none. Ask for at least one image.');
};

/** The demo's detector and recipe: AdamW, decay of the filters, five times the rate for the centre prior. */
const demoWork = async (seed: number): Promise<Omit<DetectorWork, 'pass'>> => {
  const config = demoConfig(shapeClasses);
  const params = await drawParams(config, seed);
  const { images: pixels, ...targets } = await shapesBatch(config, seed);
  const images = await valuesOf(pixels);
  const groups = groupsOf(config, params, (path, { shape }) => ({
    weightDecay: shape.length === 4 ? 0.02 : 0,
    rateScale: path.startsWith('bbox_head.center_prior.') ? 5 : 1,
  }));
  const optimizer: OptimizerWork = { kind: 'adamw', rate: 2e-3, groups, steps: 1000, meanSquare: 1e-4 };
  const objects = await objectsOf(targets);
  return { kind: 'detector', config, params, images, objects, optimizer, ...(await gridOf(config, images)) };
};

/** How many images, and how large. */
interface Batch {
  readonly images: number;
  readonly height: number;
  readonly width: number;
}

/** Eight objects per image, from 20 pixels to most of 320. */
const someObjects = ({ images, height, width }: Batch, classes: number): ObjectValues => {
  const count = 8;
  const each = <T>(f: (m: number, n: number) => T): T[][] =>
    Array.from({ length: images }, (_, n) => Array.from({ length: count }, (_unused, m) => f(m, n)));
  const boxes = each((m, n) => {
    const size = 20 * 1.45 ** m;
    const x = (83 * m + 31 * n + 7) % (width - size);
    const y = (59 * m + 17 * n + 11) % (height - 0.8 * size);
    return [x, y, x + size, y + 0.8 * size];
  });
  return {
    boxes: { shape: [images, count, 4], data: Float32Array.from(boxes.flat(2)) },
    labels: each((m, n) => (13 * m + n) % classes),
    valid: each(() => 1),
  };
};

/** What a pretrained network's batch norms could hold, in place of statistics that change nothing. */
const withStatistics = (params: ByPath, seed: number): ByPath => {
  const draw = draws(seed);
  const around = ({ shape }: Values, middle: number, scale: number): Values => {
    const { data } = draw(shape, scale);
    return { shape, data: data.map((x) => middle + x) };
  };
  return Object.fromEntries(
    Object.entries(params).map(([path, values]) => {
      const part = /^backbone\..*(bn\d|downsample\.1)\.(\w+)$/.exec(path);
      if (part === null) return [path, values];
      const [, layer, name] = part;
      if (name === 'running_var') return [path, around(values, 1, 0.4)];
      // the last norm of a block adds to the shortcut: sixteen of weight 1 would let the features grow without bound
      if (name === 'weight') return [path, around(values, layer === 'bn3' ? 0.25 : 1, 0.1)];
      return [path, around(values, 0, 0.1)];
    }),
  );
};

/** The paper's detector and recipe at its full rate: SGD with momentum, decay of all but the norms. */
const resnetWork = async (seed: number, batch: Batch): Promise<DetectorWork> => {
  const config = resnet50Config(Array.from({ length: 80 }, (_, i) => `class ${i}`));
  const params = withStatistics(await drawParams(config, seed), seed);
  const images = draws(seed)([batch.images, 3, batch.height, batch.width], 120);
  const groups = groupsOf(config, params, (path) => ({
    weightDecay: /\.gn\./.test(path) ? 0 : 1e-4,
    rateScale: 1,
  }));
  const optimizer: OptimizerWork = { kind: 'sgd', rate: 0.01, groups, momentum: 0.9 };
  const objects = someObjects(batch, config.classes.length);
  const grid = await gridOf(config, images);
  return { kind: 'detector', pass: 'training step', config, params, images, objects, optimizer, ...grid };
};

/** Operations of the demo's convolutions for one image of 128x128, forward; backward takes about twice as many. */
const demoFlops = 0.183e9;

/** Operations of the ResNet-50 detector's training step per pixel of the images. */
const resnetFlopsPerPixel = 1.136e11 / 320 ** 2;

/** All detector work, drawn from a seed. */
export const detectorWork = (seed: number): readonly NamedDetectorWork[] => [
  {
    name: 'demo training step, 4 images of 128x128',
    flops: 3 * batchSize * demoFlops,
    make: async () => ({ ...(await demoWork(seed)), pass: 'training step' }),
  },
  {
    name: 'demo forward, 4 images of 128x128',
    flops: batchSize * demoFlops,
    make: async () => ({ ...(await demoWork(seed)), pass: 'forward' }),
  },
  {
    name: 'R-50-FPN AutoAssign training step 320x320',
    flops: resnetFlopsPerPixel * 320 * 320,
    make: () => resnetWork(seed, { images: 1, height: 320, width: 320 }),
  },
];

/** A training step of the paper's detector at the paper's size, drawn from a seed: gigabytes of activations, so for a GPU. */
export const paperSizedWork = (seed: number): NamedDetectorWork => {
  const batch = { images: 2, height: 800, width: 1344 };
  const { images, height, width } = batch;
  return {
    name: `R-50-FPN AutoAssign training step, ${images} images of ${height}x${width}`,
    flops: resnetFlopsPerPixel * images * height * width,
    make: () => resnetWork(seed, batch),
  };
};

/** Operations of the ResNet-50 detector's forward pass per pixel of the images. */
const resnetForwardFlopsPerPixel = 3.92e5;

/** The forward pass of the paper's detector on a picture of 800x1067, padded to multiples of 32, drawn from a seed. */
export const predictionWork = (seed: number): NamedDetectorWork => {
  const batch = { images: 1, height: 800, width: 1088 };
  return {
    name: 'R-50-FPN, 80 classes, forward 800x1088',
    flops: resnetForwardFlopsPerPixel * batch.height * batch.width,
    make: async () => ({ ...(await resnetWork(seed, batch)), pass: 'forward' }),
  };
};
