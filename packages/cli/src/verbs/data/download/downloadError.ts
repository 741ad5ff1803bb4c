// The error of downloads, and what went wrong on the network in a few words.

/** A download or an archive that cannot be used: one sentence that names it and says what to do. */
export class DownloadError extends Error {
  override readonly name = 'DownloadError';
}

/** What a network error says at its root, on one line: `fetch failed` alone tells nothing. */
export function networkReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause instanceof Error) return networkReason(error.cause);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const message = error.message.replace(/\s+/g, ' ').trim();
  return message === '' ? code || error.name : message;
}
