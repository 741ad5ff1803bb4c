// The verb `data show`: pictures of a dataset with their boxes, each as a file, and all on one sheet.
import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import type { Annotation, Dataset, Sample } from '@autoassign/datasets';
import { DatasetError, decodeImage } from '@autoassign/datasets';
import { annotationPicture } from '../../annotationPicture.ts';
import { writeFileAtomic } from '../../atomicFile.ts';
import { UsageError } from '../../exitCodes.ts';
import type { Picture } from '../../pictures.ts';
import { contactSheet, drawnImage, renderPicture } from '../../pictures.ts';
import type { VerbContext } from '../../program.ts';
import { distinctNames } from '../../runResults.ts';
import { inOneMove, requireNewFolder } from './newFolder.ts';
import { groupSplits, openSplits } from './open.ts';
import type { ShowOptions } from './options.ts';

const largestPicture = 1600;
const smallestPicture = 512;
const sheetPicture = 256;
/** The sheet shows the first of them only: with more, none can be made out. */
const mostOnSheet = 60;

/** A picture to show: where it is and which of its objects are drawn. */
interface Choice {
  readonly dataset: Dataset;
  readonly index: number;
  readonly file: string;
  readonly annotations: readonly Annotation[];
}

/** A position between all others that depends on the seed and the file's name alone. */
function lotOf(seed: number, file: string): string {
  return createHash('sha256').update(`${seed} ${file}`).digest('hex');
}

/** Pictures drawn by lot, those that show one of the classes where classes are named; in the order of their names. */
function choose(
  datasets: readonly Dataset[],
  { count, seed, classes, path }: ShowOptions,
): readonly Choice[] {
  const known = new Set(datasets.flatMap((dataset) => dataset.classes));
  const unknown = classes?.find((name) => !known.has(name));
  if (unknown !== undefined)
    throw new UsageError(
      `--classes needs classes of ${path}, got '${unknown}'. Choose from: ${[...known].join(', ')}.`,
    );
  const wanted = (dataset: Dataset, { label }: Annotation): boolean =>
    classes === undefined || classes.includes(dataset.classes[label] ?? '');
  const all = datasets.flatMap((dataset) =>
    Array.from({ length: dataset.length }, (_, index): Choice => {
      const { file, annotations } = dataset.record(index);
      return { dataset, index, file, annotations: annotations.filter((one) => wanted(dataset, one)) };
    }),
  );
  return all
    .filter(({ annotations }) => classes === undefined || annotations.length > 0)
    .map((choice) => ({ choice, lot: lotOf(seed, choice.file) }))
    .sort((a, b) => (a.lot < b.lot ? -1 : 1))
    .slice(0, count)
    .map(({ choice }) => choice)
    .sort((a, b) => (a.file < b.file ? -1 : 1));
}

function captionOf({ file, annotations }: Choice, { width, height }: Sample): string {
  const objects = annotations.length === 1 ? '1 object' : `${annotations.length} objects`;
  return `${file}  ·  ${width}x${height}  ·  ${objects}`;
}

/** A small copy for the sheet: holding the photographs themselves would fill the memory. */
async function reduced(picture: Picture, file: string): Promise<Picture> {
  const pixels = await decodeImage(await renderPicture(picture, 'png'), file);
  return drawnImage(pixels, 1, []);
}

/** Writes one file per picture and gives the small copies for the sheet. */
async function writePictures(
  folder: string,
  choices: readonly Choice[],
  { reporter, signal }: VerbContext,
): Promise<readonly Picture[]> {
  const names = distinctNames(
    choices.map(({ file }) => basename(file, extname(file)).replace(/[^\w.-]/g, '_')),
  );
  const progress = reporter.progress({ label: 'draw', total: choices.length, unit: 'pictures' });
  const small: Picture[] = [];
  try {
    for (const [index, choice] of choices.entries()) {
      signal.throwIfAborted();
      const sample = await choice.dataset.at(choice.index);
      const { annotations } = choice;
      const caption = captionOf(choice, sample);
      const scene = { image: sample.pixels, annotations, classNames: choice.dataset.classes, caption };
      const longest = Math.max(sample.width, sample.height);
      const target = Math.min(largestPicture, Math.max(longest, smallestPicture));
      const picture = annotationPicture(scene, { target });
      await writeFileAtomic(join(folder, `${names[index]}.jpg`), await renderPicture(picture, 'jpeg'));
      if (small.length < mostOnSheet)
        small.push(
          await reduced(
            annotationPicture({ ...scene, caption: choice.file }, { target: sheetPicture }),
            choice.file,
          ),
        );
      reporter.event({
        event: 'picture',
        file: choice.file,
        drawn: `${names[index]}.jpg`,
        objects: annotations.length,
      });
      progress.update(index + 1);
    }
  } finally {
    progress.finish();
  }
  return small;
}

/** Draws the boxes of some pictures and leaves them with a sheet of all in a new folder. */
export async function showVerb(options: ShowOptions, context: VerbContext): Promise<void> {
  const { path, out, classes } = options;
  await requireNewFolder(out);
  const { layout, splits } = await openSplits(options, context);
  context.reporter.message(layout.says);
  const choices = choose(
    groupSplits(splits).map(({ dataset }) => dataset),
    options,
  );
  if (choices.length === 0)
    throw new DatasetError(
      `show(${path}): needs at least one picture${classes === undefined ? '' : ` with ${classes.join(' or ')}`}, got none. Choose another split or other classes.`,
      { file: path },
    );
  await inOneMove(out, async (draft) => {
    await mkdir(draft);
    const small = await writePictures(draft, choices, context);
    const columns = Math.ceil(Math.sqrt(small.length));
    const shown = small.length < choices.length ? `, the first ${small.length} of ${choices.length}` : '';
    const title = `${basename(path)}  ·  dashed: not used in training${shown}`;
    const sheet = contactSheet(small, { columns, title });
    await writeFileAtomic(join(draft, 'sheet.png'), await renderPicture(sheet, 'png'));
  });
  context.reporter.event({ event: 'shown', folder: out, pictures: choices.length });
  context.reporter.result(
    `${choices.length} ${choices.length === 1 ? 'picture' : 'pictures'} and sheet.png in ${out}`,
  );
}
