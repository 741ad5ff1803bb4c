// A detector from a file of weights, as an object: pictures in, named boxes out.
import type { ByteSource, Detections, DetectorConfig, TestAugmentation } from '@autoassign/detector';
import { ConfigError, sourceOfBlob } from '@autoassign/detector';
import type { Backend, BackendName } from '@autoassign/tensor';
import { createBackend, defaultBackend, LifetimeError } from '@autoassign/tensor';
import { usualAugmentation } from '../augmented.ts';
import type { Finder, FindOptions } from '../finder.ts';
import { createFinder } from '../finder.ts';
import type { TestSize } from '../runConfig.ts';
import { detectorIn } from '../usableDetector.ts';
import { bytesAt } from './bytesAt.ts';
import type { Picture } from './picturePixels.ts';
import { nameOfPicture, picturePixels } from './picturePixels.ts';

/** Where weights come from: a path (Node) or address, or the bytes of the file. */
export type WeightsSource = string | URL | Uint8Array | ArrayBuffer | Blob;

/** How a detector is loaded. */
export interface LoadDetectorOptions {
  /** Where it computes: by name, or a backend of yours, which stays open; unless given the fastest that runs here. */
  readonly backend?: BackendName | Backend;
  /** Threads of backend `wasm`; 1 by default. Results do not depend on it. */
  readonly threads?: number;
  /** Fused multiply-add on `wasm`: faster on most machines, but the last bits depend on the machine. */
  readonly fma?: boolean;
  /** The network, for files that do not carry its configuration. */
  readonly config?: DetectorConfig;
  /** The preset that has the network and the size of pictures, for files that carry neither, such as published ones. */
  readonly preset?: string;
  /** With a preset: the class names by label; those that the file names unless given, else `class 1`, `class 2`, … */
  readonly classes?: readonly string[];
  /** The size that pictures are seen at, instead of the one that the file carries. */
  readonly size?: TestSize;
}

/** What is looked for in a picture. */
export interface DetectOptions {
  /** Only what scores above this; 0.5 by default. */
  readonly score?: number;
  /** The most detections of a picture; as the weights say by default, usually 100. */
  readonly limit?: number;
  /** Only these classes. */
  readonly classes?: readonly string[];
  /** Of two boxes of a class that overlap more, the worse is dropped; as the weights say by default, usually 0.6. */
  readonly iou?: number;
  /** Looks in several sizes and mirrored: as the weights say, or as given. */
  readonly augmentation?: boolean | TestAugmentation;
  /** The most pictures of one padded size that go through the network together; 1 by default. */
  readonly batchSize?: number;
}

/** An object that was found. */
export interface Detection {
  /** The number of its class. */
  readonly label: number;
  readonly className: string;
  readonly score: number;
  /** In pixels of the picture that was given, the edges exclusive. */
  readonly box: DetectionBox;
}

