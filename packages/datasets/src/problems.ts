// The list of what is wrong with a dataset while it is read: problems are collected, or the first one is thrown.
import { DatasetError } from './errors.ts';
import type { DatasetReport, OnProblem, Problem, ProblemCounts, ProblemKind } from './types.ts';

/** Of every kind only so many are listed: a file can be wrong in millions of places, and still has to fit into memory. */
const mostListed = 10_000;

/** Where a reader reports what it cannot use. */
export interface ProblemList {
  /**
   * Notes a problem, so that the reader can leave the entry out and go on.
   *
   * Throws   DatasetError with the problem's sentence under 'strict'
   */
  add(problem: Problem): void;
  /** As `add`, for what comes in masses: the problem is described only if it is listed or thrown. */
  addOf(kind: ProblemKind, describe: () => Omit<Problem, 'kind'>): void;
  /** What was noted so far, of every kind the first 10,000. */
  readonly found: readonly Problem[];
  /** How many there are of every kind. */
  readonly counts: ProblemCounts;
}

/** Problems that are known already. */
type KnownProblems = Pick<DatasetReport, 'problems' | 'problemCounts'>;

/**
 * A list of problems that keeps them ('skip') or throws the first one ('strict').
 *
 * Throws   DatasetError under 'strict' when there are known problems to begin with
 * Example  const problems = problemList(options.onProblem ?? 'skip')
 */
export const problemList = (
  onProblem: OnProblem,
  known: KnownProblems = { problems: [], problemCounts: {} },
): ProblemList => {
  const found: Problem[] = [...known.problems];
  const counts: Partial<Record<ProblemKind, number>> = { ...known.problemCounts };
  if (onProblem === 'strict' && found[0] !== undefined) throw problemError(found[0]);
  const addOf: ProblemList['addOf'] = (kind, describe) => {
    if (onProblem === 'strict') throw problemError({ kind, ...describe() });
    const before = counts[kind] ?? 0;
    counts[kind] = before + 1;
    if (before < mostListed) found.push({ kind, ...describe() });
  };
  return { found, counts, addOf, add: (problem) => addOf(problem.kind, () => problem) };
};

/**
 * How many problems of every kind are listed.
 *
 * Example  countProblems(report.problems)['missing picture'] // undefined where there is none
 */
export const countProblems = (problems: readonly Problem[]): ProblemCounts => {
  const counts: Partial<Record<ProblemKind, number>> = {};
  for (const { kind } of problems) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
};

const problemError = ({ message, file, place }: Problem): DatasetError =>
  new DatasetError(message, place === undefined ? { file } : { file, field: place });
