// A worker thread that dies, or whose program is missing: errors that say which picture it was, and what to do.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { DatasetError } from '@autoassign/datasets';
import { expect, test } from 'vitest';
import type { PictureTask } from '../../src/batch/picture.ts';
import type { ReadingRules } from '../../src/batch/reader.ts';
import { type PictureThread, startThread } from '../../src/platform/node/thread.ts';
import { folderWith } from '../samples.ts';

const rules: ReadingRules = {
  steps: [],
  normalization: { mean: [0, 0, 0], std: [1, 1, 1], order: 'rgb' },
  maxPixels: undefined,
};

/** A thread that runs the given program. */
const threadOf = async (program: string): Promise<PictureThread> => {
  const folder = await folderWith({ 'worker.mjs': program });
  return startThread(rules, pathToFileURL(join(folder, 'worker.mjs')));
};

const task: PictureTask = {
  source: {
    index: 0,
    record: { id: 0, file: 'a.jpg', width: 1, height: 1, annotations: [] },
    location: 'a.jpg',
  },
  companions: [],
  key: 0,
  wantsPixels: false,
};

const ask = (thread: PictureThread, ticket: number, file: string): Promise<unknown> =>
  thread.ask({ kind: 'prepare', ticket, task }, file).catch((error: unknown) => error);

const start = "import { parentPort } from 'node:worker_threads'; parentPort.postMessage({ kind: 'ready' });";

test.each([
  ['that ends by itself', 'process.exit(3)', /got "it ended with code 3" from one that was reading/],
  ['that throws', 'throw new Error("out of order")', /got "out of order" from one that was reading/],
])('a thread %s: everything it was asked for rejects, naming the pictures', async (_, deed, message) => {
  const thread = await threadOf(
    `${start} parentPort.on('message', ({ ticket }) => { if (ticket > 0) ${deed}; });`,
  );
  thread.hold(true);
  const errors = (await Promise.all([ask(thread, 0, 'b.jpg'), ask(thread, 1, 'c.jpg')])) as DatasetError[];
  for (const error of [...errors, (await ask(thread, 2, 'd.jpg')) as DatasetError]) {
    expect(error).toBeInstanceOf(DatasetError);
    expect(error.message).toMatch(message);
    expect(error.message).toMatch(/^batches\(b\.jpg\): .* reading b\.jpg and c\.jpg\. .*workers: 0\.$/);
    expect(error.file).toBe('b.jpg');
  }
  await thread.end();
});

test('a thread that does not end by itself is stopped once nobody waits for it any more', async () => {
  const thread = await threadOf('for (;;);');
  await thread.end();
});

test.each([
  ['is missing, as it is beside a bundle', undefined, /got "no such file"/],
  ['cannot be loaded', "import 'no-such-package';", /got "Cannot find package 'no-such-package'/],
])(
  'a program that %s: the error says to leave the package out of the bundle',
  async (_, program, message) => {
    const started = async (): Promise<unknown> => {
      const missing = new URL('worker.js', 'file:///no/such/bundle/index.js');
      const thread = program === undefined ? startThread(rules, missing) : await threadOf(program);
      thread.hold(true);
      return thread.ask({ kind: 'prepare', ticket: 0, task }, 'b.jpg').finally(() => thread.end());
    };
    await expect(started()).rejects.toThrow(message);
    await expect(started()).rejects.toThrow(
      /^batches\(workers\): needs the program of its threads at file:.*Leave @autoassign\/datasets out of the bundle/,
    );
  },
);
