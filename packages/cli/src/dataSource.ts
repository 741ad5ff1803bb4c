// Where the images of a run come from: the shapes dataset, made on disk when it is missing, or a COCO folder.
import { resolve } from 'node:path';
import type { Dataset } from '@autoassign/datasets';
import { DatasetError, openCoco, writeShapes } from '@autoassign/datasets';
import { holdOut } from './datasetPart.ts';
import type { VerbContext } from './program.ts';
import type { Progress } from './progress.ts';

/** Which images a run uses, as `config.json` keeps it; folders are absolute, so that a run can be resumed from anywhere. */
export type DataSource =
  | { readonly kind: 'shapes'; readonly folder: string; readonly train: number; readonly validation: number }
  | { readonly kind: 'coco'; readonly folder: string };

/** The two parts of the data, and what the user should know of how they came about. */
export interface OpenedData {
  readonly train: Dataset;
  readonly validation: Dataset;
  readonly notes: readonly string[];
}

/** All runs share one set of images, whatever their seed: only so can their results be compared. */
const shapesSeed = 0;
const validationNames: readonly string[] = ['val', 'valid', 'validation', 'test'];

/** The shapes dataset with the given numbers of images, in a folder that runs under `out` share. */
export function shapesSource(out: string, train: number, validation: number): DataSource {
  return { kind: 'shapes', folder: resolve(out, 'data', `shapes-${train}-${validation}`), train, validation };
}

/** A folder of the user's. */
export function cocoSource(folder: string): DataSource {
  return { kind: 'coco', folder: resolve(folder) };
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

/** The split of a COCO folder; undefined when the folder has annotations, but none for this split. */
async function openSplit(folder: string, split: string): Promise<Dataset | undefined> {
  try {
    return await openCoco(folder, { split });
  } catch (error) {
    if (error instanceof DatasetError && error.field === 'split') return undefined;
    throw error;
  }
}

async function openValidation(folder: string): Promise<Dataset | undefined> {
  for (const name of validationNames) {
    const found = await openSplit(folder, name);
    if (found !== undefined) return found;
  }
  return undefined;
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

async function openCocoFolder(folder: string, seed: number): Promise<OpenedData> {
  const train = await openSplit(folder, 'train');
  const validation = train === undefined ? undefined : await openValidation(folder);
  if (train !== undefined && validation !== undefined) {
    requireSameClasses(folder, train, validation);
    return { train, validation, notes: [] };
  }
  const whole = train ?? (await openCoco(folder)); // says which splits there are when it cannot choose
  const parts = holdOut(whole, seed);
  const note =
    whole.length === 1
      ? `${folder} holds a single image: it is both trained and validated on, so the AP only says whether training works.`
      : `${folder} has no validation split: ${parts.validation.length} of its ${whole.length} images, drawn by the seed, are held out.`;
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
    source.kind === 'shapes' ? await openShapes(source, context) : await openCocoFolder(source.folder, seed);
  const left = [...new Set([opened.train, opened.validation])].flatMap((part) => problemsNote(part) ?? []);
  return { ...opened, notes: [...opened.notes, ...left] };
}

/**
 * The images of a folder to evaluate on: its validation split, else its test split, else all it has.
 *
 * Throws   DatasetError naming what is wrong
 */
export async function openForEvaluation(
  folder: string,
): Promise<{ readonly dataset: Dataset; readonly notes: readonly string[] }> {
  const dataset = (await openValidation(folder)) ?? (await openCoco(folder));
  const note = problemsNote(dataset);
  return { dataset, notes: note === undefined ? [] : [note] };
}
