// The verb `data info`: what a dataset is and what is in it, as tables, one JSON object, and plots.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatasetStatistics, Spread } from '@autoassign/datasets';
import { datasetStatistics } from '@autoassign/datasets';
import { writeFileAtomic } from '../../atomicFile.ts';
import type { VerbContext } from '../../program.ts';
import { distinctNames } from '../../runResults.ts';
import type { Cell } from '../../textTable.ts';
import { formatCount, textTable } from '../../textTable.ts';
import { datasetPlots } from './infoPlots.ts';
import { inOneMove, requireNewFolder } from './newFolder.ts';
import { groupSplits, openSplits, problemTotal } from './open.ts';
import type { InfoOptions } from './options.ts';

/** Sizes of pictures and classes beyond these are summed up. */
const mostSizes = 8;
const mostClasses = 100;

/** The statistics of the splits that share their classes. */
interface GroupStatistics {
  readonly splits: readonly string[];
  readonly statistics: DatasetStatistics;
}

function splitTable(
  rows: readonly {
    readonly split: string;
    readonly problems: number;
    readonly statistics: DatasetStatistics;
  }[],
): readonly string[] {
  const headings = [
    'split',
    'pictures',
    'objects',
    'no objects',
    'crowd',
    'ignored',
    'difficult',
    'problems',
  ];
  return textTable(
    headings,
    rows.map(({ split, problems, statistics: s }) => [
      split,
      s.images,
      s.objects,
      s.imagesWithoutObjects,
      s.crowds,
      s.ignored,
      s.difficult,
      problems,
    ]),
  );
}

function classTable({ classes, objects }: DatasetStatistics): readonly string[] {
  const rows = classes.map(({ name, objects: count, images }): Cell[] => [
    name,
    count,
    `${((100 * count) / Math.max(1, objects)).toFixed(1)} %`.padStart(7),
    images,
  ]);
  const shown = rows.slice(0, mostClasses);
  const more =
    rows.length > shown.length ? [`… and ${rows.length - shown.length} more (--json has all)`] : [];
  return [...textTable(['class', 'objects', 'share', 'pictures'], shown), ...more];
}

/** A number with three digits that count, whole numbers whole. */
function rounded(value: number): number {
  return Number.isInteger(value) ? value : Number(value.toPrecision(value >= 1000 ? 4 : 3));
}

function spreadRow(name: string, { least, most, mean, percentiles: p }: Spread): readonly Cell[] {
  return [name, ...[least, p[5], p[25], p[50], p[75], p[95], most, mean].map(rounded)];
}

function spreadTable(s: DatasetStatistics): readonly string[] {
  const headings = ['', 'least', '5 %', '25 %', '50 %', '75 %', '95 %', 'most', 'mean'];
  return textTable(headings, [
    spreadRow('picture width', s.widths),
    spreadRow('picture height', s.heights),
    spreadRow('objects per picture', s.objectsPerImage),
    spreadRow('box width', s.boxes.widths),
    spreadRow('box height', s.boxes.heights),
    spreadRow('box side √(w·h)', s.boxes.sides),
    spreadRow('box width / height', s.boxes.aspectRatios),
  ]);
}

function sizeLine({ pictureSizes }: DatasetStatistics): string {
  const shown = pictureSizes
    .slice(0, mostSizes)
    .map(({ width, height, images }) => `${width}x${height} (${formatCount(images)})`);
  const rest = pictureSizes.length - shown.length;
  return `Picture sizes: ${shown.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}.`;
}

function areaLine({ boxes: { areas }, crowds, truncated }: DatasetStatistics): string {
  const total = Math.max(1, areas.small + areas.medium + areas.large);
  const part = (name: string, count: number): string =>
    `${formatCount(count)} ${name} (${((100 * count) / total).toFixed(1)} %)`;
  const words = [part('small', areas.small), part('medium', areas.medium), part('large', areas.large)];
  const notes = [
    ...(crowds > 0 ? [` Boxes are counted without ${formatCount(crowds)} crowd regions.`] : []),
    ...(truncated > 0 ? [` ${formatCount(truncated)} objects are truncated.`] : []),
  ];
  return `Areas, small below 32² px and large from 96²: ${words.join(', ')}.${notes.join('')}`;
}

function describe({ splits, statistics }: GroupStatistics, isOnly: boolean): string {
  const title = isOnly ? [] : [`Splits with the classes below: ${splits.join(', ')}`, ''];
  return [
    ...title,
    ...classTable(statistics),
    '',
    sizeLine(statistics),
    areaLine(statistics),
    '',
    ...spreadTable(statistics),
  ].join('\n');
}

/** Draws the plots of all groups into a new folder. */
async function writePlots(folder: string, groups: readonly GroupStatistics[]): Promise<readonly string[]> {
  return inOneMove(folder, async (draft) => {
    await mkdir(draft);
    const prefixes = groups.length === 1 ? [''] : distinctNames(groups.map(({ splits }) => splits.join('-')));
    const written: string[] = [];
    for (const [index, { statistics }] of groups.entries()) {
      for (const [name, svg] of Object.entries(datasetPlots(statistics))) {
        const file = `${[prefixes[index], name].filter(Boolean).join('-')}.svg`;
        await writeFileAtomic(join(draft, file), svg);
        written.push(file);
      }
    }
    return written;
  });
}

/** Prints what a dataset is and what is in it; leaves plots where it is asked to. */
export async function infoVerb(options: InfoOptions, context: VerbContext): Promise<void> {
  const { reporter } = context;
  const { path, out } = options;
  if (out !== undefined) await requireNewFolder(out);
  const { layout, splits } = await openSplits(options, context);
  const rows = splits.map(({ name, dataset }) => ({
    split: name,
    format: dataset.format,
    problems: problemTotal(dataset.report),
    statistics: datasetStatistics(dataset),
  }));
  const groups = groupSplits(splits).map(({ names, dataset }) => ({
    splits: names,
    statistics: datasetStatistics(dataset),
  }));
  reporter.result(`${layout.says}\n\n${splitTable(rows).join('\n')}`);
  for (const group of groups) reporter.result(`\n${describe(group, groups.length === 1)}`);
  const problems = rows.reduce((sum, row) => sum + row.problems, 0);
  if (problems > 0)
    reporter.result(
      `\n'${context.commandFor('data')} check ${path}' lists the problems; what they concern is left out here.`,
    );
  const plots = out === undefined ? [] : await writePlots(out, groups);
  if (out !== undefined) reporter.result(`\nPlots in ${out}: ${plots.join(', ')}`);
  const { says } = layout;
  const format = rows[0]?.format;
  reporter.event({ event: 'info', path, format, says, splits: rows, groups, plots });
}
