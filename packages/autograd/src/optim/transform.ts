// What an optimiser is: pure functions from gradients to updates, with state as a tree of tensors that can be donated and saved.
import type { Tensor, TensorLike, Tree } from '@autoassign/tensor';
import { add, leavesWithPaths, mapTrees } from '@autoassign/tensor';

/** What one update of an optimiser sees. */
export interface UpdateRequest<Params extends Tree, State extends Tree> {
  /** Gradients in the structure of the parameters. */
  readonly grads: Params;
  readonly state: State;
  readonly params: Params;
  /** The learning rate of this step: a scalar argument of a compiled step, so that a schedule does not retrace it. */
  readonly rate: TensorLike;
}

/** What one update gives: what to add to the parameters, and the state for the next one. */
export type Update<Params extends Tree, State extends Tree> = {
  readonly updates: Params;
  readonly state: State;
};

/** An optimiser, or a step of one: how gradients become updates. */
export interface Transform<State extends Tree = Tree> {
  /** The state before the first update. */
  init(params: Tree): State;
  update<Params extends Tree>(request: UpdateRequest<Params, State>): Update<Params, State>;
}

/** A number for every parameter, or one by its path such as `head.0.weight`. */
export type ByPath = number | ((path: string) => number);

/** The number for a path. */
export const atPath = (value: ByPath, path: string): number =>
  typeof value === 'number' ? value : value(path);

/** The tree `first` with every leaf replaced by `f(path, leaf, leaves of the others at that path)`. */
export const mapWithPaths = <T extends Tree>(
  f: (path: string, leaf: Tensor, ...others: readonly Tensor[]) => Tensor,
  first: T,
  ...others: readonly Tree[]
): T => {
  const paths = leavesWithPaths(first).map(([path]) => path);
  let next = 0;
  return mapTrees((leaf, ...rest) => f(paths[next++]!, leaf!, ...rest), first, ...others);
};

/**
 * The transforms one after the other: the updates of each are the gradients of the next.
 *
 * Example  const optimizer = chain(clipByGlobalNorm(35), sgd({ momentum: 0.9 }));
 */
export const chain = (...transforms: readonly Transform[]): Transform<readonly Tree[]> => ({
  init: (params) => transforms.map((transform) => transform.init(params)),
  update: ({ grads, state, params, rate }) => {
    let updates = grads;
    const next = transforms.map((transform, i) => {
      const result = transform.update({ grads: updates, state: state[i]!, params, rate });
      updates = result.updates;
      return result.state;
    });
    return { updates, state: next };
  },
});

/** The parameters after an update: their sums with the updates. */
export const applyUpdates = <Params extends Tree>(params: Params, updates: Params): Params =>
  mapTrees((p, update) => add(p!, update!), params, updates);
