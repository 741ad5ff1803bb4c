// Rules of gather and scatterAdd, which are each other's adjoints.
import type { GatherAttrs, ScatterAttrs } from '@autoassign/tensor';
import { gather, scatterAdd } from '@autoassign/tensor';
import type { VjpRule } from './rule.ts';

/** Cotangents are added up at the places the elements were taken from. */
export const gatherRule: VjpRule<GatherAttrs> = (ct, [x, indices], { axis, batch }) => [
  scatterAdd(ct, indices!, x!.shape[axis]!, { axis, batchDims: batch }),
  null,
];

/** Every element that was added gets the cotangent of the place it went to. */
export const scatterAddRule: VjpRule<ScatterAttrs> = (ct, [_updates, indices], { axis, batch }) => [
  gather(ct, indices!, { axis, batchDims: batch }),
  null,
];
