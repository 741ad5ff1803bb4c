// Everything that is wrong with a dataset: what opening it found, boxes that reach beyond their pictures, pictures that cannot be used.
import { DatasetError, oneLine } from './errors.ts';
import { pictureFailureKind } from './pictureFailure.ts';
import type { Annotation, Dataset, ImageRecord, Problem } from './types.ts';

/** How thoroughly to check, and what to call meanwhile. */
export interface CheckOptions {
  /** Whether every picture is decoded; true unless told otherwise. */
  readonly decode?: boolean;
  /** Called after each picture with the number of pictures done and to do. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Stops the check. */
  readonly signal?: AbortSignal;
}

/** Boxes may end this far outside: annotation tools that count pixels from 0 or from 1 differ by as much. */
const tolerancePx = 1;
/** Pictures that are read and decoded at the same time. */
const picturesInFlight = 4;

/**
 * Every problem of a dataset: those that opening it listed, then picture by picture in order.
 *
 * Throws   the reason of the signal when it fires
 * Example  for await (const problem of checkDataset(dataset)) console.log(problem.message)
 */
export async function* checkDataset(
  dataset: Dataset,
  { decode = true, onProgress, signal }: CheckOptions = {},
): AsyncGenerator<Problem, void, undefined> {
  yield* dataset.report.problems;
  const known = new Set(dataset.report.problems.map(keyOfObject));
  const inFlight: Promise<Problem | undefined>[] = [];
  for (let index = 0; index < dataset.length; index++) {
    signal?.throwIfAborted();
    while (decode && inFlight.length < picturesInFlight && index + inFlight.length < dataset.length)
      inFlight.push(pictureProblem(dataset, index + inFlight.length));
    const record = dataset.record(index);
    for (const problem of boxProblems(dataset, record)) if (!known.has(keyOfObject(problem))) yield problem;
    const problem = await inFlight.shift();
    if (problem !== undefined) yield problem;
    onProgress?.(index + 1, dataset.length);
  }
}

const keyOfObject = ({ kind, image, annotationId }: Problem): string =>
  JSON.stringify([kind, image, annotationId]);

const boxProblems = (dataset: Dataset, record: ImageRecord): Problem[] =>
  record.annotations.flatMap((annotation, place) =>
    reachesBeyond(annotation, record) ? [beyondProblem(dataset, record, place)] : [],
  );

const reachesBeyond = ({ box: [x1, y1, x2, y2] }: Annotation, { width, height }: ImageRecord): boolean =>
  x1 < -tolerancePx || y1 < -tolerancePx || x2 > width + tolerancePx || y2 > height + tolerancePx;

const beyondProblem = (dataset: Dataset, record: ImageRecord, place: number): Problem => {
  const { file, width, height, annotations } = record;
  const { id, box, label } = annotations[place]!;
  const name = `object ${place + 1} (${dataset.classes[label]})`;
  return {
    kind: 'box beyond the picture',
    file,
    place: name,
    image: file,
    annotationId: id,
    message: `checkDataset(${file}): needs boxes that end at most ${tolerancePx} px outside the picture of ${width}x${height}, got the corners [${box.join(', ')}] for ${name}. Correct the box, or the size of the picture.`,
  };
};

const pictureProblem = async (dataset: Dataset, index: number): Promise<Problem | undefined> => {
  try {
    await dataset.at(index);
    return undefined;
  } catch (error) {
    const image = dataset.record(index).file;
    const file = (error instanceof DatasetError ? error.file : undefined) ?? image;
    return { kind: pictureFailureKind(error), file, image, message: oneLine(error) };
  }
};
