// Where the images of a run come from: the shapes dataset, made on disk when it is missing, or a folder of the user's.
import { resolve } from 'node:path';
import type { Dataset, OnProblem, OpenOptions } from '@autoassign/datasets';
import {
  DatasetError,
  detectLayout,
  openCoco,
  openDataset,
  trainingSplits,
  writeShapes,
} from '@autoassign/datasets';
import { holdOut } from './datasetPart.ts';
import type { VerbContext } from './program.ts';
import type { Progress } from './progress.ts';

/** Which images a run uses, as `config.json` keeps it; folders are absolute, so that a run can be resumed from anywhere. */
export type DataSource =
  | { readonly kind: 'shapes'; readonly folder: string; readonly train: number; readonly validation: number }
  | ({ readonly kind: 'folder'; readonly folder: string } & FolderChoices);

/** What the user may choose of a folder; an absent split means the usual one. */
export interface FolderChoices {
  readonly trainSplit?: string | undefined;
  readonly validationSplit?: string | undefined;
  /** What becomes of pictures and objects that cannot be used. */
  readonly onProblem: OnProblem;
  /** Whether symbolic links may lead out of the folder. */
  readonly followLinks: boolean;
}

/** The two parts of the data, and what the user should know of how they came about. */
export interface OpenedData {
  readonly train: Dataset;
  readonly validation: Dataset;
  readonly notes: readonly string[];
}

/** All runs share one set of images, whatever their seed: only so can their results be compared. */
const shapesSeed = 0;
/** Reading that takes longer than this shows its progress, in milliseconds. */
const slowReading = 500;
/** The shapes dataset with the given numbers of images, in a folder that runs under `out` share. */
export function shapesSource(out: string, train: number, validation: number): DataSource {
  return { kind: 'shapes', folder: resolve(out, 'data', `shapes-${train}-${validation}`), train, validation };
}

/** A folder of the user's. */
export function folderSource(folder: string, choices: FolderChoices): DataSource {
  return { kind: 'folder', folder: resolve(folder), ...choices };
}

async function openShapes(
  { folder, train, validation }: DataSource & { readonly kind: 'shapes' },
  { reporter, signal }: VerbContext,
): Promise<OpenedData> {
  let progress: Progress | undefined; // stays away when the images are there already
  const onProgress = (done: number, total: number): void => {
    progress ??= reporter.progress({ label: 'make data', total, start: done, unit: 'images' });
    progress.update(done);
  };
  try {
    await writeShapes(folder, { train, validation, seed: shapesSeed, onProgress, signal });
  } finally {
    progress?.finish();
  }
  return {
    train: await openCoco(folder, { split: 'train' }),
    validation: await openCoco(folder, { split: 'val' }),
    notes: [],
  };
}

/** The dataset of a folder, with a progress line when reading it takes long. */
async function openWithProgress(
  folder: string,
  options: OpenOptions,
  { reporter, signal }: VerbContext,
): Promise<Dataset> {
  const started = performance.now();
  let progress: Progress | undefined;
  const onProgress: OpenOptions['onProgress'] = ({ done, total, unit }) => {
    if (performance.now() - started < slowReading) return;
    progress ??= reporter.progress({ label: 'read annotations', total, start: done, unit });
    progress.update(done);
  };
  try {
    return await openDataset(folder, { ...options, onProgress, signal });
  } finally {
    progress?.finish();
  }
}

function requireSameClasses(folder: string, train: Dataset, validation: Dataset): void {
  const namesOf = ({ classes, categoryIds }: Dataset): string =>
    classes.map((name, label) => `${categoryIds[label]} ${name}`).join(', ');
  if (namesOf(train) === namesOf(validation)) return;
  throw new DatasetError(
    `openData(${folder}): needs the same categories for training and validation, got (${namesOf(train)}) and (${namesOf(validation)}). Make the categories of both files equal.`,
    { file: folder, field: 'categories' },
  );
}

async function openFolder(
  { folder, trainSplit, validationSplit, onProblem, followLinks }: DataSource & { readonly kind: 'folder' },
  seed: number,
  context: VerbContext,
): Promise<OpenedData> {
  const { splits } = await detectLayout(folder, { followLinks });
  const usual = trainingSplits(splits);
  const open = (split: string | undefined): Promise<Dataset> =>
    openWithProgress(folder, { ...(split === undefined ? {} : { split }), onProblem, followLinks }, context);
  // Without any usual split the reader takes the only one there is, or says which ones it cannot choose from.
  const train = await open(trainSplit ?? usual.train);
  const chosen = validationSplit ?? usual.validation;
  if (chosen !== undefined) {
    const validation = await open(chosen);
    requireSameClasses(folder, train, validation);
    return { train, validation, notes: [] };
  }
  const parts = holdOut(train, seed);
  const note =
    train.length === 1
      ? `${folder} holds a single image: it is both trained and validated on, so the AP only says whether training works.`
      : `${folder} has no validation split: ${parts.validation.length} of its ${train.length} images, drawn by the seed, are held out.`;
  return { ...parts, notes: [note] };
}

/** What was left out when a dataset was opened, in one line; undefined when nothing was. */
function problemsNote({ name, report: { problems } }: Dataset): string | undefined {
  if (problems.length === 0) return undefined;
  const shown = problems.slice(0, 3).map(({ kind, image, file }) => `${image ?? file} (${kind})`);
  const more = problems.length > shown.length ? `, and ${problems.length - shown.length} more` : '';
  const noun = problems.length === 1 ? 'problem' : 'problems';
  return `${name}: ${problems.length} ${noun}, left out: ${shown.join(', ')}${more}.`;
}

/**
 * The training and validation images of a source; shapes are written to disk first unless they are there.
 *
 * Throws   DatasetError naming what is wrong; the reason of the signal when it fires while images are made
 */
export async function openData(source: DataSource, seed: number, context: VerbContext): Promise<OpenedData> {
  const opened =
    source.kind === 'shapes' ? await openShapes(source, context) : await openFolder(source, seed, context);
  const left = [...new Set([opened.train, opened.validation])].flatMap((part) => problemsNote(part) ?? []);
  return { ...opened, notes: [...opened.notes, ...left] };
}

/**
 * The images of a folder to evaluate on: the given split, else the one that training validates on, else all it has.
 *
 * Throws   DatasetError naming what is wrong
 */
export async function openForEvaluation(
  folder: string,
  options: { readonly split?: string | undefined } & Pick<FolderChoices, 'onProblem' | 'followLinks'>,
  context: VerbContext,
): Promise<{ readonly dataset: Dataset; readonly notes: readonly string[] }> {
  const { onProblem, followLinks } = options;
  const { splits } = await detectLayout(folder, { followLinks });
  const split =
    options.split ?? trainingSplits(splits).validation ?? splits.find((name) => /^test/.test(name));
  const choice = { ...(split === undefined ? {} : { split }), onProblem, followLinks };
  const dataset = await openWithProgress(folder, choice, context);
  const note = problemsNote(dataset);
  return { dataset, notes: note === undefined ? [] : [note] };
}
