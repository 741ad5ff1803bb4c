// Every rule against difference quotients, order 1 and 2, on the samples of the tensor test kit.

import type { VjpRules } from '@autoassign/autograd';
import { backward, checkGrad } from '@autoassign/autograd';
import type { AttrsByName, Primitive, PrimitiveName, Tensor } from '@autoassign/tensor';
import { ones, primitives } from '@autoassign/tensor';
import { leavesOf, outputOf, samplesOf } from '@autoassign/tensor/testing';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { reference } from './values.ts';

interface Case {
  readonly label: string;
  readonly smooth: boolean;
  readonly inputs: readonly Tensor[];
  readonly run: (...inputs: readonly Tensor[]) => Tensor;
}

const casesOf = <Name extends PrimitiveName>(name: Name): readonly Case[] => {
  const op: Primitive<AttrsByName[Name]> = primitives[name];
  return samplesOf(name).map((sample) => ({
    label: sample.label,
    smooth: sample.smooth,
    inputs: leavesOf(sample),
    run: (...inputs) => outputOf(op, sample, inputs),
  }));
};

const names = Object.keys(primitives) as PrimitiveName[];

/** Primitives of which nothing is to be compared with a difference quotient: integer results, and derivatives by decree. */
const withoutSlope: readonly PrimitiveName[] = [
  'less',
  'lessEqual',
  'equal',
  'cast',
  'argMax',
  'topKIndices',
  'poolArgMax2d',
  'randomBits',
  'stopGradient',
  'withRule',
];

describe.each(names.filter((name) => !withoutSlope.includes(name)))('the rule of %s', (name) => {
  const smooth = casesOf(name).filter((sample) => sample.smooth);

  test('has samples', () => expect(smooth.length).toBeGreaterThan(0));

  test.each(smooth.map((sample) => [sample.label, sample] as const))(
    '%s',
    async (_label, { inputs, run }) => {
      await checkGrad(run, inputs, { backend: reference, order: 2, directions: 1 });
    },
  );
});

describe.each(withoutSlope)('%s', (name) => {
  const cases = casesOf(name).map(({ inputs, run }) => ({ inputs, output: run(...inputs) }));

  test('gives integers or passes no gradient on', () => {
    for (const { inputs, output } of cases) {
      if (output.dtype !== 'f32') continue;
      const wrt = inputs.filter(({ dtype }) => dtype === 'f32');
      const gradients = backward({ outputs: [output], cotangents: [ones(output.shape)], wrt });
      expect(gradients).toEqual(wrt.map(() => null));
    }
    expect(cases.length).toBeGreaterThan(0);
  });
});

test('a missing rule and a rule of other attrs are type errors', () => {
  expectTypeOf<Omit<VjpRules, 'exp'>>().not.toExtend<VjpRules>();
  expectTypeOf<keyof VjpRules>().toEqualTypeOf<PrimitiveName>();
  expectTypeOf<
    Omit<VjpRules, 'transpose'> & { readonly transpose: VjpRules['pad'] }
  >().not.toExtend<VjpRules>();
});
