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

const timeOf = async (prepared: Prepared): Promise<number> => {
  if (prepared.time !== undefined) return (await prepared.time(1))[0]!;
  const start = performance.now();
  await prepared.run();
  return performance.now() - start;
};

/** Median times of runs in turn; both results are compared before. */
const race = async (
  us: Prepared,
  them: Prepared | undefined,
  rounds: number,
): Promise<readonly [number[], number[]]> => {
  const [own, theirs]: [number[], number[]] = [[], []];
  await us.run();
  await them?.run();
  if (them !== undefined) requireEqual(await us.outputs(), await them.outputs());
  for (let round = 0; round <= rounds; round++) {
    const time = await timeOf(us);
    const other = them === undefined ? undefined : await timeOf(them);
    if (round === 0) continue; // engines compile what runs often once more, and better
    own.push(time);
    if (other !== undefined) theirs.push(other);
  }
  return [own, theirs];
};

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
  const [own, theirs] = await race(us, typeof them === 'string' ? undefined : them, rounds);
  const [logits, objectness, distances] = (await us.outputs()) as [Float32Array, Float32Array, Float32Array];
  const [, , height, width] = work.images.shape as [number, number, number, number];
  const decodings = Array.from({ length: rounds }, () => {
    const start = performance.now();
    const levels = featureLevels(work.config, height, width);
    decodeDetections({ logits, objectness, distances }, levels, picture, work.config.test);
    return performance.now() - start;
  });
  const median = spreadOf(own).median;
  const peer = theirs.length === 0 ? undefined : spreadOf(theirs);
  if (typeof library !== 'string') await library.close?.();
  return {
    name: `${name}${isFused ? ', fused multiply-add' : ''}`,
    threads,
    unit: 'ms',
    ours: spreadOf(own),
    gigaflops: flops / median / 1e6,
    peers:
      peer === undefined || typeof library === 'string'
        ? {}
        : { PyTorch: { ...peer, version: library.version, ratio: peer.median / median } },
    ...(typeof them === 'string' ? { absent: { PyTorch: them } } : {}),
    parts: [{ name: 'decoding the outputs, besides', milliseconds: spreadOf(decodings).median }],
  };
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
