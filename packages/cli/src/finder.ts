// Looking at pictures with a detector, whatever their sizes: batches of one padded size, once or at several sizes and in mirrors.
import type { Dataset, ImageRecord, ImageSize, Sample, TransformStep } from '@autoassign/datasets';
import { batches, paddedSize } from '@autoassign/datasets';
import type {
  DecodeOptions,
  Detections,
  DetectorConfig,
  Params,
  TestAugmentation,
} from '@autoassign/detector';
import { createPredictor } from '@autoassign/detector';
import type { Backend } from '@autoassign/tensor';
import { evaluate, release } from '@autoassign/tensor';
import type { NamedPicture } from './augmented.ts';
import { predictAugmented } from './augmented.ts';
import { fittedSize } from './fittedSize.ts';
import { fittingStep } from './imagePlan.ts';
import type { TestSize } from './runConfig.ts';

/** What looks at pictures: a network with its parameters, and the size that its pictures have. */
export interface FinderParts {
  readonly config: DetectorConfig;
  readonly params: Params;
  readonly test: TestSize;
  readonly backend: Backend;
}

/** How pictures are looked at. */
export interface FindOptions {
  readonly decode?: DecodeOptions;
  /** Looks at every picture several times; once when left out. */
  readonly augmentation?: TestAugmentation | undefined;
  /** The most pictures in one run of the network; 1 by default. */
  readonly batchSize?: number;
}

/** A detector that is ready. */
export interface Finder {
  /**
   * What is in the pictures, in their order, each by descending score; pictures of one padded size go through the network together.
   *
   * Units    boxes in pixels of the pictures
   */
  find(pictures: readonly NamedPicture[], options?: FindOptions): Promise<readonly Detections[]>;
  /** Frees the parameters and programs; the backend stays. */
  destroy(): void;
}

/** Pictures may have any size, and every padded size is a program. */
const mostPaddedSizes = 1024;

/** Pictures as a dataset, so that they take the same way into the network as those of any other. */
function datasetOf(pictures: readonly NamedPicture[], classes: readonly string[]): Dataset {
  const records = pictures.map(({ file, pixels: { width, height } }, index): ImageRecord => {
    return { id: index + 1, file, width, height, annotations: [] };
  });
  const at = (index: number): Promise<Sample> =>
    Promise.resolve({ ...records[index]!, pixels: pictures[index]!.pixels });
  const images = records.length;
  return {
    name: 'pictures',
    format: 'made',
    length: images,
    classes,
    categoryIds: classes.map((_, label) => label + 1),
    report: { images, objects: 0, crowds: 0, imagesWithoutObjects: images, problems: [], problemCounts: {} },
    record: (index) => records[index]!,
    at,
    async *[Symbol.asyncIterator]() {
      for (let index = 0; index < images; index += 1) yield await at(index);
    },
  };
}

/** Positions in groups of one key, at most `most` to a group; sizes of groups are powers of two, since every size is a program. */
export function groupedBy(keys: readonly string[], most: number): readonly (readonly number[])[] {
  const places = new Map<string, number[]>();
  for (const [index, key] of keys.entries()) places.set(key, [...(places.get(key) ?? []), index]);
  const groups: number[][] = [];
  for (const indices of places.values()) {
    for (let from = 0; from < indices.length; ) {
      const size = 2 ** Math.floor(Math.log2(Math.min(most, indices.length - from)));
      groups.push(indices.slice(from, from + size));
      from += size;
    }
  }
  return groups;
}

function paddedKey(size: ImageSize, { input }: DetectorConfig): string {
  const { width, height } = paddedSize(size, input.padMultiple);
  return `${width}x${height}`;
}

/** A finder; the parameters are copied to the backend once. */
export async function createFinder({ config, params, test, backend }: FinderParts): Promise<Finder> {
  const predictor = createPredictor(config, { backend, maxTraces: mostPaddedSizes });
  const placed = await evaluate(params, { backend });

  /** Looks at pictures of one padded size together, after the steps. */
  const look = async (
    pictures: readonly NamedPicture[],
    steps: readonly TransformStep[],
    decode: DecodeOptions,
  ): Promise<readonly Detections[]> => {
    const { padMultiple, ...normalization } = config.input;
    const stream = batches(datasetOf(pictures, config.classes), {
      batchSize: pictures.length,
      purpose: 'evaluate',
      workers: 0,
      normalization,
      padMultiple,
      steps,
    });
    const found: Detections[] = [];
    for await (const batch of stream) found.push(...(await predictor.predictBatch(placed, batch, decode)));
    return found;
  };

  return {
    find: async (pictures, { decode = {}, augmentation, batchSize = 1 } = {}) => {
      const found: Detections[] = [];
      if (augmentation !== undefined) {
        const several = { augmentation, config, test, decode };
        for (const picture of pictures)
          found.push(await predictAugmented(picture, several, (samples) => look(samples, [], decode)));
        return found;
      }
      const keys = pictures.map(({ pixels }) => paddedKey(fittedSize(pixels, test), config));
      for (const group of groupedBy(keys, batchSize)) {
        const seen = await look(
          group.map((index) => pictures[index]!),
          [fittingStep(test)],
          decode,
        );
        group.forEach((index, i) => {
          found[index] = seen[i]!;
        });
      }
      return found;
    },
    destroy: () => {
      predictor.destroy();
      release(placed);
    },
  };
}
