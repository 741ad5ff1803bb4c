// The verb `convert`: weights from one kind of file into another, under the names of one program or another.
import type { StoredTensor, WeightsFile } from '@autoassign/detector';
import {
  loadCheckpoint,
  openWeights,
  theirNames,
  torchMeta,
  WeightsError,
  writeSafetensors,
  writeTorch,
} from '@autoassign/detector';
import { leavesWithPaths } from '@autoassign/tensor';
import { writeFileAtomic } from '../atomicFile.ts';
import { UsageError } from '../exitCodes.ts';
import { openFileSource } from '../fileSource.ts';
import type { ConvertWeightsOptions } from '../options.ts';
import { presetNamed } from '../presets.ts';
import type { VerbContext } from '../program.ts';
import { withAverage } from '../usableDetector.ts';
import { weightsMetadata } from '../weightsFile.ts';
import { fileLines, loadingLines } from '../weightsReport.ts';

/** What is written: arrays by the names that they get, and what the file says besides. */
interface Content {
  readonly arrays: Readonly<Record<string, StoredTensor>>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly classes: readonly string[] | undefined;
}

/** The kinds of files that can be written, by the end of their names. */
const writers: Readonly<Record<string, (content: Content) => Uint8Array>> = {
  '.safetensors': ({ arrays, metadata, classes }) => {
    const named =
      classes === undefined || metadata.config !== undefined ? {} : { classes: JSON.stringify(classes) };
    return writeSafetensors(arrays, { ...metadata, ...named });
  },
  '.pth': ({ arrays, metadata, classes }) =>
    writeTorch(arrays, {
      meta: { ...(classes === undefined ? {} : { CLASSES: classes }), ...torchMeta(metadata) },
    }),
};

function writerFor(path: string): (content: Content) => Uint8Array {
  const end = Object.keys(writers).find((ending) => path.endsWith(ending));
  if (end !== undefined) return writers[end]!;
  throw new UsageError(
    `<out> needs a name that ends in ${Object.keys(writers).join(' or ')}, got '${path}'. The end says what is written.`,
  );
}

/** All arrays of a file, as they are. */
async function storedArrays(file: WeightsFile): Promise<Record<string, StoredTensor>> {
  const arrays: Record<string, StoredTensor> = {};
  for (const name of file.arrays.keys()) arrays[name] = await file.read(name);
  return arrays;
}

function withNames(
  arrays: Readonly<Record<string, StoredTensor>>,
  { names, input }: ConvertWeightsOptions,
): Readonly<Record<string, StoredTensor>> {
  const nameOf = theirNames(names);
  const renamed = Object.entries(arrays).map(([name, stored]): [string, StoredTensor] => {
    const given = nameOf(name);
    if (given !== undefined) return [given, stored];
    throw new WeightsError(
      `convert(${input}): needs arrays that have names in the scheme '${names}', got '${name}'. Convert with --names mmdetection.`,
    );
  });
  return Object.fromEntries(renamed);
}

function requireClasses(file: WeightsFile, { classes, input }: ConvertWeightsOptions): void {
  const count = file.arrays.get('bbox_head.conv_cls.bias')?.shape[0];
  if (classes === undefined || count === undefined || classes.length === count) return;
  throw new UsageError(
    `--classes needs the names of the ${count} classes of ${input}, got ${classes.length}. Give them in the order of their labels.`,
  );
}

/** The arrays of a preset's network, which must all be there, with its configuration beside them. */
async function ofPreset(
  file: WeightsFile,
  name: string,
  { input, classes = file.report.classes }: ConvertWeightsOptions,
  { reporter }: VerbContext,
): Promise<Content> {
  if (classes === undefined)
    throw new UsageError(
      `--preset needs the names of the classes, which ${input} does not have. Give them as --classes a,b,c.`,
    );
  const { detector, images } = presetNamed(name);
  const config = detector(classes);
  const { params, report } = await loadCheckpoint(file, config, { label: input, strict: true, classes });
  for (const line of loadingLines(report)) reporter.message(line);
  const { missing, unexpected, mismatched, loaded } = report;
  reporter.event({ event: 'loaded', preset: name, loaded: loaded.length, missing, unexpected, mismatched });
  const arrays: Record<string, StoredTensor> = {};
  for (const [path, { shape, source }] of leavesWithPaths(params))
    if (source.kind === 'constant') arrays[path] = { dtype: 'F32', shape, data: floatsOf(source.data) };
  return { arrays, classes, metadata: weightsMetadata({ config, images, step: 0 }) };
}

/** Values as they are stored; weights are single floats already, unless the file had doubles. */
function floatsOf(data: ArrayLike<number>): Float32Array {
  return data instanceof Float32Array ? data : Float32Array.from(data);
}

/** Writes the weights of one file as another. */
export async function convertWeightsVerb(
  options: ConvertWeightsOptions,
  context: VerbContext,
): Promise<void> {
  const { input, output, names, preset, classes: given } = options;
  const { reporter, signal } = context;
  const write = writerFor(output);
  const source = await openFileSource(input);
  try {
    const opened = await openWeights(source, { label: input });
    const { report } = opened;
    for (const line of fileLines(input, opened.arrays.size, report)) reporter.message(line);
    reporter.event({ event: 'opened', file: input, arrays: opened.arrays.size, ...report });
    requireClasses(opened, options);
    signal.throwIfAborted();
    const file = withAverage(opened);
    const content =
      preset === undefined
        ? { arrays: await storedArrays(file), metadata: keptMetadata(file), classes: given ?? report.classes }
        : await ofPreset(file, preset, options, context);
    signal.throwIfAborted();
    const bytes = write({ ...content, arrays: withNames(content.arrays, options) });
    await writeFileAtomic(output, bytes);
    const arrays = Object.keys(content.arrays).length;
    reporter.event({ event: 'converted', file: output, arrays, bytes: bytes.length, names });
    reporter.result(`${output}: ${arrays} arrays, ${(bytes.length / 1e6).toFixed(1)} MB, names of ${names}.`);
  } finally {
    await source.close();
  }
}

/** What a file of ours says that is still true of its weights alone. */
function keptMetadata({ metadata }: WeightsFile): Readonly<Record<string, string>> {
  const { config, notes, step } = metadata;
  if (config === undefined) return {};
  const kept = { format: 'autoassign weights 1', config, notes, step };
  return Object.fromEntries(
    Object.entries(kept).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
