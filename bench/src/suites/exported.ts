// Exported detectors in ONNX Runtime's WebAssembly build: the same numbers and detections as ours, and how long both take.
import type { DetectorConfig, Params } from '@autoassign/detector';
import {
  createDetector,
  createPredictor,
  decodeDetections,
  deformableResnext101Config,
  demoConfig,
  exportOnnx,
  featureLevels,
  resnet50Config,
} from '@autoassign/detector';
import type { Tensor } from '@autoassign/tensor';
import { compile, createBackend, evaluate, key, mapTree, normal, read, tensor } from '@autoassign/tensor';
import { importPeer, installedVersions, installPeers } from '../cpu/peers.ts';
import type { Row } from '../record.ts';
import { spreadOf } from '../spread.ts';

type OrtType = 'float32';
interface OrtTensor {
  readonly data: Float32Array | BigInt64Array;
}
type Feeds = Readonly<Record<string, OrtTensor>>;
interface OrtSession {
  run(feeds: Feeds): Promise<Feeds>;
  release(): Promise<void>;
}
/** The part of onnxruntime-web that is called. */
interface Ort {
  readonly env: { readonly wasm: { numThreads?: number } };
  readonly Tensor: new (type: OrtType, data: Float32Array, shape: readonly number[]) => OrtTensor;
  readonly InferenceSession: { create(model: Uint8Array, options: object): Promise<OrtSession> };
}

/** A row with how far raw outputs are apart. */
export interface ExportedRow extends Row {
  /** The largest difference of any output, as a part of its largest value. */
  readonly difference: number;
}

/** One network at one size. */
interface Case {
  readonly name: string;
  readonly config: DetectorConfig;
  readonly height: number;
  readonly width: number;
  readonly batch: number;
  readonly opset: 17 | 21;
}

const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `class ${i}`);

const byAuthors = (config: DetectorConfig): DetectorConfig => ({
  ...config,
  test: { ...config.test, variant: 'megvii' },
});

const cases: readonly Case[] = [
  { name: 'demo', config: demoConfig(names(8)), height: 192, width: 256, batch: 2, opset: 17 },
  { name: 'demo', config: byAuthors(demoConfig(names(8))), height: 192, width: 256, batch: 1, opset: 21 },
  { name: 'R-50', config: resnet50Config(names(80)), height: 320, width: 448, batch: 1, opset: 17 },
  {
    name: 'R-50',
    config: byAuthors(resnet50Config(names(80))),
    height: 192,
    width: 256,
    batch: 2,
    opset: 21,
  },
  {
    name: 'X-101 deformable',
    config: deformableResnext101Config(names(80)),
    height: 128,
    width: 160,
    batch: 1,
    opset: 17,
  },
];

/** As single precision allows, of the largest value; samples at moved places read with coordinates that were divided and multiplied again. */
const most = { plain: 1e-5, deformable: 1e-4 } as const;

const raw = ['logits', 'objectness', 'distances'] as const;

/** Weights of a network that is sure of much, so that many boxes compete, and whose deformable convolutions move their taps. */
const sureParams = (params: Params): Params =>
  mapTree((leaf, path) => {
    if (leaf.source.kind !== 'constant') return leaf;
    const { shape } = leaf;
    if (path.endsWith('conv_offset.weight'))
      return tensor(
        Float32Array.from(leaf.source.data, (_, i) => 0.05 * Math.sin(i)),
        { shape },
      );
    if (!/conv_(cls|reg|centerness).weight$/.test(path)) return leaf;
    return tensor(
      Float32Array.from(leaf.source.data, (x) => 5 * x),
      { shape },
    );
  }, params);

/** The largest difference as a part of the largest value, when that is within the bound. */
const requireClose = (
  what: string,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  bound: number,
): number => {
  let [largest, worst] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    largest = Math.max(largest, Math.abs(expected[i]!));
    worst = Math.max(worst, Math.abs(actual[i]! - expected[i]!));
  }
  if (actual.length !== expected.length || !(worst <= bound * largest))
    throw new Error(`${what} of ONNX Runtime differ by ${worst} of ${largest} at most.`);
  return worst / Math.max(largest, Number.MIN_VALUE);
};

