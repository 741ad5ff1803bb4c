// Our engine at the detector: its loss, its forward pass, its training step.
import type { Transform } from '@autoassign/autograd';
import { adamw, sgd, valueAndGrad } from '@autoassign/autograd';
import type {
  BatchTensors,
  Params,
  Points,
  Predictions,
  Prior,
  Targets,
  TrainState,
} from '@autoassign/detector';
import { autoAssignLoss, createDetector, initialState, trainedParams, trainStep } from '@autoassign/detector';
import type { Compiled, CompileOptions, Data, StepProfile, Tensor, Tree } from '@autoassign/tensor';
import { compile, evaluate, read, release, scalar, sizeOf, tensor } from '@autoassign/tensor';
import type { DetectorWork, LossWork, ObjectValues } from '../detectorWork.ts';
import type { Prepared } from '../library.ts';
import type { Values } from '../work.ts';

const constant = ({ shape, data }: Values): Tensor => tensor(data, { shape });

const targetsOf = ({ boxes, labels, valid }: ObjectValues): Targets => {
  const shape = boxes.shape.slice(0, 2);
  return {
    boxes: constant(boxes),
    labels: tensor(Int32Array.from(labels.flat()), { shape }),
    valid: tensor(Uint8Array.from(valid.flat()), { shape }),
  };
};

/** What our work is compiled with. */
export type Engine = Pick<CompileOptions, 'backend' | 'profile'>;

/** Work made ready in our engine, which can tell where its time goes if it was compiled to. */
export interface ProfiledWork extends Prepared {
  readonly profile: () => readonly StepProfile[];
}

/** A compiled function and its arguments as work that keeps its last results until the next run. */
const prepared = <Arguments extends readonly Tree[]>(
  compiled: Compiled<Arguments, Tensor[]>,
  ...args: Arguments
): ProfiledWork => {
  let last: Tensor[] = [];
  return {
    run: async () => {
      release(last);
      last = await compiled(...args);
    },
    outputs: () => Promise.all(last.map(read)),
    profile: () => compiled.profile(),
    free: () => {
      release([last, ...args]);
      compiled.destroy();
    },
  };
};

type Inputs = { readonly predictions: Predictions; readonly prior: Prior };

/** The loss, its terms, and with the backward pass the gradients of all inputs. */
export const prepareLoss = async (engine: Engine, work: LossWork): Promise<ProfiledWork> => {
  const { logits, objectness, distances, mean, sigma } = work;
  const points: Points = { locations: constant(work.locations), strides: constant(work.strides) };
  const given: Inputs = {
    predictions: {
      logits: constant(logits),
      objectness: constant(objectness),
      distances: constant(distances),
    },
    prior: { mean: constant(mean), sigma: constant(sigma) },
  };
  const { inputs, targets } = await evaluate({ inputs: given, targets: targetsOf(work.objects) }, engine);
  const lossOf = ({ predictions, prior }: Inputs, objects: Targets): Tensor[] => {
    const { total, positive, negative, center } = autoAssignLoss(predictions, objects, prior, points);
    return [total, positive, negative, center];
  };
  const withGradients = (x: Inputs, objects: Targets): Tensor[] => {
    const terms = (at: Inputs): { value: Tensor; aux: Tensor[] } => {
      const aux = lossOf(at, objects);
      return { value: aux[0]!, aux };
    };
    const { aux, grad } = valueAndGrad(terms, { hasAux: true })(x);
    const { predictions, prior } = grad;
    return [
      ...aux,
      ...[predictions.logits, predictions.objectness, predictions.distances],
      ...[prior.mean, prior.sigma],
    ];
  };
  const compiled = compile(work.pass === 'forward' ? lossOf : withGradients, { ...engine, strict: true });
  return prepared(compiled, inputs, targets);
};

/** A tree of parameters from their paths: numbers are places in lists. */
const treeOf = (entries: readonly (readonly [path: readonly string[], leaf: Tensor])[]): Tree => {
  const [first] = entries;
  if (first !== undefined && first[0].length === 0) return first[1];
  const names = [...new Set(entries.map(([path]) => path[0]!))];
  const parts = names.map((name) =>
    treeOf(
      entries.filter(([path]) => path[0] === name).map(([path, leaf]) => [path.slice(1), leaf] as const),
    ),
  );
  return names.every((name) => /^\d+$/.test(name))
    ? parts
    : Object.fromEntries(names.map((name, i) => [name, parts[i]!]));
};

