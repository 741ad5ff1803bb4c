// Every way in which running a graph could surprise its user, and the guard that prevents it.
import { describe, expect, test } from 'vitest';
import type { Primitive, Tensor } from '../src/index.ts';
import {
  add,
  apply,
  compile,
  conv2d,
  createBackend,
  evaluate,
  LifetimeError,
  leavesWithPaths,
  log,
  matmul,
  mul,
  NotFiniteError,
  named,
  neg,
  RetraceError,
  read,
  release,
  reshape,
  scalar,
  sub,
  sum,
  tensor,
  UnsupportedError,
} from '../src/index.ts';
import { maxDepth } from '../src/tensor.ts';
import { backends } from './backends.ts';
import { failureOf, numbers } from './outcomes.ts';

describe('1. unbounded graphs', () => {
  test('a chain that nobody evaluates throws before memory runs out, naming its oldest builder', async () => {
    const error = await failureOf(() => {
      let total = named(add(scalar(0), 1), 'metrics.loss');
      for (let i = 0; i <= maxDepth; i++) total = add(total, 1);
    });
    expect(error).toBeInstanceOf(LifetimeError);
    expect(error.message).toMatch(/metrics\.loss.*Evaluate/s);
  });

  test('results of compiled functions are evaluated: a loop over steps never deepens', async () => {
    const backend = await createBackend('cpu');
    const step = compile((x: Tensor) => add(mul(x, 0.5), 1), { backend });
    let state = tensor([4, 8]);
    for (let i = 0; i < 5; i++) state = await step(state);
    expect([state.depth, state.source.kind]).toEqual([0, 'buffer']);
  });

  test.each(backends)('a graph 50,000 nodes deep is traversed without a stack on $name', async ({ make }) => {
    const backend = await make();
    let x = scalar(0);
    for (let i = 0; i < 50_000; i++) x = add(x, 1);
    expect(await numbers(await evaluate(x, { backend }))).toEqual([50_000]);
  });
});

describe.each(backends)('2. aliased results on $name', ({ make }) => {
  test('results that are one tensor, an argument or a view of it own separate storage', async () => {
    const backend = await make();
    const x = await evaluate(
      tensor([
        [1, 2],
        [3, 4],
      ]),
      { backend },
    );
    const program = compile(
      (a: Tensor) => {
        const twice = add(a, a);
        const square = mul(a, a);
        return [
          a,
          a,
          twice,
          reshape(twice, [4]),
          reshape(a, [4]),
          reshape(square, [4]),
          reshape(square, [1, 4]),
        ];
      },
      { backend },
    );
    const overwrite = compile((a: Tensor) => mul(a, -100), { backend, donate: [0] });
    const results = await program(x);
    const [same, doubled, squared] = [
      [1, 2, 3, 4],
      [2, 4, 6, 8],
      [1, 4, 9, 16],
    ];
    const expected = [same, same, doubled, doubled, same, squared, squared];
    for (const [i, result] of results.entries()) {
      expect(await numbers(result)).toEqual(expected[i]);
      await overwrite(result);
    }
    expect(await numbers(x)).toEqual([1, 2, 3, 4]);
    await backend.destroy();
  });

  test('a later call does not overwrite the results of an earlier one', async () => {
    const backend = await make();
    const program = compile((a: Tensor) => mul(add(a, 1), 2), { backend });
    const first = await program(tensor([1, 2, 3]));
    await program(tensor([10, 20, 30]));
    expect(await numbers(first)).toEqual([4, 6, 8]);
    await backend.destroy();
  });

  test('a donated tensor used again throws, with its path and the call that took it', async () => {
    const backend = await make();
    const params = await evaluate({ layer: { weight: tensor([1, 2]) } }, { backend });
    const step = compile(
      function trainStep(state: { layer: { weight: Tensor } }) {
        return { layer: { weight: sub(state.layer.weight, 1) } };
      },
      { backend, donate: [0] },
    );
    const next = await step(params);
    expect(await numbers(next.layer.weight)).toEqual([0, 1]);
    const taken = /f32\[2\] that was donated by trainStep\(argument 0: layer\.weight\)\. Use the result/;
    for (const use of [
      () => step(params),
      () => read(params.layer.weight),
      () => evaluate(neg(params.layer.weight), { backend }),
    ]) {
      const error = await failureOf(use);
      expect(error).toBeInstanceOf(LifetimeError);
      expect(error.message).toMatch(taken);
    }
    await backend.destroy();
  });

  test('one tensor in two donated places throws, naming both', async () => {
    const backend = await make();
    const x = await evaluate(tensor([1, 2]), { backend });
    const program = compile((a: Tensor, b: Tensor) => [add(a, 1), add(b, 2)], { backend, donate: [0, 1] });
    expect((await failureOf(() => program(x, x))).message).toMatch(/argument 0 and argument 1/);
    await backend.destroy();
  });

  test('one tensor in a donated and another place throws: the donated one would overwrite the other', async () => {
    const backend = await make();
    const x = await evaluate(tensor([1, 2]), { backend });
    for (const donate of [[0], [1]]) {
      const program = compile((a: Tensor, b: Tensor) => [add(a, 1), mul(b, 10)], { backend, donate });
      expect((await failureOf(() => program(x, x))).message).toMatch(/argument 0 and argument 1/);
    }
    expect(await numbers(x)).toEqual([1, 2]);
    await backend.destroy();
  });

  test('a call that fails leaves nothing behind', async () => {
    const backend = await make();
    const dead = await evaluate(tensor([1, 2]), { backend });
    release(dead);
    const program = compile((a: Tensor, b: Tensor) => add(a, b), { backend });
    for (let i = 0; i < 5; i++) await failureOf(() => program(tensor([3, 4]), dead));
    expect(backend.stats().buffers).toBe(0);
    await backend.destroy();
  });

  test('a donated argument read late, through a reshape, is not overwritten early', async () => {
    const backend = await make();
    const x = await evaluate(tensor([1, 2, 3, 4]), { backend });
    const program = compile(
      (a: Tensor) => {
        const negated = neg(a);
        return [conv2d(reshape(a, [1, 1, 2, 2]), reshape(negated, [1, 1, 2, 2])), negated];
      },
      { backend, donate: [0] },
    );
    const [product, negated] = await program(x);
    expect(await numbers(product!)).toEqual([-30]);
    expect(await numbers(negated!)).toEqual([-1, -2, -3, -4]);
    await backend.destroy();
  });

  test('a released tensor throws when it is read', async () => {
    const backend = await make();
    const x = await evaluate(tensor([1]), { backend });
    release(x);
    expect((await failureOf(() => read(x))).message).toMatch(/was freed by release/);
    await backend.destroy();
  });
});

