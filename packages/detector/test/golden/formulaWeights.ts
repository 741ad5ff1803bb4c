// Weights made by a formula from their names, so that whole golden networks need not be stored.
import { mapTree, sizeOf, tensor } from '@autoassign/tensor';
import type { Params } from '../../src/model/network.ts';

const golden = 0x9e3779b9;

/** FNV-1a, 32 bits. */
const hashOf = (name: string): number => {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
};

/** A well mixed number in [-1, 1) for element `index` of an array. */
const mixed = (hash: number, index: number): number => {
  let x = (hash + Math.imul(index, golden)) >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b) >>> 0;
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35) >>> 0;
  x = (x ^ (x >>> 16)) >>> 0;
  return (x >>> 8) / 2 ** 23 - 1;
};

/** The values offset + scale * v of an array, rounded to single precision. */
export const formulaValues = (name: string, count: number, offset: number, scale: number): Float32Array => {
  const hash = hashOf(name);
  return Float32Array.from({ length: count }, (_, i) => offset + scale * mixed(hash, i));
};

/** Offset and scale by the end of the name. */
const rules: readonly (readonly [pattern: RegExp, offset: number, scale: number])[] = [
  [/running_var$/, 1, 0.5],
  [/running_mean$/, 0, 0.1],
  [/center_prior\.mean$/, 0, 0.3],
  [/center_prior\.sigma$/, 1, 0.2],
  [/\.scale$/, 1, 0.1],
  [/conv_cls\.bias$/, -3.5, 0.5],
  [/conv_reg\.bias$/, 2.5, 0.5],
  [/\.bias$/, 0, 0.1],
];

const gainOf = (name: string): number => {
  if (name.startsWith('neck.') || name.endsWith('conv_centerness.weight')) return 1;
  if (name.endsWith('conv_cls.weight')) return 0.25;
  return name.endsWith('conv_reg.weight') ? 4 : 2;
};

const rangeOf = (name: string, shape: readonly number[]): readonly [offset: number, scale: number] => {
  const rule = rules.find(([pattern]) => pattern.test(name));
  if (rule !== undefined) return [rule[1], rule[2]];
  if (shape.length === 1) return name.endsWith('bn3.weight') ? [0.3, 0.1] : [1, 0.2];
  return [0, Math.sqrt((3 * gainOf(name)) / sizeOf(shape.slice(1)))];
};

/** The parameters with the formula's values. */
export const formulaParams = (params: Params): Params =>
  mapTree(({ shape }, name) => {
    const values = formulaValues(name, sizeOf(shape), ...rangeOf(name, shape));
    return tensor(values, { shape });
  }, params);
