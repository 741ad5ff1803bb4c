// Updates of many parameters as a few loops: the bits of one loop each, fewer launches, and buffers that several tensors share.
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { webgpuBackend } from '../../src/backends/webgpu/index.ts';
import type { Backend, Compiled, Tensor } from '../../src/index.ts';
import {
  add,
  compile,
  evaluate,
  isFiniteValue,
  mul,
  read,
  release,
  select,
  sqrt,
  square,
  sub,
  sum,
  tensor,
} from '../../src/index.ts';
import { random } from '../randomTensor.ts';

/** What copies and new buffers a device has made. */
const counts = { copies: 0, buffers: 0 };

/** The default GPU, counting. */
const countingGpu = async (): Promise<GPU> => {
  const { create } = (await import('webgpu')) as { create(options: readonly string[]): GPU };
  const source = create(['enable-dawn-features=disable_workgroup_init']);
  const requestAdapter = async (options?: GPURequestAdapterOptions) => {
    const adapter = (await source.requestAdapter(options))!;
    const requestDevice = async (descriptor?: GPUDeviceDescriptor): Promise<GPUDevice> => {
      const device = await adapter.requestDevice(descriptor);
      const [makeBuffer, makeEncoder] = [
        device.createBuffer.bind(device),
        device.createCommandEncoder.bind(device),
      ];
      device.createBuffer = (given) => {
        counts.buffers++;
        return makeBuffer(given);
      };
      device.createCommandEncoder = () => {
        const encoder = makeEncoder();
        const copy = encoder.copyBufferToBuffer.bind(encoder) as (...args: unknown[]) => undefined;
        encoder.copyBufferToBuffer = (...args: unknown[]) => {
          counts.copies++;
          return copy(...args);
        };
        return encoder;
      };
      return device;
    };
    return { info: adapter.info, features: adapter.features, limits: adapter.limits, requestDevice };
  };
  return { requestAdapter, held: source } as unknown as GPU;
};

let joined: Backend;
let separate: Backend;
beforeAll(async () => {
  joined = await webgpuBackend({ gpu: await countingGpu() });
  separate = await webgpuBackend({}, { joins: false });
});
afterAll(async () => {
  await joined.destroy();
  await separate.destroy();
});

type State = { readonly params: Tensor[]; readonly means: Tensor[]; readonly squares: Tensor[] };
type Step = Compiled<[State, Tensor[], Tensor], { readonly state: State; readonly norm: Tensor }>;

interface Optimiser {
  /** Whether the state stays where gradients are not finite. */
  readonly isGuarded?: boolean;
  /** Which new numbers the norm is of: a result that something else reads is not joined. */
  readonly normOf?: 'gradients' | 'means';
}

/** An optimiser like Adam, which decays every second parameter. */
const optimiserOn = (backend: Backend, { isGuarded = true, normOf = 'gradients' }: Optimiser = {}): Step =>
  compile(
    ({ params, means, squares }: State, inputs: Tensor[], rate: Tensor) => {
      const gradients = inputs.map((x, i) => mul(x, sum(params[i]!)));
      const nextMeans = gradients.map((g, i) => add(mul(means[i]!, 0.9), mul(g, 0.1)));
      const nextSquares = gradients.map((g, i) => add(mul(squares[i]!, 0.99), mul(square(g), 0.01)));
      const nextParams = params.map((p, i) => {
        const direction = mul(nextMeans[i]!, add(sqrt(nextSquares[i]!), 0.5));
        return sub(p, mul(i % 2 === 0 ? direction : add(direction, mul(p, 0.02)), rate));
      });
      const normed = normOf === 'gradients' ? gradients : nextMeans;
      const norm = normed.reduce((total, x) => add(total, sum(square(x))), tensor(0));
      const kept = (next: Tensor[], before: Tensor[]): Tensor[] =>
        isGuarded ? next.map((x, i) => select(isFiniteValue(norm), x, before[i]!)) : next;
      const state = {
        params: kept(nextParams, params),
        means: kept(nextMeans, means),
        squares: kept(nextSquares, squares),
      };
      return { state, norm };
    },
    { backend, donate: [0], maxTraces: 100 },
  );

