// Files of weights of every kind, opened the same way: what arrays they have, under our names where those are known.
import { WeightsError } from '../errors.ts';
import { type ByteSource, sourceOfBytes } from './byteSource.ts';
import { isNeedless, type NameScheme, ourNames, schemeOf, sharedPrefix } from './names.ts';
import { openSafetensors, type StoredTensor } from './safetensors.ts';
import { isTorchStart, readTorch } from './torch/readTorch.ts';
import { stateDictOf } from './torch/stateDict.ts';
import type { TorchValue } from './torch/values.ts';

/** An array of a file that was not read yet. */
export interface ArrayHead extends Pick<StoredTensor, 'dtype' | 'shape'> {
  /** Its name in the file. */
  readonly storedName: string;
}

/** What was found out about a file before any array was read. */
export interface FileReport {
  readonly container: 'safetensors' | 'torch zip' | 'torch legacy';
  /** The entry of the file that the arrays stand in; undefined when it has no others. */
  readonly place: string | undefined;
  /** Whose names the file has; undefined when none of them is known. */
  readonly scheme: NameScheme | undefined;
  /** What stood before every name and was taken away, or ''. */
  readonly prefix: string;
  /** Python objects beside the arrays; they were neither read nor executed. */
  readonly foreign: readonly string[];
  /** Entries beside the arrays that a detector does not need, such as the classifier of a pretrained network. */
  readonly dropped: readonly string[];
  /** The classes that the file names, in the order of its labels. */
  readonly classes: readonly string[] | undefined;
}

/** A file of weights whose arrays can be read. */
export interface WeightsFile {
  readonly report: FileReport;
  /** Arrays by our names, or by those of the file where no translation is known. */
  readonly arrays: ReadonlyMap<string, ArrayHead>;
  /** What the file says besides, as text: everything in safetensors, the entries of `meta` whose names begin with 'autoassign_' in files of torch.save. */
  readonly metadata: Readonly<Record<string, string>>;
  /** One array, by the name it has in `arrays`. */
  readonly read: (name: string) => Promise<StoredTensor>;
}

/** How a file is opened. */
export interface OpenOptions {
  /** How messages name the file. */
  readonly label?: string;
  /** Whose names the file has; found out unless given. */
  readonly names?: NameScheme;
  /** The entry of a file of torch.save that holds the weights; found unless given. */
  readonly place?: string;
}

/**
 * A file of torch.save or safetensors with the weights of a detector or of a backbone.
 *
 * Throws   WeightsError when it is neither, is damaged, or its weights hold a Python object that is no tensor
 * Example  const file = await openWeights(await readFile('autoassign_r50_fpn_8x2_1x_coco.pth'))
 */
export const openWeights = async (
  input: Uint8Array | ByteSource,
  options: OpenOptions = {},
): Promise<WeightsFile> => {
  const source = input instanceof Uint8Array ? sourceOfBytes(input) : input;
  const start = await source.read(0, Math.min(64, source.size));
  const looksLikeSafetensors = start[8] === 0x7b && !isTorchStart(start);
  const opened = looksLikeSafetensors
    ? await openedSafetensors(source, options)
    : await openedTorch(source, options);
  return named(opened, options);
};

/** A file before its names are translated. */
interface OpenedFile extends Omit<FileReport, 'scheme' | 'prefix'> {
  readonly heads: ReadonlyMap<string, Pick<StoredTensor, 'dtype' | 'shape'>>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly read: (storedName: string) => Promise<StoredTensor>;
}

const openedSafetensors = async (source: ByteSource, { label }: OpenOptions): Promise<OpenedFile> => {
  const { arrays, metadata, read } = await openSafetensors(source, label);
  const classes = classNames(jsonIn(metadata.classes)) ?? classNames(classesOfConfig(metadata.config));
  return {
    container: 'safetensors',
    place: undefined,
    foreign: [],
    dropped: [],
    classes,
    heads: arrays,
    metadata,
    read,
  };
};

