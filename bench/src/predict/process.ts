// Prediction in a process of its own, with or without fused multiply-add: options as JSON in the first argument, a row as a message to the parent.
import { createPredictor, decodeDetections, featureLevels } from '@autoassign/detector';
import { evaluate } from '@autoassign/tensor';
import { ours } from '../cpu/libraries/ours.ts';
import { paramsOf } from '../cpu/libraries/oursDetector.ts';
import { torch } from '../cpu/libraries/torch.ts';
import type { Library, Prepared } from '../cpu/library.ts';
import { openBackend } from '../cpu/suite.ts';
import { predictionWork } from '../cpu/trainingWork.ts';
import type { Row } from '../record.ts';
import { spreadOf } from '../spread.ts';

/** What to measure. */
export interface PredictOptions {
  readonly threads: number;
  readonly fma: boolean;
  readonly seed: number;
  readonly rounds: number;
  /** Only the memory of a process that loads the weights and predicts; nothing else then makes it grow. */
  readonly isMemory: boolean;
}

/** Largest difference from PyTorch's results, as a share of the largest value. */
const tolerance = 1e-4;
const picture = { height: 800, width: 1067 };
const script = new URL('../../peers/torch_peer.py', import.meta.url).pathname;

/** Somebody who predicts: how one run is timed, and the processor time of their process so far. */
interface Runner {
  readonly prepared: Prepared;
  readonly cpu: () => Promise<number>;
}

/** Milliseconds of a run, by the clock and of processors, which a busy machine changes less. */
interface Sample {
  readonly clock: number;
  readonly cpu: number;
}

const ownCpu = async (): Promise<number> => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e3;
};

const sampleOf = async ({ prepared, cpu }: Runner): Promise<Sample> => {
  const before = await cpu();
  if (prepared.time !== undefined) {
    const samples = await prepared.time(1);
    return { clock: samples[0]!, cpu: ((await cpu()) - before) / samples.length };
  }
  const start = performance.now();
  await prepared.run();
  return { clock: performance.now() - start, cpu: (await cpu()) - before };
};

/** Runs in turn; both results are compared before. */
const race = async (
  us: Runner,
  them: Runner | undefined,
  rounds: number,
): Promise<readonly [Sample[], Sample[]]> => {
  const [own, theirs]: [Sample[], Sample[]] = [[], []];
  await us.prepared.run();
  await them?.prepared.run();
  if (them !== undefined) requireEqual(await us.prepared.outputs(), await them.prepared.outputs());
  for (let round = 0; round <= rounds; round++) {
    const samples = [await sampleOf(us), them === undefined ? undefined : await sampleOf(them)] as const;
    if (round === 0) continue; // engines compile what runs often once more, and better
    own.push(samples[0]);
    if (samples[1] !== undefined) theirs.push(samples[1]);
  }
  return [own, theirs];
};

const spreadsOf = (samples: readonly Sample[]) => ({
  spread: spreadOf(samples.map(({ clock }) => clock)),
  cpuMilliseconds: Math.round(spreadOf(samples.map(({ cpu }) => cpu)).median),
});

const requireEqual = (own: readonly ArrayLike<number>[], theirs: readonly ArrayLike<number>[]): void => {
  own.forEach((values, part) => {
    let [largest, worst] = [0, 0];
    for (let i = 0; i < values.length; i++) {
      largest = Math.max(largest, Math.abs(values[i]!));
      worst = Math.max(worst, Math.abs(values[i]! - theirs[part]![i]!));
    }
    if (!(worst <= tolerance * largest))
      throw new Error(`Result ${part} is off by ${worst / largest} of its largest value.`);
  });
};

const openTorch = async (threads: number): Promise<Library | string> =>
  torch(script, { threads }).catch((error: unknown) => (error as Error).message);

/** The row of prediction. */
const measure = async ({ threads, fma, seed, rounds }: PredictOptions): Promise<Row> => {
  const { backend, fma: isFused } = await openBackend(fma, threads);
  const { name, flops, make } = predictionWork(seed);
  const work = await make();
  const us = (await ours(backend, 'this commit').prepare(work)) as Prepared;
  const library = await openTorch(threads);
  const them = typeof library === 'string' ? library : await library.prepare(work);
  const rival =
    typeof library === 'string' || typeof them === 'string'
      ? undefined
      : { prepared: them, cpu: library.cpu! };
  const [own, theirs] = await race({ prepared: us, cpu: ownCpu }, rival, rounds);
  const [logits, objectness, distances] = (await us.outputs()) as [Float32Array, Float32Array, Float32Array];
  const [, , height, width] = work.images.shape as [number, number, number, number];
  const decodings = Array.from({ length: rounds }, () => {
    const start = performance.now();
    const levels = featureLevels(work.config, height, width);
    decodeDetections({ logits, objectness, distances }, levels, picture, work.config.test);
    return performance.now() - start;
  });
  if (typeof library !== 'string') await library.close?.();
  const { spread, cpuMilliseconds } = spreadsOf(own);
  return {
    name: `${name}${isFused ? ', fused multiply-add' : ''}`,
    threads,
    unit: 'ms',
    ours: spread,
    gigaflops: flops / spread.median / 1e6,
    cpuMilliseconds,
    peers: typeof library === 'string' || rival === undefined ? {} : peerOf(library, spread.median, theirs),
    ...(typeof them === 'string' ? { absent: { PyTorch: them } } : {}),
    parts: [{ name: 'decoding the outputs, besides', milliseconds: spreadOf(decodings).median }],
  };
};

const peerOf = ({ version }: Library, median: number, samples: readonly Sample[]): Row['peers'] => {
  const { spread, cpuMilliseconds } = spreadsOf(samples);
  return { PyTorch: { ...spread, version, ratio: spread.median / median, cpuMilliseconds } };
};

/** Most memory that a process needs which puts the weights on the engine and looks at one picture. */
const memoryOf = async ({ threads, fma, seed }: PredictOptions): Promise<Pick<Row, 'residentMiB'>> => {
  const { backend } = await openBackend(fma, threads);
  const { config, params, images } = await predictionWork(seed).make();
  const placed = await evaluate(paramsOf({ params }), { backend });
  const predictor = createPredictor(config, { backend });
  const shape = images.shape as [number, number, number, number];
  await predictor.predictBatch(placed, {
    images: images.data,
    imageShape: shape,
    sizes: [picture],
    scales: [[1, 1]],
  });
  return { residentMiB: Math.round(process.resourceUsage().maxRSS / 1024) };
};

const options = JSON.parse(process.argv[2]!) as PredictOptions;
const result = options.isMemory ? await memoryOf(options) : await measure(options);
process.send!(result, () => process.exit(0));
