// The program of a worker thread: it prepares pictures, keeps their pixels, and puts them where it is told.
import { parentPort, workerData } from 'node:worker_threads';
import { type Outcome, type PictureTask, preparedSample, readPicture } from '../../batch/picture.ts';
import { type PreparedPicture, placePixels, preparedPicture, type ReadingRules } from '../../batch/reader.ts';
import { DatasetError } from '../../errors.ts';
import type { ImageSize } from '../../transforms/size.ts';

/** What the calling thread asks for; every ticket is one picture. */
export type Request =
  | { readonly kind: 'prepare'; readonly ticket: number; readonly task: PictureTask }
  | {
      readonly kind: 'place';
      readonly ticket: number;
      readonly padded: ImageSize;
      readonly planes: Float32Array;
    }
  | { readonly kind: 'end' };

/** What the thread answers. */
export type Answer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'done'; readonly ticket: number; readonly outcome: Outcome<PreparedPicture> | undefined }
  | { readonly kind: 'thrown'; readonly ticket: number; readonly error: PlainError };

/** An error as plain data: threads exchange no classes. */
export interface PlainError {
  readonly message: string;
  /** Where a DatasetError says the mistake is; absent for other errors. */
  readonly place?: { readonly file: string | undefined; readonly field: string | undefined };
}

const rules = workerData as ReadingRules;
const port = parentPort!;
const kept = new Map<number, PreparedPicture>();

const prepare = async (ticket: number, task: PictureTask): Promise<Outcome<PreparedPicture>> => {
  const outcome = await preparedSample(task, rules.steps, (source) => readPicture(source, rules.maxPixels));
  if ('failure' in outcome) return outcome;
  const picture = preparedPicture(outcome.value, task.key);
  if (task.wantsPixels) return { value: picture };
  kept.set(ticket, picture);
  const { pixels: _, ...told } = picture;
  return { value: told };
};

const answer = async (request: Exclude<Request, { kind: 'end' }>): Promise<Answer> => {
  const { ticket } = request;
  try {
    if (request.kind === 'prepare')
      return { kind: 'done', ticket, outcome: await prepare(ticket, request.task) };
    placePixels(kept.get(ticket)!, request, rules);
    kept.delete(ticket);
    return { kind: 'done', ticket, outcome: undefined };
  } catch (error) {
    return { kind: 'thrown', ticket, error: plainError(error) };
  }
};

const plainError = (error: unknown): PlainError => {
  if (error instanceof DatasetError)
    return { message: error.message, place: { file: error.file, field: error.field } };
  return { message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
};

port.on('message', async (request: Request) => {
  // Without its port the thread ends by itself, as soon as nothing is being read any more.
  if (request.kind === 'end') port.close();
  else port.postMessage(await answer(request));
});
port.postMessage({ kind: 'ready' } satisfies Answer);
