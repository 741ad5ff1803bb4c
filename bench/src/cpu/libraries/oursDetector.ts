// Our engine at the detector: its loss, its forward pass, its training step.
import { valueAndGrad } from '@autoassign/autograd';
import type { Points, Predictions, Prior, Targets } from '@autoassign/detector';
import { autoAssignLoss } from '@autoassign/detector';
import type { Backend, Tensor, Tree } from '@autoassign/tensor';
import { compile, evaluate, leaves, read, release, tensor } from '@autoassign/tensor';
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

/** Work that keeps its last results until the next run. */
const prepared = (run: () => Promise<Tree>, end: () => void): Prepared => {
  let last: Tree = [];
  return {
    run: async () => {
      release(last);
      last = await run();
    },
    outputs: () => Promise.all(leaves(last).map(read)),
    free: () => {
      release(last);
      end();
    },
  };
};

type Inputs = { readonly predictions: Predictions; readonly prior: Prior };

/** The loss, its terms, and with the backward pass the gradients of all inputs. */
export const prepareLoss = async (backend: Backend, work: LossWork): Promise<Prepared> => {
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
  const { inputs, targets } = await evaluate({ inputs: given, targets: targetsOf(work.objects) }, { backend });
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
  const compiled = compile(work.pass === 'forward' ? lossOf : withGradients, { backend, strict: true });
  return prepared(
    () => compiled(inputs, targets),
    () => {
      compiled.destroy();
      release({ inputs, targets });
    },
  );
};

/** The detector's work made ready. */
export const prepareOfDetector = (backend: Backend, work: LossWork | DetectorWork): Promise<Prepared> =>
  work.kind === 'loss' ? prepareLoss(backend, work) : Promise.reject(new Error('not yet'));
