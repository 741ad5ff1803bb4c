// The one error type of this package: what was needed, where, and what to do about it.

/** An error about data or an argument, naming the file and the field concerned where there are any. */
export class DatasetError extends Error {
  override readonly name = 'DatasetError';
  /** The file concerned, as the user named it. */
  readonly file: string | undefined;
  /** The field or option concerned, such as `annotations[3].image_id`. */
  readonly field: string | undefined;

  constructor(message: string, place: { file?: string; field?: string; cause?: unknown } = {}) {
    super(message, place.cause === undefined ? undefined : { cause: place.cause });
    this.file = place.file;
    this.field = place.field;
  }
}

/**
 * The message of anything thrown, on one line.
 *
 * Example  oneLine(new Error('a\nb')) // 'a b'
 */
export const oneLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).replace(/\s+/g, ' ').trim().replace(/\.$/, '');
