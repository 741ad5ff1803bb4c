// Opening datasets for the verbs of `data`: their splits, progress while large files are read, and all splits as one dataset.
import { stat } from 'node:fs/promises';
import type { Dataset, DatasetReport, ImageRecord, Sample } from '@autoassign/datasets';
import { countProblems, detectLayout, openDataset } from '@autoassign/datasets';
import type { VerbContext } from '../../program.ts';
import type { Progress } from '../../progress.ts';
import type { DatasetOptions } from './options.ts';

/** A split and its images. */
export interface OpenedSplit {
  /** `all` where the dataset has no splits. */
  readonly name: string;
  readonly dataset: Dataset;
}

/** Where a dataset is, and which of its splits is meant. */
type DatasetPlace = Pick<DatasetOptions, 'path' | 'followLinks'> & { readonly split?: string | undefined };

/** What is at a path, and its splits by name; undefined stands for the only one of a dataset without splits. */
interface FoundLayout {
  /** What was recognised, in a sentence. */
  readonly says: string;
  readonly splits: readonly (string | undefined)[];
}

/** What is over within this time needs no progress bar. */
const quickMilliseconds = 500;

/** What a dataset without splits is called where a name is needed. */
const wholeName = 'all';

/**
 * The layout of a dataset, with the splits that are asked for: all, or the one named.
 *
 * Throws   DatasetError when there is no dataset at the path
 */
export async function findLayout({ path, split, followLinks = false }: DatasetPlace): Promise<FoundLayout> {
  // one file can be named instead of a folder; then there is nothing to choose from
  if ((await stat(path)).isFile()) return { says: `One file: ${path}`, splits: [split] };
  const { splits, says } = await detectLayout(path, { followLinks });
  if (split !== undefined) return { says, splits: [split] };
  return { says, splits: splits.length === 0 ? [undefined] : splits };
}

/**
 * One split, with a progress bar while large files are read.
 *
 * Throws   DatasetError naming what is wrong; the reason of the signal when it fires
 */
export async function openSplit(
  { path, split, followLinks = false }: DatasetPlace,
  { reporter, signal }: VerbContext,
): Promise<OpenedSplit> {
  let progress: Progress | undefined; // stays away from what is over at once
  const started = performance.now();
  const name = split === undefined || split === '' ? wholeName : split;
  try {
    const dataset = await openDataset(path, {
      ...(split === undefined ? {} : { split }),
      followLinks,
      signal,
      onProgress: ({ done, total, unit }) => {
        const isOver = done >= total || performance.now() - started < quickMilliseconds;
        if (progress === undefined && isOver) return;
        const scale = unit === 'bytes' ? 1e6 : 1;
        const start = Math.floor(done / scale);
        const counted = { total: Math.ceil(total / scale), unit: unit === 'bytes' ? 'MB' : unit };
        progress ??= reporter.progress({ label: `open ${name}`, start, ...counted });
        progress.update(start);
      },
    });
    return { name, dataset };
  } finally {
    progress?.finish();
  }
}

/**
 * All splits of a dataset, or the one named.
 *
 * Throws   as `findLayout` and `openSplit` do
 */
export async function openSplits(
  place: DatasetPlace,
  context: VerbContext,
): Promise<{ readonly layout: FoundLayout; readonly splits: readonly OpenedSplit[] }> {
  const layout = await findLayout(place);
  const splits: OpenedSplit[] = [];
  for (const split of layout.splits) splits.push(await openSplit({ ...place, split }, context));
  return { layout, splits };
}

/** Splits of the same classes, with their pictures as one dataset in which each is once. */
export interface SplitGroup {
  readonly names: readonly string[];
  readonly dataset: Dataset;
}

/** The splits grouped by their classes, in order; a dataset whose splits have the same classes is one group. */
export function groupSplits(splits: readonly OpenedSplit[]): readonly SplitGroup[] {
  const byClasses = new Map<string, OpenedSplit[]>();
  for (const split of splits) {
    const { classes, categoryIds } = split.dataset;
    const key = JSON.stringify([classes, categoryIds]);
    byClasses.set(key, [...(byClasses.get(key) ?? []), split]);
  }
  return [...byClasses.values()].flatMap((group) => {
    const [first, ...others] = group.map(({ dataset }) => dataset);
    return first === undefined
      ? []
      : [{ names: group.map(({ name }) => name), dataset: unionOf(first, others) }];
  });
}

