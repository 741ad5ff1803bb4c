// Gradients of every primitive on a backend, compared with those that the reference computes in double precision.
import { backward } from '@autoassign/autograd';
import type { Backend, Primitive, PrimitiveName, Tensor } from '@autoassign/tensor';
import { compile, primitives, read, release, tensor } from '@autoassign/tensor';
import { leavesOf, outputOf, samplesOf } from '@autoassign/tensor/testing';
import { reference } from './values.ts';

/** Primitives with gradients to compare. */
export const primitivesWithGradients: readonly PrimitiveName[] = (
  Object.keys(primitives) as PrimitiveName[]
).filter((name) => samplesOf(name).some(({ smooth }) => smooth));

/** How far an element of a gradient may be off, as a part of the largest element of that gradient. */
const tolerance = 1e-5;

/** What is wrong with the gradients of a primitive's samples, or of so many of them, one line each. */
export const gradientViolations = async (
  name: PrimitiveName,
  backend: Backend,
  most = Number.POSITIVE_INFINITY,
): Promise<string[]> => {
  const violations: string[] = [];
  const smooth = samplesOf(name).filter((sample) => sample.smooth);
  const every = Math.ceil(smooth.length / most);
  for (const sample of smooth.filter((_, i) => (smooth.length - 1 - i) % every === 0)) {
    const leaves = leavesOf(sample);
    const { shape } = outputOf(primitives[name] as Primitive, sample, leaves);
    const size = shape.reduce((product, n) => product * n, 1);
    const cotangent = tensor(
      Float32Array.from({ length: size }, (_, i) => Math.sin(1 + 7 * i)),
      { shape },
    );
    const gradients = (inputs: readonly Tensor[], ct: Tensor): readonly Tensor[] => {
      const output = outputOf(primitives[name] as Primitive, sample, inputs);
      const wrt = inputs.filter(({ dtype }) => dtype === 'f32');
      return backward({ outputs: [output], cotangents: [ct], wrt }).filter((g) => g !== null);
    };
    const on = async (place: Backend): Promise<ArrayLike<number>[]> => {
      const program = compile(gradients, { backend: place });
      const results = await program(leaves, cotangent);
      const values = await Promise.all(results.map(read));
      release(results);
      program.destroy();
      return values;
    };
    const [actual, expected] = [await on(backend), await on(reference)];
    expected.forEach((gradient, i) => {
      const largest = Math.max(0, ...Array.from(gradient, Math.abs));
      Array.from(gradient).forEach((x, k) => {
        const error = Math.abs(actual[i]![k]! - x);
        if (!(error <= tolerance * largest))
          violations.push(
            `${name}, ${sample.label}: element ${k} of gradient ${i} is ${actual[i]![k]}, not ${x}`,
          );
      });
    });
  }
  return violations;
};
