// Whether two libraries' results are the same but for rounding.
import type { DetectorWork } from './detectorWork.ts';
import type { Values, Work } from './work.ts';

/** The results of some work, in the order that its kind says. */
export type Outputs = readonly ArrayLike<number>[];

/** Largest difference, as a share of the largest value of ours; sums of other orders differ by far less, wrong results by far more. */
const tolerance = 2e-3;

/**
 * Largest differences of what a training step of a detector changes, as shares of the change, both as Euclidean norms: of each
 * parameter, and of all together as one vector. The loss, its terms and the gradients' norm are held to `tolerance`.
 *
 * Depth amplifies rounding at the ReLUs: where one of millions of activations lies within rounding of 0, one library passes its gradient
 * on and the other does not. Behind such a place gradients agree to 1e-6 of their size, before it to 1e-2 at worst: it is one of a few
 * hundred locations that a filter's gradient is summed over. With four seeds ResNet-50 was off by 0.0005 to 0.01 in the worst parameter
 * and by up to 0.0025 in all; without its weight decay, the smallest part of a step, by 0.24 in the worst parameter.
 */
const [parameterTolerance, stepTolerance] = [3e-2, 1e-2];

const normOf = (values: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! ** 2;
  return Math.sqrt(sum);
};

/** a - b, element by element. */
const minus = (a: ArrayLike<number>, b: ArrayLike<number>): Float64Array =>
  Float64Array.from({ length: a.length }, (_, i) => a[i]! - b[i]!);

/** The largest difference of two results as a share of the largest value of the first. */
const difference = (ours: ArrayLike<number>, theirs: ArrayLike<number>): number => {
  let [largest, worst] = [0, 0];
  for (let i = 0; i < ours.length; i++) {
    const error = Math.abs(ours[i]! - theirs[i]!);
    if (!Number.isFinite(error)) return Number.POSITIVE_INFINITY;
    largest = Math.max(largest, Math.abs(ours[i]!));
    worst = Math.max(worst, error);
  }
  return largest === 0 ? worst : worst / largest;
};

const faultOfValues = (ours: Outputs, theirs: Outputs): string | undefined => {
  const worst = Math.max(...ours.map((values, k) => difference(values, theirs[k]!)));
  return worst <= tolerance ? undefined : `off by ${worst.toPrecision(2)} of the largest value`;
};

/** The parameters of a training step before it: their changes are compared, which are small beside them. */
const startOf = (work: Work): readonly Values[] => {
  if (work.kind === 'cnn') return [...work.filters, ...work.linear];
  return isTraining(work) ? trainedPaths(work).map((path) => work.params[path]!) : [];
};

const isTraining = (work: Work): work is DetectorWork =>
  work.kind === 'detector' && work.pass === 'training step';

const trainedPaths = ({ optimizer }: DetectorWork): string[] =>
  optimizer.groups.flatMap(({ paths }) => paths);

/** What is wrong with their changes of parameters, each and all together. */
const faultOfChanges = (work: DetectorWork, ours: Outputs, theirs: Outputs): string | undefined => {
  const paths = trainedPaths(work);
  const errors = ours.map((change, k) => ({
    path: paths[k]!,
    error: normOf(minus(change, theirs[k]!)),
    size: normOf(change),
    // a change is known to the rounding of its parameter only: each library's is within 2^-24 of it
    resolution: 2 * 2 ** -24 * normOf(work.params[paths[k]!]!.data),
  }));
  const wrong = errors.find(
    ({ error, size, resolution }) => !(error <= parameterTolerance * size + resolution),
  );
  const share = ({ error, size }: { error: number; size: number }): string => (error / size).toPrecision(2);
  if (wrong !== undefined) return `off by ${share(wrong)} of the change of ${wrong.path}`;
  const error = Math.hypot(...errors.map((each) => each.error));
  const size = Math.hypot(...errors.map((each) => each.size));
  const resolution = Math.hypot(...errors.map((each) => each.resolution));
  const isRight = error <= stepTolerance * size + resolution;
  return isRight ? undefined : `off by ${share({ error, size })} of the change of all parameters`;
};

/** How their results differ from ours by more than rounding explains, if they do. */
export const faultOf = (work: Work, ours: Outputs, theirs: Outputs): string | undefined => {
  if (ours.map(({ length }) => length).join() !== theirs.map(({ length }) => length).join())
    return `has results of ${theirs.length} parts, or of other sizes`;
  const start = startOf(work);
  const kept = ours.length - start.length;
  const changes = (outputs: Outputs): Outputs =>
    outputs.slice(kept).map((values, i) => minus(values, start[i]!.data));
  const fault = faultOfValues(ours.slice(0, kept), theirs.slice(0, kept));
  if (fault !== undefined || start.length === 0) return fault;
  return isTraining(work)
    ? faultOfChanges(work, changes(ours), changes(theirs))
    : faultOfValues(changes(ours), changes(theirs));
};
