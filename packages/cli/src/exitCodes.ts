// What the program's exit status means, the error that stands for a mistake on the command line, and how
// any error becomes one line of text.

/** The exit status of each way the program can end, as POSIX shells expect them. */
export const exitCodes = { success: 0, failure: 1, usage: 2, interrupted: 130, terminated: 143 } as const;

/** A mistake in the words given on the command line: reported in one line, exit status 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** What a verb found counts as failure and has been said: exit status 1 without another word. */
export class ReportedFailure extends Error {
  override readonly name = 'ReportedFailure';
}

/** The exit status for an error that ended a verb: 2 for a mistake on the command line, 1 for all others. */
export function exitCodeOf(error: unknown): number {
  return error instanceof UsageError ? exitCodes.usage : exitCodes.failure;
}

/** The message of anything thrown, on one line, so that a log keeps one line per failure. */
export function describeError(error: unknown): string {
  const message = error instanceof Error ? error.message || error.name : String(error);
  return message.trim().replace(/\s*\n\s*/g, ' ');
}
