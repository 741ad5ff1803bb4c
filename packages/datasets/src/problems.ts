// The list of what is wrong with a dataset while it is read: problems are collected, or the first one is thrown.
import { DatasetError } from './errors.ts';
import type { OnProblem, Problem } from './types.ts';

/** Where a reader reports what it cannot use. */
export interface ProblemList {
  /**
   * Notes a problem, so that the reader can leave the entry out and go on.
   *
   * Throws   DatasetError with the problem's sentence under 'strict'
   */
  add(problem: Problem): void;
  /** Everything noted so far. */
  readonly found: readonly Problem[];
}

/**
 * An empty list of problems that keeps them ('skip') or throws the first one ('strict').
 *
 * Example  const problems = problemList(options.onProblem ?? 'skip')
 */
export const problemList = (onProblem: OnProblem): ProblemList => {
  const found: Problem[] = [];
  return {
    found,
    add: (problem) => {
      if (onProblem === 'strict') throw problemError(problem);
      found.push(problem);
    },
  };
};

const problemError = ({ message, file, place }: Problem): DatasetError =>
  new DatasetError(message, place === undefined ? { file } : { file, field: place });
