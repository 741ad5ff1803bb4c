// What types do not catch: wrong values in trees, destroyed things, memory that runs out. Errors, never wrong numbers.
import { describe, expect, test } from 'vitest';
import type { Tensor, Tree } from '../src/index.ts';
import {
  add,
  compile,
  createBackend,
  evaluate,
  full,
  leaves,
  matmul,
  mul,
  read,
  release,
  sum,
  tensor,
} from '../src/index.ts';
import { backends } from './backends.ts';
import { failureOf, numbers } from './outcomes.ts';

describe.each(backends)('misuse that types do not catch, on $name', ({ make }) => {
  test('trees of different structure with equal leaves are different signatures', async () => {
    const backend = await make();
    const count = compile((tree: Tree) => add(leaves(tree)[0]!, Object.keys(tree).length), { backend });
    const [a, b] = [tensor([1]), tensor([5])];
    expect(await numbers(await count({ a }))).toEqual([2]);
    expect(await numbers(await count({ a, b: {} }))).toEqual([3]);
    expect(await numbers(await count([a]))).toEqual([2]);
    expect(await numbers(await count({ 'a.b': b }))).toEqual([6]);
    expect(await numbers(await count({ a: { b } }))).toEqual([6]);
    await backend.destroy();
  });

  test('values that are not tensors are refused in one sentence', async () => {
    const backend = await make();
    const f = compile((tree: Tree) => tree, { backend });
    for (const [value, got] of [
      [5, '5'],
      ['text', 'text'],
      [null, 'null'],
      [new Float32Array(2), 'a Float32Array'],
      [Promise.resolve(), 'a Promise'],
    ] as const) {
      const misuse = { n: value } as unknown as Tree;
      expect((await failureOf(() => f(misuse))).message).toContain('tree(n): needs tensors');
      expect((await failureOf(() => f(misuse))).message).toContain(`got ${got}.`);
    }
    await backend.destroy();
  });

  test('a tensor does not follow later changes of the array it was made of', async () => {
    const backend = await make();
    const data = Float32Array.of(1, 2);
    const x = tensor(data);
    data[0] = 9;
    expect(await numbers(await evaluate(x, { backend }))).toEqual([1, 2]);
    await backend.destroy();
  });

  test('destroying a function while a call is under way does not change its result', async () => {
    const backend = await make();
    const f = compile((x: Tensor) => mul(x, tensor([10, 10])), { backend });
    release(await f(tensor([1, 1])));
    const call = f(tensor([3, 3]));
    f.destroy();
    expect(await numbers(await call)).toEqual([30, 30]);
    expect(await numbers(await f(tensor([4, 4])))).toEqual([40, 40]);
    await backend.destroy();
  });

  test('a destroyed backend refuses everything', async () => {
    const backend = await make();
    const x = await evaluate(tensor([1]), { backend });
    const f = compile((a: Tensor) => add(a, 1), { backend });
    await f(x);
    await backend.destroy();
    for (const use of [() => read(x), () => f(x), () => evaluate(add(x, 1), { backend })])
      expect((await failureOf(use)).message).toMatch(/destroyed/);
  });
});

test('running out of memory loses no tensor and no memory', async () => {
  const backend = await createBackend('wasm');
  const chain = (): Tensor => matmul(full([64, 64], 1), matmul(full([64, 64], 1), full([64, 64], 2)));
  await evaluate(sum(chain()), { backend });
  const tooLarge = (): Tensor => sum(matmul(full([40_000, 1], 1), full([1, 40_000], 1)));
  for (let i = 0; i < 20; i++)
    expect((await failureOf(() => evaluate(tooLarge(), { backend }))).message).toMatch(/MiB/);
  const x = await evaluate(full([4096], 7), { backend });
  for (let i = 0; i < 2; i++) await evaluate(sum(chain()), { backend });
  expect((await numbers(x)).every((value) => value === 7)).toBe(true);
  await backend.destroy();
});