// 3. planner bugs: plan.property.test.ts

describe('4. frozen values', () => {
  test('reading a placeholder throws and names it', async () => {
    const backend = await createBackend('cpu');
    const reads: Promise<Error>[] = [];
    const program = compile(
      (batch: { images: Tensor }) => {
        reads.push(failureOf(() => read(batch.images)));
        return neg(batch.images);
      },
      { backend },
    );
    await program({ images: tensor([1, 2]) });
    const error = await reads[0]!;
    expect(error).toBeInstanceOf(LifetimeError);
    expect(error.message).toMatch(/placeholder argument 0: images f32\[2\].*return the tensor/);
  });

  test('capturing an evaluated tensor throws: its value would be frozen into the program', async () => {
    const backend = await createBackend('cpu');
    const weight = named(await evaluate(tensor([1, 2]), { backend }), 'head.weight');
    const error = await failureOf(() => compile((x: Tensor) => mul(x, weight), { backend })(tensor([1, 2])));
    expect(error).toBeInstanceOf(LifetimeError);
    expect(error.message).toMatch(/head\.weight.*Pass it as an argument/);
  });

  test('a placeholder kept beyond its trace throws when another function meets it', async () => {
    const backend = await createBackend('cpu');
    const kept: Tensor[] = [];
    await compile(
      (x: Tensor) => {
        kept.push(x);
        return neg(x);
      },
      { backend },
    )(tensor([1, 2]));
    const error = await failureOf(() =>
      compile((x: Tensor) => add(x, kept[0]!), { backend })(tensor([1, 2])),
    );
    expect(error.message).toMatch(/placeholder argument 0 f32\[2\] of another trace/);
    expect((await failureOf(() => evaluate(kept[0]!, { backend }))).message).toMatch(/placeholder/);
  });

  test('an unevaluated result cannot be read', async () => {
    expect((await failureOf(() => read(add(tensor([1]), 1)))).message).toMatch(/not computed yet.*Evaluate/);
  });

  test('a tensor of another backend throws instead of being copied', async () => {
    const [here, there] = [await createBackend('cpu'), await createBackend('cpu', { precision: 'f64' })];
    const x = await evaluate(tensor([1]), { backend: there });
    expect((await failureOf(() => compile((v: Tensor) => neg(v), { backend: here })(x))).message).toMatch(
      /on another backend/,
    );
  });
});

describe('5. retrace storms', () => {
  test('a signature beyond maxTraces throws, naming the leaf that changed and the shapes so far', async () => {
    const backend = await createBackend('cpu');
    const forward = compile(
      function forward(batch: { images: Tensor; mask: Tensor }) {
        return add(sum(batch.images), sum(batch.mask));
      },
      { backend, maxTraces: 2 },
    );
    const batch = (size: number) => ({ images: tensor(new Float32Array(size)), mask: tensor([1, 0]) });
    for (const size of [3, 4, 3, 4, 4]) await forward(batch(size));
    const error = await failureOf(() => forward(batch(5)));
    expect(error).toBeInstanceOf(RetraceError);
    expect(error.message).toMatch(/^forward: needs at most 2 shape signatures/);
    expect(error.message).toMatch(/in which images f32\[5\] differs/);
    expect(error.message).toMatch(/images f32\[3\].*images f32\[4\].*bucket/);
    expect(error.message).not.toMatch(/mask f32\[2\] differs/);
  });

  test('eight signatures are traced by default, and known ones are not traced again', async () => {
    const backend = await createBackend('cpu');
    let traced = 0;
    const program = compile(
      (x: Tensor) => {
        traced++;
        return neg(x);
      },
      { backend },
    );
    for (let round = 0; round < 2; round++)
      for (let size = 1; size <= 8; size++) await program(tensor(new Float32Array(size)));
    expect(traced).toBe(8);
    expect(await failureOf(() => program(tensor(new Float32Array(9))))).toBeInstanceOf(RetraceError);
  });

  test('a failed trace leaves no program behind: the next call traces again', async () => {
    const backend = await createBackend('cpu');
    let traced = 0;
    const program = compile((x: Tensor) => (traced++ === 0 ? matmul(x, x) : neg(x)), {
      backend,
      maxTraces: 1,
    });
    await failureOf(() => program(tensor([1, 2])));
    expect(await numbers(await program(tensor([1, 2])))).toEqual([-1, -2]);
  });
});

