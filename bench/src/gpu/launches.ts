// Counting launches of libraries that do not tell: by the calls of the platform's own methods.
import type { Library } from '../cpu/library.ts';

/** How often the methods of all objects of a class have been called from here on. */
export const countCalls = (prototype: object, methods: readonly string[]): (() => number) => {
  let calls = 0;
  for (const method of methods) {
    const original = Reflect.get(prototype, method) as (...args: unknown[]) => unknown;
    Reflect.set(prototype, method, function (this: unknown, ...args: unknown[]) {
      calls++;
      return original.apply(this, args);
    });
  }
  return () => calls;
};

/** The library with launches counted in each of its runs, and in none between them. */
export const withLaunches = (library: Library, launchesNow: () => number): Library => ({
  ...library,
  prepare: async (work) => {
    const prepared = await library.prepare(work);
    if (typeof prepared === 'string') return prepared;
    let launches = 0;
    const run = async (): Promise<void> => {
      const before = launchesNow();
      await prepared.run();
      launches += launchesNow() - before;
    };
    return { ...prepared, run, usage: () => ({ launches }) };
  },
});
