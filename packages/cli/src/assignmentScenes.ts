// Which objects a run shows the label assignment of, and how their locations were weighted by the trained detector.
import type { Annotation, Batch, Dataset } from '@autoassign/datasets';
import { isTrainable } from '@autoassign/datasets';
import type { AssignedWeights, BatchTensors, Detector, Params, Prior } from '@autoassign/detector';
import { assignedWeights, batchTensors, featureLevels, weighingPrior } from '@autoassign/detector';
import type { Backend, Compiled, Data } from '@autoassign/tensor';
import { compile, read, release } from '@autoassign/tensor';
import type { AssignmentScene, LevelWeights } from './assignmentPicture.ts';
import { datasetPart } from './datasetPart.ts';
import { evaluationBatches, fitted } from './imagePlan.ts';
import type { TestSize } from './runConfig.ts';

/** The detector, where it runs and the images to choose objects from. */
export interface AssignmentRequest {
  readonly detector: Detector;
  readonly params: Params;
  readonly backend: Backend;
  readonly dataset: Dataset;
  readonly test: TestSize;
}

const mostObjects = 8;
const imagesSearched = 200;

/** An object by its image's position in the dataset and its number among the image's trainable objects. */
interface ChosenObject {
  readonly position: number;
  readonly number: number;
  readonly object: Annotation;
}

/** One object of every class, of middling size for its class, for the first few classes. */
function chooseObjects(dataset: Dataset): readonly ChosenObject[] {
  const byLabel = new Map<number, ChosenObject[]>();
  for (let position = 0; position < Math.min(dataset.length, imagesSearched); position += 1) {
    const objects = dataset.record(position).annotations.filter(isTrainable);
    objects.forEach((object, number) => {
      byLabel.set(object.label, [...(byLabel.get(object.label) ?? []), { position, number, object }]);
    });
  }
  return [...byLabel]
    .sort(([a], [b]) => a - b)
    .slice(0, mostObjects)
    .flatMap(([, ofClass]) => {
      const bySize = ofClass.sort((a, b) => a.object.area - b.object.area);
      return bySize[Math.floor(bySize.length / 2)] ?? [];
    });
}

/** Cuts the weights of all locations into the levels they belong to. */
function perLevel(
  weights: Float32Array,
  levels: readonly { readonly height: number; readonly width: number; readonly stride: number }[],
): readonly LevelWeights[] {
  let start = 0;
  return levels.map(({ height, width, stride }) => {
    const from = start;
    start += height * width;
    return { stride, rows: height, columns: width, weights: weights.subarray(from, start) };
  });
}

/** Row `label` of a prior's array f32[K,2]. */
function pairAt(values: Data, label: number): readonly [number, number] {
  return [values[2 * label] ?? 0, values[2 * label + 1] ?? 0];
}

/** The prior of a class in numbers. */
async function priorOf(
  { mean, sigma }: Prior,
  label: number,
): Promise<NonNullable<AssignmentScene['prior']>> {
  return { mean: pairAt(await read(mean), label), sigma: pairAt(await read(sigma), label) };
}

/** The batch of one image, objects included. */
async function batchOf({ detector, dataset, test }: AssignmentRequest, position: number): Promise<Batch> {
  const image = datasetPart(dataset, [position], 'one image');
  for await (const batch of evaluationBatches(image, { detector: detector.config, test }, 1)) return batch;
  throw new Error(
    `batchOf(${dataset.name}): needs an image at ${position}, got none. Choose another position.`,
  );
}

/** The weights of all objects of a batch, as one program for all images of a size. */
type Weigh = Compiled<[params: Params, batch: BatchTensors], AssignedWeights>;

function compileWeighing({ detector, backend }: AssignmentRequest): Weigh {
  const weigh = (params: Params, { images, ...targets }: BatchTensors): AssignedWeights => {
    const { points, ...predictions } = detector.forward(params, images);
    const levels = featureLevels(detector.config, images.shape[2]!, images.shape[3]!);
    return assignedWeights(detector.config.loss)(predictions, targets, { ...points, levels }, params);
  };
  return compile(weigh, { backend, maxTraces: 2 * mostObjects });
}

async function sceneOf(
  request: AssignmentRequest,
  weigh: Weigh,
  { position, number, object }: ChosenObject,
): Promise<AssignmentScene> {
  const { detector, params, dataset, test } = request;
  const { config } = detector;
  const batch = await batchOf(request, position);
  const weighted = await weigh(params, batchTensors(batch));
  const weights = await read(weighted.positiveWeights); // [1,R,M]
  const confidence = await read(weighted.objectConfidence); // [1,M]
  release(weighted);
  const ofObject = Float32Array.from(
    { length: weights.length / batch.objects },
    (_, location) => weights[location * batch.objects + number] ?? 0,
  );
  const sample = fitted(await dataset.at(position), test);
  const [, , height, width] = batch.imageShape;
  const prior = weighingPrior(config.loss, params);
  return {
    image: sample.pixels,
    box: sample.annotations.filter(isTrainable)[number]?.box ?? object.box,
    label: object.label,
    className: config.classes[object.label] ?? `class ${object.label}`,
    confidence: confidence[number] ?? 0,
    levels: perLevel(ofObject, featureLevels(config, height, width)),
    ...(prior === undefined ? {} : { prior: await priorOf(prior, object.label) }),
  };
}

/** The assignment of one object per class, for the first eight classes that have one. */
export async function assignmentScenes(request: AssignmentRequest): Promise<readonly AssignmentScene[]> {
  const weigh = compileWeighing(request);
  const scenes: AssignmentScene[] = [];
  for (const chosen of chooseObjects(request.dataset)) scenes.push(await sceneOf(request, weigh, chosen));
  weigh.destroy();
  return scenes;
}
