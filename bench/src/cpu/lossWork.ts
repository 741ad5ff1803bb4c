// The AutoAssign loss as work: its case as plain numbers, forward and with gradients.
import type { Targets } from '@autoassign/detector';
import type { Tensor } from '@autoassign/tensor';
import { createBackend, evaluate, read } from '@autoassign/tensor';
import { lossCase } from '../suites/lossCase.ts';
import type { LossWork, ObjectValues } from './detectorWork.ts';
import type { Values } from './work.ts';

/** An evaluated or constant f32 tensor as plain numbers. */
export const valuesOf = async (t: Tensor): Promise<Values> => ({
  shape: t.shape,
  data: (await read(t)) as Float32Array,
});

/** The rows of an [N,M] array. */
const rowsOf = ({ shape }: Tensor, data: ArrayLike<number>): number[][] =>
  Array.from({ length: shape[0]! }, (_, n) => Array.from(data).slice(n * shape[1]!, (n + 1) * shape[1]!));

/** Objects as plain numbers. */
export const objectsOf = async ({ boxes, labels, valid }: Targets): Promise<ObjectValues> => ({
  boxes: await valuesOf(boxes),
  labels: rowsOf(labels, await read(labels)),
  valid: rowsOf(valid, await read(valid)),
});

/** The two passes, and the total that the published implementation gives where that is known. */
export interface NamedLossWork {
  readonly works: readonly { readonly name: string; readonly work: LossWork }[];
  readonly total?: number;
}

/** The loss of the case that `lossCase` chooses. */
export const lossWork = async (seed: number): Promise<NamedLossWork> => {
  const { name, total, points, ...given } = lossCase(seed);
  const backend = await createBackend('wasm');
  const { inputs, targets } = await evaluate({ inputs: given.inputs, targets: given.targets }, { backend });
  const { predictions, prior } = inputs;
  const data = {
    logits: await valuesOf(predictions.logits),
    objectness: await valuesOf(predictions.objectness),
    distances: await valuesOf(predictions.distances),
    mean: await valuesOf(prior.mean),
    sigma: await valuesOf(prior.sigma),
    locations: await valuesOf(points.locations),
    strides: await valuesOf(points.strides),
    objects: await objectsOf(targets),
  };
  await backend.destroy();
  const works = (['forward', 'forward and backward'] as const).map((pass) => ({
    name: `AutoAssign loss ${pass}, ${name}`,
    work: { kind: 'loss', pass, ...data } as const,
  }));
  return total === undefined ? { works } : { works, total };
};