/** The parameters of the work as a tree of constants. */
export const paramsOf = ({ params }: Pick<DetectorWork, 'params'>): Params =>
  treeOf(Object.entries(params).map(([path, values]) => [path.split('.'), constant(values)])) as Params;

/** The optimiser of the work. */
const optimizerOf = ({ optimizer }: DetectorWork): Transform => {
  const groups = new Map(optimizer.groups.flatMap((group) => group.paths.map((path) => [path, group])));
  const options = {
    weightDecay: (path: string) => groups.get(path)!.weightDecay,
    rateScale: (path: string) => groups.get(path)!.rateScale,
  };
  return optimizer.kind === 'sgd' ? sgd({ ...options, momentum: optimizer.momentum }) : adamw(options);
};

/** The state before the first step, AdamW's as after its given steps. */
const stateOf = async (work: DetectorWork, transform: Transform): Promise<TrainState> => {
  const { config, optimizer } = work;
  const state = await initialState(config, paramsOf(work), transform);
  if (optimizer.kind === 'sgd') return state;
  const past: Tree = {
    ...(state.optimizer as { readonly [name: string]: Tree }),
    meanSquare: Object.fromEntries(
      Object.entries(trainedParams(config, state.params)).map(([path, { shape }]) => [
        path,
        tensor(new Float32Array(sizeOf(shape)).fill(optimizer.meanSquare), { shape }),
      ]),
    ),
    meanWeight: scalar(1 - 0.9 ** optimizer.steps),
    squareWeight: scalar(1 - 0.999 ** optimizer.steps),
  };
  return { ...state, optimizer: past };
};

/** The images and objects of the work as tensors. */
const batchOf = ({ images, objects }: DetectorWork): BatchTensors => ({
  images: constant(images),
  ...targetsOf(objects),
});

/** Training steps one after the other; results are the loss, its terms, the gradients' norm, every trained parameter. */
const prepareTraining = async (engine: Engine, work: DetectorWork): Promise<ProfiledWork> => {
  const { config, optimizer } = work;
  const transform = optimizerOf(work);
  const step = trainStep({ config, optimizer: transform, ...engine });
  const batch = await evaluate(batchOf(work), engine);
  let state = await evaluate(await stateOf(work, transform), engine);
  let told: Tensor[] = [];
  return {
    run: async () => {
      release(told);
      const { losses, gradientNorm, state: next } = await step(state, batch, scalar(optimizer.rate));
      state = next;
      told = [losses.total, ...Object.values(losses.terms), gradientNorm];
    },
    outputs: async () => {
      const trained = trainedParams(config, state.params);
      const paths = optimizer.groups.flatMap((group) => group.paths);
      const values: Data[] = [];
      for (const t of [...told, ...paths.map((path) => trained[path]!)]) values.push(await read(t));
      return values;
    },
    profile: () => step.profile(),
    free: () => {
      release([told, state, batch]);
      step.destroy();
    },
  };
};

/** The forward pass; results are logits, objectness and distances. */
const prepareForward = async (engine: Engine, work: DetectorWork): Promise<ProfiledWork> => {
  const { forward } = createDetector(work.config);
  const predictions = (params: Params, images: Tensor): Tensor[] => {
    const { logits, objectness, distances } = forward(params, images);
    return [logits, objectness, distances];
  };
  // as `createPredictor` does: the images are uploaded for every run and given away, the parameters stay
  const compiled = compile(predictions, { ...engine, donate: [1], strict: true });
  return prepared(compiled, await evaluate(paramsOf(work), engine), constant(work.images));
};

/** The loss or the detector made ready. */
export const prepareOfDetector = (engine: Engine, work: LossWork | DetectorWork): Promise<ProfiledWork> => {
  if (work.kind === 'loss') return prepareLoss(engine, work);
  return work.pass === 'forward' ? prepareForward(engine, work) : prepareTraining(engine, work);
};