/** The edges of a box, in pixels from the left and the top. */
export interface DetectionBox {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** A detector that is ready. Calls may overlap; they are served in their order. */
export interface LoadedPictureDetector {
  /** Class names by label. */
  readonly classes: readonly string[];
  readonly config: DetectorConfig;
  /** What is in a picture, by descending score. */
  predict(picture: Picture, options?: DetectOptions): Promise<readonly Detection[]>;
  /** What is in each of several pictures. */
  predictBatch(
    pictures: readonly Picture[],
    options?: DetectOptions,
  ): Promise<readonly (readonly Detection[])[]>;
  /** Frees everything after the calls under way; further calls are errors. */
  close(): Promise<void>;
}

function isBackend(backend: BackendName | Backend): backend is Backend {
  return typeof backend !== 'string';
}

async function openBackend({ backend, threads, fma }: LoadDetectorOptions): Promise<Backend> {
  if (backend !== undefined && isBackend(backend)) return backend;
  const isWasm =
    backend === 'wasm' || (backend === undefined && (threads !== undefined || fma !== undefined));
  if (isWasm)
    return createBackend('wasm', {
      ...(threads === undefined ? {} : { threads }),
      ...(fma === undefined ? {} : { fma }),
    });
  return backend === undefined ? (await defaultBackend()).backend : createBackend(backend);
}

async function bytesOf(source: WeightsSource): Promise<Uint8Array | ByteSource> {
  if (source instanceof Uint8Array) return source;
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  if (source instanceof Blob) return sourceOfBlob(source);
  return bytesAt(source, 'loadDetector');
}

function labelOf(name: string, classes: readonly string[]): number {
  const label = classes.indexOf(name);
  if (label >= 0) return label;
  throw new ConfigError(
    `predict(classes): needs classes of these weights (${classes.join(', ')}), got '${name}'. Correct the name.`,
  );
}

function findOptionsOf(options: DetectOptions, config: DetectorConfig): FindOptions {
  const { limit, classes, iou, augmentation = false, batchSize } = options;
  const usual = config.test.augmentation ?? usualAugmentation;
  return {
    decode: {
      ...(limit === undefined ? {} : { limit }),
      ...(iou === undefined ? {} : { iouThreshold: iou }),
      ...(classes === undefined ? {} : { classes: classes.map((name) => labelOf(name, config.classes)) }),
    },
    ...(augmentation === false ? {} : { augmentation: augmentation === true ? usual : augmentation }),
    ...(batchSize === undefined ? {} : { batchSize }),
  };
}

function detectionsOf(found: Detections, classes: readonly string[], score: number): readonly Detection[] {
  const all = Array.from(found.scores, (own, i): Detection => {
    const [left = 0, top = 0, right = 0, bottom = 0] = found.boxes.subarray(4 * i, 4 * i + 4);
    const label = found.labels[i] ?? 0;
    return {
      label,
      className: classes[label] ?? `class ${label}`,
      score: own,
      box: { left, top, right, bottom },
    };
  });
  return all.filter((one) => one.score > score);
}

async function prepare(source: WeightsSource, options: LoadDetectorOptions, backend: Backend) {
  const label = nameOfPicture(source, 0).replace(/^picture 1$/, 'weights');
  const { detector, params, test } = await detectorIn(await bytesOf(source), {
    label,
    backend,
    config: options.config,
    preset: options.preset,
    classes: options.classes,
    test: options.size,
  });
  const { config } = detector;
  return { config, finder: await createFinder({ config, params, test, backend }) };
}

/** Runs one piece of work after the other, whatever becomes of them. */
function inTurn(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const next = last.then(work, work);
    last = next.catch(() => undefined);
    return next;
  };
}

function closedError(): LifetimeError {
  return new LifetimeError('predict(): needs an open detector, got one that was closed. Load it again.');
}

/**
 * The detector in a file of weights, ready for pictures of any size: they are resized and normalised as in its training.
 *
 * Throws   DatasetError when the file or a picture cannot be read, WeightsError, ConfigError, UnsupportedError
 * Example  const detector = await loadDetector('runs/train/best.safetensors', { backend: 'wasm', threads: 2 });
 *          for (const { className, score, box } of await detector.predict('street.jpg')) console.log(className, score, box);
 *          await detector.close();
 */
export async function loadDetector(
  source: WeightsSource,
  options: LoadDetectorOptions = {},
): Promise<LoadedPictureDetector> {
  const backend = await openBackend(options);
  const isOwn = options.backend === undefined || !isBackend(options.backend);
  const destroyOwn = async (): Promise<void> => {
    if (isOwn) await backend.destroy();
  };
  const { config, finder } = await prepare(source, options, backend).catch(async (error: unknown) => {
    await destroyOwn();
    throw error;
  });
  return pictureDetector(config, finder, destroyOwn);
}

function pictureDetector(
  config: DetectorConfig,
  finder: Finder,
  destroyBackend: () => Promise<void>,
): LoadedPictureDetector {
  const queue = inTurn();
  let isClosed = false;
  const predictBatch: LoadedPictureDetector['predictBatch'] = async (pictures, options = {}) => {
    if (isClosed) throw closedError();
    const find = findOptionsOf(options, config);
    const named = pictures.map(async (picture, index) => {
      const file = nameOfPicture(picture, index);
      return { file, pixels: await picturePixels(picture, file) };
    });
    const shown = await Promise.all(named);
    if (isClosed) throw closedError();
    const found = await queue(() => finder.find(shown, find));
    return found.map((one) => detectionsOf(one, config.classes, options.score ?? 0.5));
  };
  return {
    classes: config.classes,
    config,
    predictBatch,
    predict: async (picture, options) => (await predictBatch([picture], options))[0]!,
    close: async () => {
      if (isClosed) return;
      isClosed = true;
      await queue(async () => {
        finder.destroy();
        await destroyBackend();
      });
    },
  };
}
