// Memory that runs out: errors say what it was for, and everything that was there before still works. Address space is
// taken but never touched, so that the tests need no memory of their own.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Backend, Tensor } from '../../src/index.ts';
import {
  add,
  compile,
  createBackend,
  matmul,
  named,
  read,
  release,
  sum,
  tensor,
  zeros,
} from '../../src/index.ts';
import { dividedWasm } from '../backends.ts';
import { failureOf, numbers } from '../outcomes.ts';

/** A product of so many rows and columns, of which an error can tell. */
const square = (x: Tensor, y: Tensor): Tensor => named(matmul(x, y), 'neck.lateral');

const column = (rows: number): Tensor => tensor(new Float32Array(rows), { shape: [rows, 1] });
const row = (columns: number): Tensor => tensor(new Float32Array(columns), { shape: [1, columns] });

/** A run whose plan does not fit into any memory. */
const tooLargePlan = async (backend: Backend): Promise<Error> => {
  const program = compile((x: Tensor, y: Tensor) => sum(square(x, y)), { backend });
  return failureOf(() => program(column(40_000), row(40_000)));
};

/** How `tooLargeResult` fails: by default its plan takes all but 17 MB of the 4 GiB there are. */
interface Shortage {
  readonly side?: number;
  readonly donate?: readonly number[];
}

/** A run whose plan fits, and whose result, as large, does not fit beside it. */
const tooLargeResult = (backend: Backend, { side = 32_700, donate = [] }: Shortage = {}) => {
  const program = compile(
    (x: Tensor, y: Tensor, given: Tensor) => ({
      all: square(x, y),
      sum: sum(matmul(add(x, 1), y)),
      next: add(given, 1),
    }),
    { backend, donate },
  );
  return (given: Tensor): Promise<Error> => failureOf(() => program(column(side), row(side), given));
};

describe('the error of memory that runs out', () => {
  test('tells of a plan how large it is, and which step is the largest', async () => {
    const backend = await createBackend('wasm');
    const { message } = await tooLargePlan(backend);
    expect(message).toMatch(
      /^wasm: needs 6103\.\d MiB more memory for the plan of a program \(6400\d{6} bytes at its peak; the largest step is matmul\(neck\.lateral\) with 6400\d{6} bytes for f32\[40000,40000\] and scratch\), got a memory of [\d.]+ MiB that cannot grow so far\. Use smaller batches or images, or release what you no longer need\.$/,
    );
    await backend.destroy();
  });

  test('tells of a result and of an upload what they are', async () => {
    const backend = await createBackend('wasm');
    const failure = await tooLargeResult(backend)(tensor([1]));
    expect(failure.message).toContain('memory for a result f32[32700,32700] of matmul(neck.lateral), got');
    const upload = compile((x: Tensor) => sum(x), { backend });
    const large = await failureOf(() => upload(tensor(new Float32Array(2 ** 23))));
    expect(large.message).toContain('needs 32.0 MiB more memory for an uploaded tensor f32[8388608], got');
    const constant = tensor(new Float32Array(2 ** 23).fill(1));
    const held = compile((x: Tensor) => sum(add(constant, x)), { backend });
    const frozen = await failureOf(() => held(tensor([1])));
    expect(frozen.message).toContain('needs 32.0 MiB more memory for a constant f32[8388608], got');
    await backend.destroy();
  });
});

/** What may happen to a backend whose memory is short. */
const action = fc.constantFrom('upload', 'run', 'release', 'plan', 'result', 'donated');
type Action = 'upload' | 'run' | 'release' | 'plan' | 'result' | 'donated';

describe.each([
  ['1 thread', () => createBackend('wasm')],
  ['2 threads', async () => dividedWasm(2)],
] as const)('after running out of memory, on %s', (_name, make) => {
  test('all tensors, programs and counts are as they were', async () => {
    const backend = await make();
    const next = compile((x: Tensor) => add(x, 1), { backend });
    const product = compile((x: Tensor) => matmul(x, x), { backend });
    const fail = tooLargeResult(backend);
    const failDonated = tooLargeResult(backend, { donate: [2] });
    const live: { readonly tensor: Tensor; readonly value: number }[] = [];
    let started = 0;
    const fresh = async (): Promise<void> => {
      started += 1;
      live.push({ tensor: await next(tensor([started, started])), value: started + 1 });
    };
    const fails = async (attempt: () => Promise<Error>): Promise<void> => {
      const before = backend.stats();
      expect((await attempt()).message).toContain('that cannot grow so far');
      expect(backend.stats()).toMatchObject({ buffers: before.buffers, bytes: before.bytes });
    };
    const act: Readonly<Record<Action, () => Promise<void>>> = {
      upload: fresh,
      run: async () => {
        const last = live.at(-1)!;
        live.push({ tensor: await next(last.tensor), value: last.value + 1 });
      },
      release: async () => {
        if (live.length > 1) release(live.shift()!.tensor);
      },
      plan: () => fails(() => tooLargePlan(backend)),
      result: () => fails(() => fail(live.at(-1)!.tensor)),
      donated: () => fails(() => failDonated(live.at(-1)!.tensor)),
    };
    const sequence = fc.array(action, { minLength: 4, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(sequence, async (actions) => {
        await fresh();
        for (const name of actions) {
          await act[name]();
          for (const { tensor: held, value } of live) expect(await numbers(held)).toEqual([value, value]);
        }
        const eye = await product(
          tensor([
            [2, 0],
            [0, 3],
          ]),
        );
        expect(await numbers(eye)).toEqual([4, 0, 0, 9]);
        release(eye);
        for (const { tensor: held } of live.splice(0)) release(held);
      }),
      { seed: 20264, numRuns: 25 },
    );
    expect(backend.stats().buffers).toBe(0);
    await backend.destroy();
  });
});

test('tensors and programs beyond 2 GiB are as good as others', async () => {
  const backend = await createBackend('wasm');
  // the failed run leaves its workspace of 2.7 GiB behind, so that what is larger than the gaps lies above it
  await tooLargeResult(backend, { side: 27_000 })(tensor([1]));
  const product = compile((x: Tensor, y: Tensor) => matmul(add(x, 1), y), { backend });
  const result = await product(
    zeros([40_000, 7]),
    tensor(new Float32Array(7 * 19).fill(2), { shape: [7, 19] }),
  );
  expect((await read(result)).every((value) => value === 14)).toBe(true);
  await backend.destroy();
});
