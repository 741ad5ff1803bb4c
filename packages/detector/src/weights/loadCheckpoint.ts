// Parameters for a configuration from a file of whatever origin: a checkpoint of this detector or of its published implementations, with
// the same classes or others, or a pretrained backbone.
import type { Data, Tensor } from '@autoassign/tensor';
import { key, leavesWithPaths, mapTree, read, sentence, tensor } from '@autoassign/tensor';
import type { DetectorConfig } from '../config.ts';
import { WeightsError } from '../errors.ts';
import { materialize } from '../model/materialize.ts';
import { initParams, type Params } from '../model/network.ts';
import type { ByteSource } from './byteSource.ts';
import { type ClassMatch, isPerClass, matchClasses, pickRows, requireClasses } from './classes.ts';
import { compareNames, requireAll, type WeightsReport } from './loadWeights.ts';
import { floatsOf } from './values.ts';
import {
  type ArrayHead,
  type FileReport,
  type OpenOptions,
  openWeights,
  type WeightsFile,
} from './weightsFile.ts';

/** How a checkpoint is loaded. */
export interface LoadCheckpointOptions extends OpenOptions {
  /**
   * Whether every parameter must be found, every class among them, as for prediction; by default what the file does not have keeps its
   * initial value, as when training begins with a pretrained network.
   */
  readonly strict?: boolean;
  /** The classes of the file by label; those that it names unless given. */
  readonly classes?: readonly string[];
  /** Where initial values of what the file does not have come from. */
  readonly seed?: number;
}

/** What was loaded, and what was not. */
export interface CheckpointReport extends WeightsReport, FileReport {
  /** Parameters that have values of the file. */
  readonly loaded: readonly string[];
  /** Which classes have weights of the file; undefined when they are taken as they stand. */
  readonly classMatch: ClassMatch | undefined;
}

/** Parameters from a file, with an account of them. */
export interface LoadedCheckpoint {
  readonly params: Params;
  readonly report: CheckpointReport;
}

const where = 'loadCheckpoint';

/**
 * The parameters of a detector with the values of a file, as constants.
 *
 * Throws   WeightsError when the file cannot be read, has none of the parameters, or, with `strict`, lacks one
 * Example  const { params, report } = await loadCheckpoint(bytes, resnet50Config(classes), { label: 'resnet50.pth' })
 */
export const loadCheckpoint = async (
  input: Uint8Array | ByteSource | WeightsFile,
  config: DetectorConfig,
  options: LoadCheckpointOptions = {},
): Promise<LoadedCheckpoint> => {
  const { label, strict = false, seed = 0 } = options;
  const file = 'arrays' in input ? input : await openWeights(input, options);
  const initial = initParams(config, key(seed));
  const classMatch = classesIn(file, config, options);
  const report = compareNames(initial, headsWithClasses(file, classMatch));
  if (strict && classMatch !== undefined) requireClasses(classMatch, label);
  if (strict) requireAll(report, label, where);
  const unfit = new Set([...report.missing, ...report.mismatched.map(({ name }) => name)]);
  const found = leavesWithPaths(initial).filter(([name]) => !unfit.has(name));
  if (found.length === 0) throw nothingFound(file, label);
  const values = new Map<string, Tensor>();
  for (const [name, leaf] of found) values.set(name, await leafOf(file, name, { leaf, classMatch }));
  const params = await materialize(mapTree((leaf, name) => values.get(name) ?? leaf, initial));
  const loaded = found.map(([name]) => name);
  return { params, report: { ...file.report, ...report, loaded, classMatch } };
};

const classesIn = (
  { arrays, report }: WeightsFile,
  { classes: ours }: DetectorConfig,
  { classes: given, label }: LoadCheckpointOptions,
): ClassMatch | undefined => {
  const count = arrays.get('bbox_head.conv_cls.bias')?.shape[0];
  if (count === undefined) return undefined;
  if (given !== undefined && given.length !== count) throw otherCount(given.length, count, label);
  return matchClasses({ ours, count, theirs: given ?? report.classes });
};

/** The arrays of a file, those with a row per class with the rows that they will have. */
const headsWithClasses = (
  { arrays }: WeightsFile,
  match: ClassMatch | undefined,
): ReadonlyMap<string, ArrayHead> => {
  if (match === undefined || match.kept.length === 0) return arrays;
  const entries = [...arrays].map(([name, head]): [string, ArrayHead] => {
    const shape = [match.rows.length, ...head.shape.slice(1)];
    return [name, isPerClass(name) ? { ...head, shape } : head];
  });
  return new Map(entries);
};

const leafOf = async (
  file: WeightsFile,
  name: string,
  { leaf, classMatch }: { readonly leaf: Tensor; readonly classMatch: ClassMatch | undefined },
): Promise<Tensor> => {
  const { shape } = leaf;
  const stored = floatsOf(name, await file.read(name));
  if (classMatch === undefined || !isPerClass(name)) return owned(stored, shape);
  const [initial] = (await materialize([leaf])) as [Tensor];
  return owned(pickRows(classMatch, stored, await read(initial)), shape);
};

/** A tensor of an array that was read for it alone, or is shared with others that do not change it either. */
const owned = (data: Data, shape: readonly number[]): Tensor =>
  tensor(data, { shape, dtype: 'f32', adopt: true });

const otherCount = (given: number, count: number, label: string | undefined): WeightsError =>
  new WeightsError(
    sentence({
      where,
      label,
      needs: `the names of ${count} classes, as many as the file has weights for`,
      got: String(given),
      advice: 'Give the classes that the file was trained on, in their order.',
    }),
  );

const nothingFound = ({ arrays }: WeightsFile, label: string | undefined): WeightsError => {
  const names = [...arrays.keys()];
  const more = names.length > 3 ? `, … (${names.length} arrays)` : '';
  return new WeightsError(
    sentence({
      where,
      label,
      needs: 'arrays of this configuration',
      got: `${names.slice(0, 3).join(', ')}${more}, none of which fits`,
      advice: 'Give a checkpoint of an AutoAssign detector or of a ResNet, or another configuration.',
    }),
  );
};