const stateOf = async (backend: Backend, shapes: readonly (readonly number[])[]): Promise<State> => {
  const drawn = (seed: number): Tensor[] => shapes.map((shape, i) => random(seed + i, ...shape));
  return evaluate(
    { params: drawn(1), means: drawn(100), squares: drawn(200).map((x) => square(x)) },
    { backend },
  );
};

const gradientsOf = (shapes: readonly (readonly number[])[], step: number): Tensor[] =>
  shapes.map((shape, i) => random(1000 * (step + 1) + i, ...shape));

const numbersOf = async ({ params, means, squares }: State): Promise<Uint32Array[]> =>
  Promise.all(
    [...params, ...means, ...squares].map(async (x) => new Uint32Array((await read(x)).slice().buffer)),
  );

const shapes = [[3, 5], [64], [], [1], [2, 3, 3, 3], [130], [7], [4, 16], []];

/** What three steps give, and what they launch. */
const threeSteps = async (
  backend: Backend,
  optimiser: Optimiser,
): Promise<{ launches: number; numbers: Uint32Array[]; plan: string }> => {
  const before = backend.stats().buffers;
  const step = optimiserOn(backend, optimiser);
  let state = await stateOf(backend, shapes);
  const { launches } = backend.stats();
  for (let i = 0; i < 3; i++) {
    const result = await step(state, gradientsOf(shapes, i), tensor(0.1));
    state = result.state;
    release(result.norm);
  }
  const outcome = {
    launches: (backend.stats().launches - launches) / 3,
    numbers: await numbersOf(state),
    plan: step.describe(),
  };
  release(state);
  step.destroy();
  expect(backend.stats().buffers).toBe(before);
  return outcome;
};

// 9 parameters, of which each half is updated by three loops
test.each([
  { name: 'guarded', optimiser: {}, joins: '; 27 updates are 6 loops', saves: 9 * 5 - 6 },
  { name: 'plain', optimiser: { isGuarded: false }, joins: '; 27 updates are 6 loops', saves: 9 * 3 - 6 },
  // the new means are read before the state is complete, so nothing that depends on them may wait
  {
    name: 'with a norm of its results',
    optimiser: { isGuarded: false, normOf: 'means' },
    joins: '',
    saves: 0,
  },
] as const)(
  '$name: three steps have the same bits in fewer launches, and leave nothing behind',
  async (given) => {
    const { optimiser, joins, saves } = given;
    const [a, b] = [await threeSteps(joined, optimiser), await threeSteps(separate, optimiser)];
    expect(a.numbers).toEqual(b.numbers);
    expect(/; \d+ updates are \d+ loops/.exec(a.plan)?.[0] ?? '').toBe(joins);
    expect(b.plan).not.toContain('updates are');
    expect(b.launches - a.launches).toBe(saves);
  },
);

test('the first step copies its arguments into bundles; later ones find them there, and make no buffers', async () => {
  const step = optimiserOn(joined);
  let state = await stateOf(joined, shapes);
  const copies: number[] = [];
  const buffers: number[] = [];
  for (let i = 0; i < 6; i++) {
    const before = { ...counts };
    const result = await step(state, gradientsOf(shapes, i), tensor(0.1));
    state = result.state;
    release(result.norm);
    copies.push(counts.copies - before.copies);
    buffers.push(counts.buffers - before.buffers);
  }
  expect(copies).toEqual([3 * shapes.length, 0, 0, 0, 0, 0]);
  expect(buffers.slice(2)).toEqual([0, 0, 0, 0]);
  release(state);
  step.destroy();
});

