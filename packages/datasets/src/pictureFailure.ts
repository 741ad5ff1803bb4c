// What kept a picture from being used, as far as the error and its causes tell.
import { DatasetError } from './errors.ts';
import type { ProblemKind } from './types.ts';

/**
 * The kind of problem that an error of reading, decoding or comparing a picture stands for.
 *
 * Example  try { await dataset.at(0) } catch (error) { pictureFailureKind(error) } // 'missing picture'
 */
export const pictureFailureKind = (error: unknown): ProblemKind => {
  if (error instanceof DatasetError && /^(width|height)\b/.test(error.field ?? '')) return 'wrong size';
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const code = 'code' in cause ? cause.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') return 'missing picture';
    if (typeof code === 'string' && /^E[A-Z]+$/.test(code)) return 'unreadable file';
  }
  return 'damaged picture';
};
