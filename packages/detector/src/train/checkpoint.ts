// Saving a training run and going on with it, bit for bit: state, place in the data, seed and configuration in one safetensors file.
import type { Data, Tensor } from '@autoassign/tensor';
import { describeSpec, leavesWithPaths, mapTree, read, scalar, sentence, tensor } from '@autoassign/tensor';
import { configHash, type DetectorConfig } from '../config.ts';
import { WeightsError } from '../errors.ts';
import { validateConfig } from '../validateConfig.ts';
import { checksumOf } from '../weights/checksum.ts';
import { readSafetensors, type StoredTensor, writeSafetensors } from '../weights/safetensors.ts';
import type { DataPosition } from './events.ts';
import type { TrainState } from './state.ts';

/** What a checkpoint says besides the state. */
export interface CheckpointInfo {
  readonly config: DetectorConfig;
  /** Where the next batch stands. */
  readonly data: DataPosition;
  /** The seed of the run, from which all its randomness came. */
  readonly seed: number;
  /** Whatever else the caller needs to go on, as text. */
  readonly notes?: Readonly<Record<string, string>>;
}

/** A checkpoint that was read. */
export interface Checkpoint extends Required<CheckpointInfo> {
  readonly configHash: string;
  /** Steps done. */
  readonly step: number;
  /** Parameters under their published names; the rest of the state under `training.`. */
  readonly tensors: Readonly<Record<string, StoredTensor>>;
}

const format = 'autoassign training checkpoint 1';

/** The name of a leaf of the state in the file; undefined for what a file does not need. */
const storedName = (path: string): string | undefined => {
  if (path === 'failedAt') return undefined;
  return path.startsWith('params.') ? path.slice('params.'.length) : `training.${path}`;
};

/**
 * The bytes of a checkpoint: all of the state, so that a run restored from it goes on bit for bit.
 *
 * Example  await writeFile(path, await writeCheckpoint(state, { config, data: { epoch: 0, position: 600 }, seed: 0 }))
 */
export const writeCheckpoint = async (state: TrainState, info: CheckpointInfo): Promise<Uint8Array> => {
  const tensors: [string, StoredTensor][] = [];
  for (const [path, leaf] of leavesWithPaths(state)) {
    const name = storedName(path);
    if (name !== undefined) tensors.push([name, storedOf(leaf, await read(leaf))]);
  }
  const stored = Object.fromEntries(tensors);
  return writeSafetensors(stored, {
    format,
    config: JSON.stringify(info.config),
    configHash: configHash(info.config),
    data: JSON.stringify(info.data),
    seed: String(info.seed),
    notes: JSON.stringify(info.notes ?? {}),
    checksum: checksumOf(stored),
  });
};

const storedOf = ({ shape }: Tensor, data: Data): StoredTensor => {
  if (data instanceof Int32Array) return { dtype: 'I32', shape, data };
  if (data instanceof Uint8Array) return { dtype: 'BOOL', shape, data };
  return data instanceof Float64Array ? { dtype: 'F64', shape, data } : { dtype: 'F32', shape, data };
};

/**
 * The checkpoint in the bytes of a file.
 *
 * Throws   WeightsError when the file is damaged or no checkpoint of this format; ConfigError when its configuration is not valid
 */
export const readCheckpoint = (bytes: Uint8Array, label?: string): Checkpoint => {
  const { tensors, metadata } = readSafetensors(bytes, label);
  const { format: found = 'a file without a format' } = metadata;
  if (found !== format) throw noCheckpoint(label, found);
  const [config, data, notes, seed] = ['config', 'data', 'notes', 'seed'].map((name) =>
    parsed(metadata[name], () => noCheckpoint(label, `a damaged '${name}' in its metadata`)),
  );
  requireUndamaged(tensors, metadata, label);
  const step = tensors['training.step']?.data[0];
  if (!isPosition(data) || !isText(notes) || !Number.isSafeInteger(seed) || !isCount(step))
    throw noCheckpoint(label, 'one whose data position, notes, seed or step is damaged');
  const valid = validateConfig(config);
  return {
    config: valid,
    configHash: configHash(valid),
    data,
    notes,
    seed: seed as number,
    step,
    tensors,
  };
};

/** Refuses arrays that are not those of the checksum beside them; a file without one is from before there were any. */
const requireUndamaged = (
  tensors: Checkpoint['tensors'],
  { checksum }: Readonly<Record<string, string>>,
  label: string | undefined,
): void => {
  if (checksum === undefined) return;
  const found = checksumOf(tensors);
  if (found === checksum) return;
  throw new WeightsError(
    sentence({
      where: 'readCheckpoint',
      label,
      needs: `arrays with the checksum ${checksum} they were written with`,
      got: found,
      advice: 'The file is damaged: take a copy of it, or start a new run.',
    }),
  );
};

const parsed = (text: string | undefined, complaint: () => Error): unknown => {
  try {
    return JSON.parse(String(text));
  } catch {
    throw complaint();
  }
};

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

const isPosition = (value: unknown): value is DataPosition => {
  const { epoch, position } = { ...(value as Partial<DataPosition> | null) };
  return isCount(epoch) && isCount(position);
};

const isText = (value: unknown): value is Record<string, string> =>
  typeof value === 'object' && value !== null && Object.values(value).every((x) => typeof x === 'string');

const noCheckpoint = (label: string | undefined, got: string): WeightsError =>
  new WeightsError(
    sentence({
      where: 'readCheckpoint',
      label,
      needs: `a file of the format '${format}'`,
      got,
      advice: 'Give a checkpoint that training wrote; weights alone can be loaded, but not resumed.',
    }),
  );

/**
 * The state of a checkpoint, as constants, in the structure of a fresh state of the same configuration and optimiser.
 *
 * Throws   WeightsError naming what is missing, unexpected or of another shape
 * Example  const state = restoreState(await initialState(config, params, optimizer), readCheckpoint(bytes))
 */
export const restoreState = (fresh: TrainState, { tensors }: Checkpoint, label?: string): TrainState => {
  const unused = new Set(Object.keys(tensors));
  const state = mapTree((leaf, path) => {
    const name = storedName(path);
    if (name === undefined) return scalar(-1, 'i32');
    unused.delete(name);
    const stored = tensors[name];
    if (stored === undefined || stored.shape.join() !== leaf.shape.join())
      throw unfit(label, `${describeSpec(leaf)} for '${name}'`, describe(stored));
    return tensor(stored.data as Data, { shape: leaf.shape, dtype: leaf.dtype });
  }, fresh);
  const [other] = unused;
  if (other !== undefined) throw unfit(label, 'only arrays of this state', `'${other}'`);
  return state;
};

const describe = (stored: StoredTensor | undefined): string =>
  stored === undefined ? 'none' : `${stored.dtype}[${stored.shape.join(',')}]`;

const unfit = (label: string | undefined, needs: string, got: string): WeightsError =>
  new WeightsError(
    sentence({
      where: 'restoreState',
      label,
      needs,
      got,
      advice: 'Resume with the configuration and optimiser that the checkpoint was written with.',
    }),
  );