/** What tells one picture from another: the path of its file where that is known. */
function pictureKey(dataset: Dataset, index: number): string {
  return dataset.locate?.(index) ?? dataset.record(index).file;
}

/** Several datasets of the same classes as one: pictures in the order of their first appearance, problems once each. */
function unionOf(first: Dataset, others: readonly Dataset[]): Dataset {
  if (others.length === 0) return first;
  const datasets = [first, ...others];
  const seen = new Set<string>();
  const places: { readonly dataset: Dataset; readonly index: number }[] = [];
  for (const dataset of datasets) {
    for (let index = 0; index < dataset.length; index += 1) {
      const key = pictureKey(dataset, index);
      if (seen.has(key)) continue;
      seen.add(key);
      places.push({ dataset, index });
    }
  }
  const placeAt = (index: number): { readonly dataset: Dataset; readonly index: number } =>
    places[index] ?? { dataset: first, index: first.length }; // beyond the end: refused there
  const record = (index: number): ImageRecord => {
    const place = placeAt(index);
    return place.dataset.record(place.index);
  };
  const at = (index: number): Promise<Sample> => {
    const place = placeAt(index);
    return place.dataset.at(place.index);
  };
  const canLocate = datasets.every(({ locate }) => locate !== undefined);
  const locate = (index: number): string => {
    const place = placeAt(index);
    return place.dataset.locate?.(place.index) ?? '';
  };
  const { name, format, classes, categoryIds } = first;
  const report = reportOf(places.length, record, datasets);
  const common = { name, format, classes, categoryIds, length: places.length, report, record, at };
  return {
    ...common,
    ...(canLocate ? { locate } : {}),
    async *[Symbol.asyncIterator]() {
      for (let index = 0; index < places.length; index += 1) yield await at(index);
    },
  };
}

/** What tells one problem from another, in whichever split it was met. */
export function problemKey({ kind, file, place, image }: DatasetReport['problems'][number]): string {
  return JSON.stringify([kind, file, place, image]);
}

function reportOf(
  length: number,
  record: (index: number) => ImageRecord,
  datasets: readonly Dataset[],
): DatasetReport {
  let [objects, crowds, imagesWithoutObjects] = [0, 0, 0];
  for (let index = 0; index < length; index += 1) {
    const { annotations } = record(index);
    objects += annotations.length;
    crowds += annotations.filter(({ isCrowd }) => isCrowd).length;
    if (annotations.length === 0) imagesWithoutObjects += 1;
  }
  const found = new Map(
    datasets.flatMap(({ report }) =>
      report.problems.map((problem) => [problemKey(problem), problem] as const),
    ),
  );
  const problems = [...found.values()];
  const problemCounts: Record<string, number> = countProblems(problems);
  for (const { report } of datasets)
    for (const [kind, count] of Object.entries(unlistedProblems(report)))
      problemCounts[kind] = (problemCounts[kind] ?? 0) + count;
  return { images: length, objects, crowds, imagesWithoutObjects, problems, problemCounts };
}

/** How many problems of every kind a report counts, but does not list: only the first 10,000 of a kind are listed. */
export function unlistedProblems({
  problems,
  problemCounts,
}: Pick<DatasetReport, 'problems' | 'problemCounts'>): Readonly<Record<string, number>> {
  const listed: Readonly<Record<string, number>> = countProblems(problems);
  const more = Object.entries(problemCounts).map(
    ([kind, count]) => [kind, count - (listed[kind] ?? 0)] as const,
  );
  return Object.fromEntries(more.filter(([, count]) => count > 0));
}

/** How many problems a report counts. */
export function problemTotal({ problemCounts }: Pick<DatasetReport, 'problemCounts'>): number {
  return Object.values(problemCounts).reduce((sum, count) => sum + count, 0);
}
