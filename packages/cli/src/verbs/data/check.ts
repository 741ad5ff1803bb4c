// The verb `data check`: every problem of every file of a dataset, for people grouped by kind, for machines a line each.
import type { Problem, ProblemKind } from '@autoassign/datasets';
import { checkDataset, DatasetError } from '@autoassign/datasets';
import { ReportedFailure } from '../../exitCodes.ts';
import type { VerbContext } from '../../program.ts';
import { textTable } from '../../textTable.ts';
import type { OpenedSplit, SplitGroup } from './open.ts';
import { findLayout, groupSplits, openSplit, problemKey, unlistedProblems } from './open.ts';
import type { CheckVerbOptions } from './options.ts';
import { samePictures } from './samePictures.ts';

/** Takes every problem once, and passes it on as an event at once. */
interface ProblemLog {
  readonly add: (problem: Problem) => void;
  readonly found: readonly Problem[];
}

function problemLog({ reporter }: VerbContext): ProblemLog {
  const seen = new Set<string>();
  const found: Problem[] = [];
  return {
    found,
    add: (problem) => {
      const key = problemKey(problem);
      if (seen.has(key)) return;
      seen.add(key);
      found.push(problem);
      reporter.event({ event: 'problem', ...problem });
    },
  };
}

/** A file that cannot be opened at all, as a problem like any other. */
function openingProblem(error: DatasetError, path: string): Problem {
  const { cause, file = path, field, message } = error;
  const isUnread = cause instanceof Error && 'code' in cause && typeof cause.code === 'string';
  const kind = isUnread ? 'unreadable file' : field === undefined ? 'malformed file' : 'wrong field';
  return { kind, file, ...(field === undefined ? {} : { place: field }), message };
}

/** The splits that can be opened; what is wrong with the others goes to the log. */
async function openable(
  options: CheckVerbOptions,
  splits: readonly (string | undefined)[],
  log: ProblemLog,
  context: VerbContext,
): Promise<readonly OpenedSplit[]> {
  const opened: OpenedSplit[] = [];
  for (const split of splits) {
    try {
      opened.push(await openSplit({ ...options, split }, context));
    } catch (error) {
      // a split that does not exist is a mistake on the command line, no problem of the files
      if (!(error instanceof DatasetError) || error.field === 'split') throw error;
      log.add(openingProblem(error, options.path));
    }
  }
  return opened;
}

/** The sentence of a problem without the file in front, which stands beside it. */
function sentenceOf({ message }: Problem): string {
  const end = message.indexOf('): ');
  return end < 0 ? message : message.slice(end + 3);
}

function problemTables(
  problems: readonly Problem[],
  counts: Readonly<Record<string, number>>,
  unlisted: Readonly<Record<string, number>>,
): string {
  const byKind = new Map<ProblemKind, Problem[]>();
  for (const problem of problems) byKind.set(problem.kind, [...(byKind.get(problem.kind) ?? []), problem]);
  const tables = [...byKind].map(([kind, ofKind]) => {
    const rows = ofKind.map((problem) => [problem.file, problem.place ?? '', sentenceOf(problem)]);
    const lines = textTable(['file', 'place', 'what'], rows);
    const more = unlisted[kind] === undefined ? [] : [`  … and ${unlisted[kind]} more`];
    return [`${kind} (${counts[kind]})`, ...lines.map((line) => `  ${line}`), ...more].join('\n');
  });
  return tables.join('\n\n');
}

/** How many problems of every kind there are, those included that are counted only. */
function countsByKind(
  problems: readonly Problem[],
  unlisted: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> {
  const counts: Record<string, number> = { ...unlisted };
  for (const { kind } of problems) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

const mostGroups = 10;

/** Says which pictures are there more than once; that is worth knowing, but no problem. */
async function tellSamePictures(
  groups: readonly SplitGroup[],
  { reporter, signal }: VerbContext,
): Promise<void> {
  const paths = groups.flatMap(({ dataset }) =>
    Array.from({ length: dataset.length }, (_, index) => dataset.locate?.(index) ?? []).flat(),
  );
  const same = await samePictures(paths, signal);
  if (same.length === 0) return;
  reporter.event({ event: 'same pictures', groups: same });
  const lines = same.slice(0, mostGroups).map((files) => `  ${files.join(' = ')}`);
  const more =
    same.length > lines.length ? [`  … and ${same.length - lines.length} more (--json has all)`] : [];
  reporter.result(
    [
      `Pictures that are there more than once, byte for byte (no problem, but mind the splits):`,
      ...lines,
      ...more,
      '',
    ].join('\n'),
  );
}

/**
 * Resolves when a dataset has no problem.
 *
 * Throws   ReportedFailure when there are problems, which have been printed
 */
export async function checkVerb(options: CheckVerbOptions, context: VerbContext): Promise<void> {
  const { reporter, signal } = context;
  const { path, quick } = options;
  const layout = await findLayout(options);
  reporter.message(layout.says);
  const log = problemLog(context);
  const splits = await openable(options, layout.splits, log, context);
  let [pictures, objects] = [0, 0];
  const unlisted: Record<string, number> = {};
  const groups = groupSplits(splits);
  for (const { names, dataset } of groups) {
    pictures += dataset.length;
    objects += dataset.report.objects;
    for (const [kind, count] of Object.entries(unlistedProblems(dataset.report)))
      unlisted[kind] = (unlisted[kind] ?? 0) + count;
    const label = `check ${names.length === 1 ? names[0] : `${names.length} splits`}`;
    const progress = reporter.progress({ label, total: dataset.length, unit: 'pictures' });
    try {
      const check = { decode: quick !== true, signal, onProgress: (done: number) => progress.update(done) };
      for await (const problem of checkDataset(dataset, check)) log.add(problem);
    } finally {
      progress.finish();
    }
  }
  if (quick !== true) await tellSamePictures(groups, context);
  const { found } = log;
  const kinds = countsByKind(found, unlisted);
  const problems = Object.values(kinds).reduce((sum, count) => sum + count, 0);
  const decoded = quick === true ? ' (not decoded)' : '';
  const extent = `${splits.length} ${splits.length === 1 ? 'split' : 'splits'}, ${pictures} pictures${decoded}, ${objects} objects`;
  reporter.event({ event: 'summary', path, pictures, objects, problems, kinds });
  if (problems === 0) {
    reporter.result(`No problems: ${extent}.`);
    return;
  }
  reporter.result(
    `${problemTables(found, kinds, unlisted)}\n\n${problems} ${problems === 1 ? 'problem' : 'problems'}: ${extent}.`,
  );
  throw new ReportedFailure(`${problems} problems`);
}
