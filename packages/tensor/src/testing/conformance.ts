// The suite that every backend runs: every primitive, every sample, against the double-precision reference.
import type { Backend } from '../backends/backend.ts';
import { cpuBackend } from '../backends/cpu/index.ts';
import { compile } from '../graph/compile.ts';
import { read, release } from '../graph/evaluate.ts';
import type { PrimitiveName } from '../ops/index.ts';
import { primitives } from '../ops/index.ts';
import type { Attrs, Primitive } from '../primitive.ts';
import type { Data, Tensor } from '../tensor.ts';
import { tensor } from '../tensor.ts';
import { toleranceOf, withoutSubnormal, worstViolation } from './close.ts';
import type { Sample } from './sample.ts';
import { leavesOf, outputOf } from './sample.ts';
import { samplesOf } from './samples.ts';

/** The two functions of a test runner that the suite needs; vitest, jest and node:test have them. */
export interface TestRunner {
  describe(name: string, body: () => void): void;
  test(name: string, body: () => Promise<void>): void;
}

/** What a backend declares about its arithmetic. */
export interface Arithmetic {
  /** Subnormal numbers may be taken for zeros, as operands and as results. */
  readonly flushesSubnormals?: boolean;
}

/**
 * Declares one test per primitive: every sample is computed on the backend and on the f64 reference, must agree under the
 * tolerance policy, and must leave `stats().buffers` as it was. There are no skip lists: a backend declines an op through `kernelFor`.
 *
 * Example  conformance('wasm', () => createBackend('wasm'), { describe, test })
 */
export const conformance = (
  name: string,
  makeBackend: () => Promise<Backend>,
  { describe, test }: TestRunner,
  arithmetic: Arithmetic = {},
): void => {
  describe(`conformance of ${name}`, () => {
    for (const primitive of Object.keys(primitives) as PrimitiveName[])
      test(primitive, async () => {
        const backend = await makeBackend();
        const reference = cpuBackend({ precision: 'f64' });
        const violations: string[] = [];
        for (const sample of samplesOf(primitive)) {
          const violation = await check(primitive, sample, { backend, reference, arithmetic });
          if (violation !== undefined) violations.push(`${primitive}, ${sample.label}: ${violation}`);
        }
        await backend.destroy();
        if (violations.length > 0) throw new Error(violations.join('\n'));
      });
  });
};

/** A backend, and what its results are compared with. */
interface Pairing {
  readonly backend: Backend;
  readonly reference: Backend;
  readonly arithmetic: Arithmetic;
}

/** What is wrong with one sample on a backend, or undefined. */
const check = async <Name extends PrimitiveName>(
  name: Name,
  sample: Sample<Attrs>,
  { backend, reference, arithmetic }: Pairing,
): Promise<string | undefined> => {
  const op = primitives[name] as Primitive;
  const leaves = leavesOf(sample);
  const out = outputOf(op, sample, leaves);
  const inputs = out.source.kind === 'apply' ? out.source.inputs : [];
  const tolerance = toleranceOf(name, inputs, sample.attrs as never, out);
  const before = backend.stats();
  const actual = await run(op, sample, leaves, backend);
  const after = backend.stats();
  if (after.buffers !== before.buffers || after.bytes !== before.bytes)
    return `leaves ${after.buffers - before.buffers} buffers and ${after.bytes - before.bytes} bytes behind`;
  const expected = await run(op, sample, leaves, reference);
  const flushed =
    arithmetic.flushesSubnormals === true
      ? { flushed: await run(op, sample, leaves.map(mapped(withoutSubnormal)), reference) }
      : {};
  if (tolerance.kind !== 'sum') return worstViolation({ actual, expected, ...flushed }, tolerance);
  const magnitudes = await run(op, sample, leaves.map(mapped(Math.abs)), reference);
  return worstViolation({ actual, expected, magnitudes, ...flushed }, tolerance);
};

/** A leaf with every float replaced by a function of it; positions and conditions stay. */
const mapped =
  (change: (x: number) => number) =>
  (leaf: Tensor): Tensor =>
    leaf.dtype === 'f32' && leaf.source.kind === 'constant'
      ? tensor(Float64Array.from(leaf.source.data, change), { shape: leaf.shape })
      : leaf;

/** The sample's value on a backend, with the leaves as arguments: constants would be folded before the backend sees them. */
const run = async (
  op: Primitive,
  sample: Sample<Attrs>,
  leaves: readonly Tensor[],
  backend: Backend,
): Promise<Data> => {
  const program = compile((given: readonly Tensor[]) => outputOf(op, sample, given), { backend });
  const result = await program(leaves);
  const data = await read(result);
  release(result);
  program.destroy();
  return data;
};
