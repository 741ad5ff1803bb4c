// Node's worker threads for pictures: each picture goes to the thread that has least to do, and stays there until it is placed.
import { availableParallelism } from 'node:os';
import type { PreparedPicture } from '../../batch/reader.ts';
import type { Platform } from '../platform.ts';
import { type PictureThread, startThread } from './thread.ts';

/** Pictures under way in one thread: while the decoder works on one, the thread can change another. */
const picturesPerThread = 2;

/** More than these read faster than anything here can train, and each takes its time to start. */
const mostThreads = 8;

/**
 * One for every processor, at most eight: the calling thread mostly waits for batches. On two processors two threads gave 1.2
 * (own memory) and 1.6 times (lent) the pictures of one (`npm run bench -- batches`).
 */
export const usualThreads: Platform['usualThreads'] = () => Math.min(mostThreads, availableParallelism());

/** A thread and how many pictures it is preparing. */
interface Place {
  readonly thread: PictureThread;
  preparing: number;
}

/** Where the pixels of a prepared picture are. */
interface Held {
  readonly thread: PictureThread;
  readonly ticket: number;
  readonly file: string;
}

/** Threads that prepare pictures and put them into shared memory. */
export const startThreads: Platform['startThreads'] = (count, rules) => {
  const places = Array.from({ length: count }, (): Place => ({ thread: startThread(rules), preparing: 0 }));
  const queue: ((place: Place) => void)[] = [];
  let tickets = 0;

  const freePlace = (): Promise<Place> =>
    new Promise((resolve) => {
      const place = places.reduce((best, other) => (other.preparing < best.preparing ? other : best));
      if (place.preparing === picturesPerThread) {
        queue.push(resolve);
        return;
      }
      place.preparing += 1;
      resolve(place);
    });
  const leave = (place: Place): void => {
    const next = queue.shift();
    if (next === undefined) place.preparing -= 1;
    else next(place);
  };
  return {
    prepare: async (task) => {
      const place = await freePlace();
      const { thread } = place;
      const file = task.source.location ?? task.source.record.file;
      const ticket = tickets++;
      try {
        const outcome = (await thread.ask({ kind: 'prepare', ticket, task }, file))!;
        if ('failure' in outcome) return outcome;
        return { value: { ...outcome.value, held: { thread, ticket, file } satisfies Held } };
      } finally {
        leave(place);
      }
    },
    place: async ({ held }: PreparedPicture, { padded, planes }) => {
      const { thread, ticket, file } = held as Held;
      await thread.ask({ kind: 'place', ticket, padded, planes }, file);
    },
    hold: (isHeld) => {
      for (const { thread } of places) thread.hold(isHeld);
    },
    end: async () => {
      await Promise.all(places.map(({ thread }) => thread.end()));
    },
  };
};
