// Elementwise ops, reductions, normalisation and the matrix product at sizes of a small detector.
import type { Backend, Tensor } from '@autoassign/tensor';
import {
  add,
  compile,
  evaluate,
  exp,
  groupNorm,
  key,
  log,
  matmul,
  ones,
  release,
  relu,
  sigmoid,
  sum,
  transpose,
  uniform,
  zeros,
} from '@autoassign/tensor';
import type { Task } from '../measure.ts';

const elements = 4 * 32 * 32 * 32;

const cases: readonly { name: string; flops?: number; fn: (x: Tensor) => Tensor }[] = [
  { name: 'add', fn: (x) => add(x, x) },
  { name: 'relu', fn: relu },
  { name: 'exp', fn: exp },
  { name: 'log', fn: log },
  { name: 'sigmoid', fn: sigmoid },
  { name: 'sum over pixels', fn: (x) => sum(x, [2, 3]) },
  { name: 'sum over images and pixels', fn: (x) => sum(x, [0, 2, 3]) },
  { name: 'transpose to channels last', fn: (x) => transpose(x, [0, 2, 3, 1]) },
  {
    name: 'group norm and relu',
    fn: (x) => relu(groupNorm(x, { weight: ones([32]), bias: zeros([32]) }, { groups: 4 })),
  },
];

/** The tasks of the suite on a backend. */
export const opTasks = async (backend: Backend, seed: number): Promise<Task[]> => {
  const image = await evaluate(uniform(key(seed), [4, 32, 32, 32]), { backend });
  const pointwise = cases.map(({ name, fn }): Task => {
    const compiled = compile(fn, { backend, strict: true });
    return { name: `${name}, ${elements} elements`, run: async () => release(await compiled(image)) };
  });
  const products = await Promise.all(
    [256, 512, 1024].map(async (n): Promise<Task> => {
      const square = await evaluate(uniform(key(seed + n), [n, n]), { backend });
      const compiled = compile((x: Tensor) => matmul(x, x), { backend, strict: true });
      return { name: `matmul ${n}`, flops: 2 * n ** 3, run: async () => release(await compiled(square)) };
    }),
  );
  return [...pointwise, ...products];
};