test('tensors of one bundle can be read, updated in place and freed one by one', async () => {
  const before = joined.stats().buffers;
  const step = optimiserOn(joined);
  const alike = [[8], [8], [8], [8], [8], [8]];
  const first = await step(await stateOf(joined, alike), gradientsOf(alike, 0), tensor(0.1));
  const [p0, , p2, , p4] = first.state.params;
  const numbers = await Promise.all([p0!, p2!, p4!].map(async (x) => (await read(x)).slice()));
  // both lie in one buffer, and the second is overwritten in place while the first is read
  const sums = compile((x: Tensor, y: Tensor) => add(mul(y, 3), x), { backend: joined, donate: [1] });
  const total = await sums(p0!, p2!);
  release([first.state.params[1]!, first.state.params[3]!, first.state.params[5]!]);
  expect(await read(total)).toEqual(
    numbers[1]!.map((y, i) => Math.fround(Math.fround(y * 3) + numbers[0]![i]!)),
  );
  expect(await read(p0!)).toEqual(numbers[0]);
  expect(await read(p4!)).toEqual(numbers[2]);
  release([total, p0!, p4!, first.state.means, first.state.squares, first.norm]);
  step.destroy();
  sums.destroy();
  expect(joined.stats().buffers).toBe(before);
});

test('a part of a bundle that stays alive keeps its numbers when the others are updated, freed and their memory used again', async () => {
  const step = optimiserOn(joined);
  const alike = [[8], [8], [8], [8], [8], [8]];
  const first = await step(await stateOf(joined, alike), gradientsOf(alike, 0), tensor(0.1));
  const { params, means, squares } = first.state;
  const left = [params[4]!, params[5]!];
  const numbers = await Promise.all(left.map(async (x) => (await read(x)).slice()));
  const four = { params: params.slice(0, 4), means: means.slice(0, 4), squares: squares.slice(0, 4) };
  const second = await step(four, gradientsOf(alike.slice(0, 4), 1), tensor(0.1));
  release(second);
  const others = await evaluate(
    alike.map((_, i) => random(i, 3 * 64)), // as large as a bundle
    { backend: joined },
  );
  expect(await Promise.all(left.map(read))).toEqual(numbers);
  release([others, left, means.slice(4), squares.slice(4), first.norm]);
  step.destroy();
});

test('whatever order and company the arguments come in, the bits are the same', async () => {
  const size = fc.constantFrom(1, 2, 63, 64, 65, 200);
  const scenario = fc.record({
    sizes: fc.array(size, { minLength: 2, maxLength: 5 }),
    // after each step: by how many places equal tensors change places, and whether they are uploaded anew
    turns: fc.array(fc.record({ by: fc.nat(3), isFresh: fc.boolean() }), { minLength: 2, maxLength: 3 }),
  });
  await fc.assert(
    fc.asyncProperty(scenario, async ({ sizes, turns }) => {
      const all = sizes.flatMap((n) => [[n], [n]]);
      const outcomes: Uint32Array[][] = [];
      for (const backend of [joined, separate]) {
        const step = optimiserOn(backend);
        let state = await stateOf(backend, all);
        for (const [i, { by, isFresh }] of turns.entries()) {
          const result = await step(state, gradientsOf(all, i), tensor(0.1));
          release(result.norm);
          const { params, means, squares } = result.state;
          // neighbours have equal shapes
          const turned = (list: Tensor[]): Tensor[] => list.map((x, at) => (by > 0 ? list[at ^ 1]! : x));
          state = { params: turned(params), means: by > 1 ? turned(means) : means, squares };
          if (!isFresh) continue;
          const copied = await evaluate(
            {
              ...state,
              params: await Promise.all(
                state.params.map(async (x) => tensor(await read(x), { shape: x.shape })),
              ),
            },
            { backend },
          );
          release(state);
          state = copied;
        }
        outcomes.push(await numbersOf(state));
        release(state);
        step.destroy();
      }
      expect(outcomes[0]).toEqual(outcomes[1]);
    }),
    { numRuns: 5 },
  );
});