describe('6. silent degradation', () => {
  test('describe lists every step with its kernel and why it is not tuned', async () => {
    const backend = await createBackend('cpu');
    const program = compile((x: Tensor) => sum(named(mul(x, x), 'square')), { backend });
    await program(tensor([1, 2]));
    expect(program.describe()).toMatch(/reference/);
    expect(program.describe()).toMatch(/mul .*# square\n.*sum/);
  });

  test('strict refuses an op without a tuned kernel, naming it; without strict it runs and describe says so', async () => {
    const triple = (x: Tensor) => apply(tripleOp, [x], { label: 'head.scale' });
    const strict = compile(triple, { backend: await createBackend('wasm'), strict: true });
    const error = await failureOf(() => strict(tensor([1, 2])));
    expect(error).toBeInstanceOf(UnsupportedError);
    expect(error.message).toMatch(/head\.scale.*triple/);
    const lenient = compile(triple, { backend: await createBackend('wasm') });
    expect(await numbers(await lenient(tensor([1, 2])))).toEqual([3, 6]);
    expect(lenient.describe()).toMatch(/triple.*reference.*no WebAssembly kernel/);
  });
});

/** An op that no backend has a kernel for: its record alone makes it run everywhere. */
const tripleOp: Primitive = {
  name: 'triple',
  infer: ([x]) => x!,
  reference: ([x], out) => {
    for (let i = 0; i < out.data.length; i++) out.data[i] = 3 * x!.get(i);
  },
};

describe.each(backends)('7. NaN hunting on $name', ({ make }) => {
  test('checkFinite names the first operation with a value that is not finite, and its label', async () => {
    const backend = await make();
    const before = backend.stats();
    const x = tensor([1, 0, -1]);
    const logits = named(log(x), 'head.logits');
    const error = await failureOf(() => evaluate(sum(mul(logits, 2)), { backend, checkFinite: true }));
    expect(error).toBeInstanceOf(NotFiniteError);
    expect(error.message).toMatch(/^evaluate\(head\.logits\): needs finite values/);
    expect(error.message).toMatch(/-Infinity at element 1 of log\(f32\[3\]\) -> f32\[3\]/);
    const after = backend.stats();
    expect([after.buffers, after.bytes]).toEqual([before.buffers, before.bytes]);
    await backend.destroy();
  });

  test('finite graphs pass with the same value', async () => {
    const backend = await make();
    const result = await evaluate(sum(mul(tensor([1, 2]), 3)), { backend, checkFinite: true });
    expect(await numbers(result)).toEqual([9]);
    await backend.destroy();
  });
});

describe.each(backends)('memory on $name', ({ make }) => {
  test('50 donated steps keep live buffers and bytes constant', async () => {
    const backend = await make();
    const step = compile(
      function step(state: { weight: Tensor; momentum: Tensor }, x: Tensor) {
        const error = sub(matmul(x, state.weight), 1);
        const gradient = matmul(x, error, { transposeA: true });
        const momentum = add(mul(state.momentum, 0.9), gradient);
        return {
          state: { weight: sub(state.weight, mul(momentum, 0.01)), momentum },
          loss: sum(mul(error, error)),
        };
      },
      { backend, donate: [0] },
    );
    const zero = () => tensor(new Float32Array(12), { shape: [4, 3] });
    let state = await evaluate({ weight: zero(), momentum: zero() }, { backend });
    const x = tensor([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8], { shape: [2, 4] });
    const live: [number, number][] = [];
    const losses: number[] = [];
    for (let i = 0; i < 50; i++) {
      const result = await step(state, x);
      losses.push((await read(result.loss))[0]!);
      release(result.loss);
      state = result.state;
      const { buffers, bytes } = backend.stats();
      live.push([buffers, bytes]);
    }
    expect(leavesWithPaths(state).map(([path]) => path)).toEqual(['weight', 'momentum']);
    expect(new Set(live.map(String)).size).toBe(1);
    expect(live[0]![0]).toBeLessThanOrEqual(4); // the state, and what a program keeps for itself
    expect(losses.at(-1)!).toBeLessThan(losses[0]! / 2);
    await backend.destroy();
  });
});
