// Values of tensors for tests, computed by the reference backend in double precision.
import type { Backend, Tensor } from '@autoassign/tensor';
import { createBackend, evaluate, read } from '@autoassign/tensor';

/** The reference backend in double precision. */
export const reference: Backend = await createBackend('cpu', { precision: 'f64' });

/** The elements of a tensor, row-major. */
export const valuesOf = async (t: Tensor): Promise<number[]> => [
  ...(await read(await evaluate(t, { backend: reference }))),
];

/** The only element of a tensor. */
export const numberOf = async (t: Tensor): Promise<number> => (await valuesOf(t))[0]!;
