// The verb `data convert`: a dataset of any layout in that of COCO or PASCAL VOC, with its picture files.
import type { Dataset, WrittenDataset } from '@autoassign/datasets';
import { writeCoco, writeVoc } from '@autoassign/datasets';
import type { VerbContext } from '../../program.ts';
import { inOneMove, placePictures, requireNewFolder } from './newFolder.ts';
import { openSplits, problemTotal } from './open.ts';
import type { ConvertOptions, PictureFiles, WrittenFormat } from './options.ts';

const writers = { coco: writeCoco, voc: writeVoc } as const;

/** What to write, where and how. */
interface WriteRequest {
  readonly out: string;
  readonly to: WrittenFormat;
  readonly images: PictureFiles;
  readonly splits: Readonly<Record<string, Dataset>>;
}

/**
 * What was written into a new folder: annotations, lists and picture files, all or nothing.
 *
 * Throws   DatasetError naming what is wrong; the reason of the signal when it fires
 */
export async function writeDataset(
  { out, to, images, splits }: WriteRequest,
  context: VerbContext,
): Promise<WrittenDataset> {
  const { reporter, signal } = context;
  const total = Object.values(splits).reduce((sum, { length }) => sum + length, 0);
  return inOneMove(out, async (draft) => {
    const progress = reporter.progress({ label: 'write annotations', total, unit: 'pictures' });
    let written: WrittenDataset;
    try {
      written = await writers[to](draft, splits, {
        signal,
        onProgress: (done) => progress.update(done),
      });
    } finally {
      progress.finish();
    }
    await placePictures(draft, { pictures: written.pictures, splits }, images, context);
    return written;
  });
}

/** What was left out when datasets were opened, in one line; empty when nothing was. */
export function leftOutNote(path: string, datasets: readonly Dataset[], { commandFor }: VerbContext): string {
  const count = datasets.reduce((sum, { report }) => sum + problemTotal(report), 0);
  if (count === 0) return '';
  return `Left out: what ${count} ${count === 1 ? 'problem concerns' : 'problems concern'}. '${commandFor('data')} check ${path}' lists them.`;
}

/** Writes a dataset in another layout. */
export async function convertVerb(options: ConvertOptions, context: VerbContext): Promise<void> {
  const { path, to, out, images } = options;
  const { reporter } = context;
  await requireNewFolder(out);
  const { layout, splits: opened } = await openSplits(options, context);
  reporter.message(layout.says);
  const splits = Object.fromEntries(opened.map(({ name, dataset }) => [name, dataset]));
  const note = leftOutNote(path, Object.values(splits), context);
  if (note !== '') reporter.message(note);
  const written = await writeDataset({ out, to, images, splits }, context);
  const counts = opened.map(({ name, dataset }) => `${name} ${dataset.length}`).join(', ');
  const { objects, pictures } = written;
  reporter.event({
    event: 'written',
    folder: out,
    format: to,
    objects,
    pictures: pictures.length,
    splits: Object.keys(splits),
  });
  reporter.result(
    `${to === 'coco' ? 'COCO' : 'PASCAL VOC'} in ${out}: ${counts} pictures, ${objects} objects; picture files: ${describeFiles(images)}.`,
  );
}

/** What became of the picture files, in words. */
export function describeFiles(images: PictureFiles): string {
  return { copy: 'copied', link: 'linked (the same files under a second name)', none: 'none, add them' }[
    images
  ];
}