const openedTorch = async (source: ByteSource, { label, place }: OpenOptions): Promise<OpenedFile> => {
  const named = label === undefined ? {} : { label };
  const file = await readTorch(source, { ...named, foreign: 'opaque' });
  const {
    tensors,
    plain,
    place: found,
  } = stateDictOf(file, { ...named, ...(place === undefined ? {} : { place }) });
  return {
    container: `torch ${file.container}`,
    place: found,
    foreign: file.foreign,
    dropped: plain,
    classes: classesOfMeta(file.value),
    heads: tensors,
    metadata: ownMetadata(file.value),
    read: (storedName) => file.arrayOf(tensors.get(storedName)!),
  };
};

const named = (opened: OpenedFile, { label, names }: OpenOptions): WeightsFile => {
  const { heads, metadata, read, dropped, ...report } = opened;
  const prefix = sharedPrefix([...heads.keys()]);
  const stored = [...heads].map(([storedName, head]) => ({
    bare: storedName.startsWith(prefix) ? storedName.slice(prefix.length) : storedName,
    head: { storedName, dtype: head.dtype, shape: head.shape } satisfies ArrayHead,
  }));
  const scheme = names ?? schemeOf(stored.map(({ bare }) => bare));
  const isKept = ({ bare }: { readonly bare: string }): boolean =>
    scheme === undefined || !isNeedless(scheme, bare);
  const ourName = scheme === undefined ? undefined : ourNames(scheme);
  const arrays = new Map<string, ArrayHead>();
  for (const { bare, head } of stored.filter(isKept)) {
    const name = ourName?.(bare) ?? bare;
    if (arrays.has(name)) throw sameName(name, [arrays.get(name)!.storedName, head.storedName], label);
    arrays.set(name, head);
  }
  const needless = stored.filter((entry) => !isKept(entry)).map(({ head }) => head.storedName);
  return {
    report: { ...report, scheme, prefix, dropped: [...dropped, ...needless] },
    arrays,
    metadata,
    read: (name) => read(arrays.get(name)!.storedName),
  };
};

const sameName = (name: string, stored: readonly string[], label: string | undefined): WeightsError =>
  new WeightsError(
    `openWeights${label === undefined ? '' : `(${label})`}: needs one array for '${name}', got ${stored.join(' and ')}. Remove one of them.`,
  );

const jsonIn = (text: string | undefined): unknown => {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
};

const classesOfConfig = (text: string | undefined): unknown =>
  (jsonIn(text) as { readonly classes?: unknown } | null | undefined)?.classes;

/** The value as names of classes, when it is that. */
const classNames = (value: unknown): readonly string[] | undefined =>
  Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === 'string')
    ? (value as string[])
    : undefined;

const entry = (from: TorchValue | undefined, name: string): TorchValue | undefined =>
  from instanceof Map ? from.get(name) : undefined;

/** What stands before our own entries among those of others. */
const ownPrefix = 'autoassign_';

/**
 * The entries of `meta` that carry the metadata of a file of ours into one of torch.save; `openWeights` gives them back.
 *
 * Example  writeTorch(tensors, { meta: torchMeta({ config: JSON.stringify(config) }) })
 */
export const torchMeta = (metadata: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(metadata).map(([name, text]) => [`${ownPrefix}${name}`, text]));

const ownMetadata = (value: TorchValue): Readonly<Record<string, string>> => {
  const meta = entry(value, 'meta');
  if (!(meta instanceof Map)) return {};
  const own = [...meta].flatMap(([name, text]): [string, string][] =>
    typeof name === 'string' && name.startsWith(ownPrefix) && typeof text === 'string'
      ? [[name.slice(ownPrefix.length), text]]
      : [],
  );
  return Object.fromEntries(own);
};

/** The classes that mmdetection writes beside the weights: `meta.CLASSES`, later `meta.dataset_meta.classes`. */
const classesOfMeta = (value: TorchValue): readonly string[] | undefined => {
  const meta = entry(value, 'meta');
  const dataset = entry(meta, 'dataset_meta');
  const found = [entry(meta, 'CLASSES'), entry(dataset, 'classes'), entry(dataset, 'CLASSES')];
  return found.map(classNames).find((names) => names !== undefined);
};
