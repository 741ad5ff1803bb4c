// One worker thread for pictures: how it is started from sources and from built files, what it is asked, and how it ends.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { Worker, type WorkerOptions } from 'node:worker_threads';
import type { Outcome } from '../../batch/picture.ts';
import type { PreparedPicture, ReadingRules } from '../../batch/reader.ts';
import { DatasetError, oneLine } from '../../errors.ts';
import type { Answer, PlainError, Request } from './worker.ts';

/** A thread that answers requests. */
export interface PictureThread {
  /** The answer to a request about a file; rejects with what the thread has thrown, and when the thread has died. */
  ask(
    request: Exclude<Request, { readonly kind: 'end' }>,
    file: string,
  ): Promise<Outcome<PreparedPicture> | undefined>;
  /** Says whether it keeps the process alive. */
  hold(isHeld: boolean): void;
  /** Resolves when it runs no more; what it was asked stays unanswered. */
  end(): Promise<void>;
}

/** A thread that has not ended by itself after so many milliseconds is stopped. */
const patience = 5000;

interface Waiting {
  readonly file: string;
  readonly resolve: (outcome: Outcome<PreparedPicture> | undefined) => void;
  readonly reject: (error: Error) => void;
}

/**
 * A new thread.
 *
 * Throws   DatasetError when the file of its program is not there
 */
export const startThread = (
  rules: ReadingRules,
  entry: URL = entryBeside(import.meta.url),
): PictureThread => {
  const worker = newWorker(entry, { workerData: rules, name: 'pictures' });
  const waiting = new Map<number, Waiting>();
  let isReady = false;
  let isEnding = false;
  let death: DatasetError | undefined;
  const die = (reason: string): void => {
    if (isEnding || death !== undefined) return;
    const files = [...waiting.values()].map(({ file }) => file);
    death = isReady ? threadDied(files, reason) : threadNotStarted(entry, reason);
    for (const { reject } of waiting.values()) reject(death);
    waiting.clear();
  };
  worker.on('message', (answer: Answer) => {
    if (answer.kind === 'ready') {
      isReady = true;
      return;
    }
    const asked = waiting.get(answer.ticket);
    waiting.delete(answer.ticket);
    if (answer.kind === 'thrown') asked?.reject(errorFrom(answer.error));
    else asked?.resolve(answer.outcome);
  });
  worker.on('error', (error) => die(oneLine(error)));
  const exit = new Promise<void>((resolve) => {
    worker.on('exit', (code) => {
      die(`it ended with code ${code}`);
      resolve();
    });
  });
  worker.unref();
  return {
    ask: (request, file) =>
      new Promise((resolve, reject) => {
        if (death !== undefined) return reject(death);
        waiting.set(request.ticket, { file, resolve, reject });
        worker.postMessage(request);
      }),
    hold: (isHeld) => {
      if (isHeld) worker.ref();
      else worker.unref();
    },
    end: async () => {
      isEnding = true;
      waiting.clear();
      // whoever waits for the end must not be left by a process with nothing else to do
      worker.ref();
      // The decoder is not interrupted; a thread that has not begun has nothing to finish.
      if (isReady) worker.postMessage({ kind: 'end' } satisfies Request);
      const timer = setTimeout(() => void worker.terminate(), isReady ? patience : 0);
      await exit;
      clearTimeout(timer);
    },
  };
};

/** The program of the threads, as TypeScript beside sources and as JavaScript beside built files. */
const entryBeside = (module: string): URL =>
  new URL(module.endsWith('.ts') ? './worker.ts' : './worker.js', module);

const newWorker = (entry: URL, options: WorkerOptions): Worker => {
  if (!existsSync(entry)) throw threadNotStarted(entry, 'no such file');
  // execArgv is not inherited: loaders of the main thread would cost every thread their start
  if (!entry.pathname.endsWith('.ts')) return new Worker(entry, { ...options, execArgv: [] });
  // Sources exist in the repository alone, where tsx reads TypeScript in versions of Node that do not.
  const loader = createRequire(entry).resolve('tsx/cjs/api');
  const program = `require(${JSON.stringify(loader)}).register(); require(${JSON.stringify(fileURLToPath(entry))});`;
  return new Worker(program, { ...options, eval: true, execArgv: ['--conditions=@autoassign/source'] });
};

const errorFrom = ({ message, place }: PlainError): Error => {
  if (place === undefined) return new Error(message);
  const { file, field } = place;
  return new DatasetError(message, {
    ...(file === undefined ? {} : { file }),
    ...(field === undefined ? {} : { field }),
  });
};

const threadDied = (files: readonly string[], reason: string): DatasetError => {
  const [file = 'workers'] = files;
  return new DatasetError(
    `batches(${file}): needs worker threads that go on, got "${reason}" from one that was reading ${files.join(' and ') || 'nothing'}. Look at the picture, or pass workers: 0.`,
    { file },
  );
};

const threadNotStarted = (entry: URL, reason: string): DatasetError =>
  new DatasetError(
    `batches(workers): needs the program of its threads at ${entry}, got "${reason}". Leave @autoassign/datasets out of the bundle, or pass workers: 0.`,
    { file: String(entry), field: 'workers' },
  );
