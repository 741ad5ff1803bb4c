// Which convolutions of this backend finish their results by the loop that reads them.
import type { EpilogueOptions } from '../../graph/epilogues.ts';
import { sizeOf } from '../../shape.ts';

/** Forward convolutions and input gradients that compute anything; images, filters and further inputs take so many bindings at most. */
export const epiloguesWithin = (mostInputs: number): EpilogueOptions => ({
  mostOperands: mostInputs - 2,
  isProducer: ({ name }) => name === 'conv2d' || name === 'conv2dInputGrad',
  canFinish: (_step, inputs) => inputs.every(({ shape }) => sizeOf(shape) > 0),
});
