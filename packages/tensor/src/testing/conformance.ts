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
import { toleranceOf, worstViolation } from './close.ts';
import type { Sample } from './sample.ts';
import { leavesOf, outputOf } from './sample.ts';
import { samplesOf } from './samples.ts';

/** The two functions of a test runner that the suite needs; vitest, jest and node:test have them. */
export interface TestRunner {
  describe(name: string, body: () => void): void;
  test(name: string, body: () => Promise<void>): void;
}

/** What a backend may do besides rounding. */
export interface ConformanceOptions {
  /** Takes subnormal numbers for zeros of their sign, operands and results, as GPUs may. */
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
  options: ConformanceOptions = {},
): void => {
  describe(`conformance of ${name}`, () => {
    for (const primitive of Object.keys(primitives) as PrimitiveName[])
      test(primitive, async () => {
        const backend = await makeBackend();
        const reference = cpuBackend({ precision: 'f64' });
        const violations: string[] = [];
        for (const sample of samplesOf(primitive)) {
          const violation = await check(primitive, sample, backend, reference, options);
          if (violation !== undefined) violations.push(`${primitive}, ${sample.label}: ${violation}`);
        }
        await backend.destroy();
        if (violations.length > 0) throw new Error(violations.join('\n'));
      });
  });
};

/** What is wrong with one sample on a backend, or undefined. */
const check = async <Name extends PrimitiveName>(
  name: Name,
  sample: Sample<Attrs>,
  backend: Backend,
  reference: Backend,
  { flushesSubnormals = false }: ConformanceOptions,
): Promise<string | undefined> => {
  const op = primitives[name] as Primitive;
  const flushed = (values: Data): Data => (flushesSubnormals ? values.map(withoutSubnormal) : values);
  const leaves = leavesOf(sample).map((leaf) => mapConstant(leaf, flushed));
  const out = outputOf(op, sample, leaves);
  const inputs = out.source.kind === 'apply' ? out.source.inputs : [];
  const tolerance = toleranceOf(name, inputs, sample.attrs as never, out);
  const before = backend.stats();
  const actual = flushed(await run(op, sample, leaves, backend));
  const after = backend.stats();
  if (after.buffers !== before.buffers || after.bytes !== before.bytes)
    return `leaves ${after.buffers - before.buffers} buffers and ${after.bytes - before.bytes} bytes behind`;
  const expected = flushed(await run(op, sample, leaves, reference));
  if (tolerance.kind !== 'sum') return worstViolation({ actual, expected }, tolerance);
  const magnitudes = await run(op, sample, leaves.map(absolute), reference);
  return worstViolation({ actual, expected, magnitudes }, tolerance);
};

/** A leaf with its f32 values replaced; positions and conditions stay. */
const mapConstant = (leaf: Tensor, replace: (values: Data) => Data): Tensor =>
  leaf.dtype === 'f32' && leaf.source.kind === 'constant'
    ? tensor(replace(leaf.source.data), { shape: leaf.shape })
    : leaf;

/** A leaf with every value replaced by its magnitude. */
const absolute = (leaf: Tensor): Tensor => mapConstant(leaf, (values) => Float64Array.from(values, Math.abs));

const smallestNormal = 2 ** -126;

/** The number, or a zero of its sign where it is subnormal in single precision. */
const withoutSubnormal = (x: number): number => (Math.abs(x) < smallestNormal ? 0 * x : x);

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