/** Holds the detections of a model to our decoding of the raw outputs of the other. */
const requireDetections = (one: Case, found: Feeds, outputs: Feeds): void => {
  const { config, height, width, batch } = one;
  const levels = featureLevels(config, height, width);
  for (let n = 0; n < batch; n++) {
    const own = (feeds: Feeds, name: string): Float32Array => {
      const data = Float32Array.from(feeds[name]!.data as Float32Array, Number);
      return data.subarray((n * data.length) / batch, ((n + 1) * data.length) / batch);
    };
    const [logits, objectness, distances] = raw.map((name) => own(outputs, name)) as [
      Float32Array,
      Float32Array,
      Float32Array,
    ];
    const ours = decodeDetections({ logits, objectness, distances }, levels, { height, width }, config.test);
    const count = ours.scores.length;
    if (own(found, 'scores').filter((score) => score > 0).length !== count)
      throw new Error(`${one.name}: ONNX Runtime does not find ${count} objects as we do.`);
    requireClose('scores', own(found, 'scores').subarray(0, count), ours.scores, 1e-5);
    requireClose('boxes', own(found, 'boxes').subarray(0, 4 * count), ours.boxes, 1e-5);
    requireClose('labels', own(found, 'labels').subarray(0, count), ours.labels, 0);
  }
};

const timed = async (run: () => Promise<unknown>, rounds: number): Promise<number[]> => {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const begin = performance.now();
    await run();
    times.push(performance.now() - begin);
  }
  return times;
};

const caseRow = async (
  ort: Ort,
  one: Case,
  setting: { seed: number; rounds: number; version: string },
): Promise<ExportedRow> => {
  const { config, height, width, batch, opset } = one;
  const backend = await createBackend('wasm');
  const params = sureParams(await createDetector(config).init(key(setting.seed)));
  const shape = [batch, 3, height, width] as const;
  const drawn = await evaluate(normal(key(setting.seed + 1), shape), { backend });
  const pixels = await read(drawn);
  const imageSize = { height, width };
  const open = (suppression: boolean): Promise<OrtSession> =>
    ort.InferenceSession.create(exportOnnx(config, params, { imageSize, opset, suppression }).bytes, {
      executionProviders: ['wasm'],
    });
  const feeds = { images: new ort.Tensor('float32', Float32Array.from(pixels), shape) };
  const [rawSession, session] = [await open(false), await open(true)];
  const outputs = await rawSession.run(feeds);
  const detector = createDetector(config);
  const forward = compile(
    (weights: Params, images: Tensor) => {
      const { logits, objectness, distances } = detector.forward(weights, images);
      return { logits, objectness, distances };
    },
    { backend },
  );
  const given = await evaluate(params, { backend });
  const expected = await forward(given, drawn);
  const bound = config.backbone.deformable === undefined ? most.plain : most.deformable;
  const differences: number[] = [];
  for (const name of raw)
    differences.push(
      requireClose(name, outputs[name]!.data as Float32Array, await read(expected[name]), bound),
    );
  requireDetections(one, await session.run(feeds), outputs);
  const predictor = createPredictor(config, { backend });
  const images = {
    images: Float32Array.from(pixels),
    imageShape: shape,
    sizes: Array.from({ length: batch }, () => imageSize),
    scales: Array.from({ length: batch }, () => [1, 1] as const),
  };
  await predictor.predictBatch(given, images);
  const ours = spreadOf(await timed(() => predictor.predictBatch(given, images), setting.rounds));
  const theirs = spreadOf(await timed(() => session.run(feeds), setting.rounds));
  await Promise.all([rawSession.release(), session.release()]);
  await backend.destroy();
  const rules = config.test.variant ?? 'mmdetection';
  return {
    name: `${one.name}, ${batch} x ${height}x${width}, operators ${opset}, rules of ${rules}`,
    threads: 1,
    unit: 'ms',
    ours,
    difference: Math.max(...differences),
    peers: { 'ort-web': { ...theirs, version: setting.version, ratio: theirs.median / ours.median } },
  };
};

/**
 * A row per network: images to detections, by us and by ONNX Runtime on the exported model.
 *
 * Throws  Error when raw outputs or detections differ by more than single precision explains
 */
export const exportedSuite = async (options: {
  readonly seed: number;
  readonly rounds: number;
  /** Whether libraries that are missing are installed first. */
  readonly peers: boolean;
}): Promise<ExportedRow[]> => {
  if (options.peers) installPeers();
  const ort = await importPeer<Ort>('onnxruntime-web');
  ort.env.wasm.numThreads = 1;
  const version = Object.values(installedVersions(['onnxruntime-web'])).join();
  const rows: ExportedRow[] = [];
  for (const one of cases) rows.push(await caseRow(ort, one, { ...options, version }));
  return rows;
};

/** The rows for people: a network a line. */
export const exportedText = (rows: readonly ExportedRow[]): string =>
  rows
    .map(({ name, ours, peers, difference }) => {
      const times = Object.entries({ ours, ...peers }).map(
        ([who, { median }]) => `${who} ${median.toFixed(0)} ms`,
      );
      return `${name}: ${times.join(', ')}; outputs differ by ${difference.toExponential(1)}, detections are equal`;
    })
    .join('\n');
