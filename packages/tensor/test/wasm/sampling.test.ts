// The sampling kernels write what they should and nothing else, and read no further than kernels may.
import { expect, test } from 'vitest';
import type { EmitStep } from '../../src/backends/wasm/kernelTable.ts';
import { tableEntry } from '../../src/backends/wasm/kernelTable.ts';
import type { Attrs, Primitive, PrimitiveName } from '../../src/index.ts';
import { primitives, sizeOf } from '../../src/index.ts';
import type { Sample } from '../../src/testing/sample.ts';
import { samplesOf } from '../../src/testing/samples.ts';
import { runKernel } from './harness.ts';

const names = ['sampleBilinear', 'sampleBilinearInputGrad', 'sampleBilinearPointGrad'] as const;

test.each(names)('%s stays within its arrays', (name: PrimitiveName) => {
  const op = primitives[name] as Primitive;
  const emit = tableEntry(op) as EmitStep;
  const plain = (samplesOf(name) as readonly Sample<Attrs>[]).filter(({ inputs }) =>
    inputs.every(({ arrangement }) => arrangement === undefined),
  );
  for (const { inputs, attrs, label } of plain) {
    const specs = inputs.map(({ spec }) => spec);
    const output = op.infer(specs, attrs);
    const run = runKernel(
      (module) => emit(module, specs, output, attrs, {}),
      inputs.map(({ data }) => data),
      sizeOf(output.shape),
    );
    expect([label, run.isOutsideUntouched, run.output.some(Number.isNaN)]).toEqual([label, true, false]);
  }
});
