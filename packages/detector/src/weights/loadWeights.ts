// Putting the arrays of a file in the place of parameters, by name, with an account of what did not fit.
import type { Tensor } from '@autoassign/tensor';
import { describeSpec, leavesWithPaths, mapTree, sentence, tensor } from '@autoassign/tensor';
import { WeightsError } from '../errors.ts';
import type { Params } from '../model/network.ts';
import type { StoredTensor } from './safetensors.ts';
import { floatsOf } from './values.ts';

/** Which names of parameters and file did not meet. */
export interface WeightsReport {
  /** Parameters that the file does not have; they keep their values. */
  readonly missing: readonly string[];
  /** Arrays of the file that are no parameter. */
  readonly unexpected: readonly string[];
  /** Parameters whose array has another shape; they keep their values. */
  readonly mismatched: readonly { readonly name: string; readonly wanted: string; readonly found: string }[];
}

/** The parameters after loading, as constants where they were found. */
export interface LoadedWeights {
  readonly params: Params;
  readonly report: WeightsReport;
}

/** Options of `loadWeights`. */
export interface LoadOptions {
  /** Whether every parameter must be found with its shape, as for a checkpoint of this very detector; on by default. */
  readonly strict?: boolean;
  /** Put before every name of the file: 'backbone.' for a pretrained backbone. */
  readonly prefix?: string;
  /** How messages name the file. */
  readonly label?: string;
}

/**
 * The parameters with the values of a file.
 *
 * Throws   WeightsError naming the first parameter that is missing or of another shape, unless `strict` is off
 * Example  const { params, report } = loadWeights(initial, readSafetensors(bytes).tensors)
 */
export const loadWeights = (
  params: Params,
  tensors: Readonly<Record<string, StoredTensor>>,
  { strict = true, prefix = '', label }: LoadOptions = {},
): LoadedWeights => {
  const stored = new Map(Object.entries(tensors).map(([name, value]) => [`${prefix}${name}`, value]));
  const report = compareNames(params, stored);
  if (strict) requireAll(report, label);
  const unfit = new Set([...report.missing, ...report.mismatched.map(({ name }) => name)]);
  const loaded = mapTree(
    (leaf, path) => (unfit.has(path) ? leaf : constantOf(path, leaf, stored.get(path)!)),
    params,
  );
  return { params: loaded, report };
};

/** What is compared of an array. */
type StoredHead = Pick<StoredTensor, 'dtype' | 'shape'>;

const describe = ({ dtype, shape }: StoredHead): string => `${dtype}[${shape.join(',')}]`;

/** What checkpoints carry besides weights: published ones a counter of batches, those of training the rest of its state. */
const isBeside = (name: string): boolean =>
  name.endsWith('.num_batches_tracked') || name.startsWith('training.');

/** What of the parameters and of a file's arrays did not meet. */
export const compareNames = (params: Params, stored: ReadonlyMap<string, StoredHead>): WeightsReport => {
  const wanted = leavesWithPaths(params);
  const paths = new Set(wanted.map(([path]) => path));
  return {
    missing: wanted.map(([path]) => path).filter((path) => !stored.has(path)),
    unexpected: [...stored.keys()].filter((name) => !paths.has(name) && !isBeside(name)),
    mismatched: wanted.flatMap(([name, leaf]) => {
      const found = stored.get(name);
      if (found === undefined || found.shape.join() === leaf.shape.join()) return [];
      return [{ name, wanted: describeSpec(leaf), found: describe(found) }];
    }),
  };
};

/** Throws the error for the first parameter that was not found as it is. */
export const requireAll = (
  { missing, mismatched }: WeightsReport,
  label: string | undefined,
  where = 'loadWeights',
): void => {
  const advice = 'Use a checkpoint of this configuration, or turn strict off to keep what does not fit.';
  const [other] = mismatched;
  const more = (count: number): string => (count > 1 ? `, and ${count - 1} more like it` : '');
  if (other !== undefined) {
    const needs = `${other.wanted} for '${other.name}'`;
    const got = `${other.found}${more(mismatched.length)}`;
    throw new WeightsError(sentence({ where, label, needs, got, advice }));
  }
  if (missing.length === 0) return;
  const needs = `an array '${missing[0]}'`;
  throw new WeightsError(sentence({ where, label, needs, got: `none${more(missing.length)}`, advice }));
};

const constantOf = (name: string, { shape }: Tensor, stored: StoredTensor): Tensor =>
  tensor(floatsOf(name, stored), { shape, dtype: 'f32' });
