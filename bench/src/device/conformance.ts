// The conformance suite without a test runner, for machines that have none.
import type { Backend } from '@autoassign/tensor';
import { conformance } from '@autoassign/tensor/testing';

/** How many primitives agree with the reference, and how many do not. */
export interface Outcome {
  readonly passed: number;
  readonly failed: number;
}

/** Every primitive on a backend against the double-precision reference, one line told of each. */
export const runConformance = async (
  name: string,
  makeBackend: () => Promise<Backend>,
  tell: (line: string) => void,
): Promise<Outcome> => {
  const tests: { readonly name: string; readonly body: () => Promise<void> }[] = [];
  const runner = {
    describe: (_: string, body: () => void) => body(),
    test: (primitive: string, body: () => Promise<void>) => void tests.push({ name: primitive, body }),
  };
  conformance(name, makeBackend, runner, { flushesSubnormals: true });
  let passed = 0;
  for (const test of tests)
    try {
      await test.body();
      tell(`ok ${test.name}`);
      passed++;
    } catch (error) {
      tell(`FAIL ${test.name}: ${(error as Error).message}`);
    }
  return { passed, failed: tests.length - passed };
};
