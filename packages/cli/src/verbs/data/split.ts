// The verb `data split`: a dataset divided by lot into parts, every class in its share in every part.
import type { Dataset } from '@autoassign/datasets';
import { DatasetError, splitDataset } from '@autoassign/datasets';
import { datasetPart } from '../../datasetPart.ts';
import type { VerbContext } from '../../program.ts';
import { textTable } from '../../textTable.ts';
import { describeFiles, leftOutNote, writeDataset } from './convert.ts';
import { requireNewFolder } from './newFolder.ts';
import type { SplitGroup } from './open.ts';
import { groupSplits, openSplits } from './open.ts';
import type { SplitVerbOptions } from './options.ts';

/** The one dataset to divide. */
function onlyGroup(path: string, groups: readonly SplitGroup[]): Dataset {
  const [first, second] = groups;
  if (first !== undefined && second === undefined) return first.dataset;
  throw new DatasetError(
    `split(${path}): needs the same classes in every split, got different ones in ${groups.map(({ names }) => names.join(' and ')).join(' and in ')}. Choose one with --split.`,
    { file: path },
  );
}

/** Pictures of every class in every part. */
function partTable(parts: Readonly<Record<string, Dataset>>): readonly string[] {
  const names = Object.keys(parts);
  const datasets = Object.values(parts);
  const counts = datasets.map(picturesByClass);
  const classes = datasets[0]?.classes ?? [];
  const total = datasets.map(({ length }) => length);
  const rows = classes.map((name, label) => [name, ...counts.map((count) => count[label] ?? 0)]);
  return textTable(['pictures of', ...names], [['all', ...total], ...rows]);
}

function picturesByClass(dataset: Dataset): readonly number[] {
  const counts = dataset.classes.map(() => 0);
  for (let index = 0; index < dataset.length; index += 1) {
    const labels = new Set(dataset.record(index).annotations.map(({ label }) => label));
    for (const label of labels) counts[label] = (counts[label] ?? 0) + 1;
  }
  return counts;
}

/** Divides a dataset and writes its parts as the splits of a new one. */
export async function splitVerb(options: SplitVerbOptions, context: VerbContext): Promise<void> {
  const { path, out, parts: shares, seed, stratify, images } = options;
  const { reporter } = context;
  await requireNewFolder(out);
  const { layout, splits } = await openSplits(options, context);
  reporter.message(layout.says);
  const dataset = onlyGroup(path, groupSplits(splits));
  const note = leftOutNote(path, [dataset], context);
  if (note !== '') reporter.message(note);
  const indices = splitDataset(dataset, { parts: shares, seed, isStratified: stratify });
  const parts = Object.fromEntries(
    Object.entries(indices).map(([name, chosen]) => [name, datasetPart(dataset, chosen, name)]),
  );
  const empty = Object.keys(parts).find((name) => parts[name]?.length === 0);
  if (empty !== undefined)
    throw new DatasetError(
      `split(${path}): needs at least one picture for every part, got none for ${empty} of ${dataset.length} pictures. Make its share larger.`,
      { file: path, field: 'parts' },
    );
  const to = options.to ?? (dataset.format === 'voc' ? 'voc' : 'coco');
  await writeDataset({ out, to, images, splits: parts }, context);
  const sizes = Object.fromEntries(Object.entries(parts).map(([name, { length }]) => [name, length]));
  reporter.event({ event: 'split', folder: out, format: to, seed, stratify, parts: sizes });
  const how = stratify ? `by class, seed ${seed}` : `by lot alone, seed ${seed}`;
  reporter.result(
    `${partTable(parts).join('\n')}\n\nDivided ${how}; ${to === 'coco' ? 'COCO' : 'PASCAL VOC'} in ${out}; picture files: ${describeFiles(images)}.`,
  );
}
