// A worker that holds the engine, as applications should: it does the divided work and tells the page what came of it.
import { compute, sharesOfThreads } from './dividedWork.ts';

/** What the worker tells. */
export type Told = Awaited<ReturnType<typeof everything>> | { readonly failure: string };

const everything = async () => ({
  isIsolated: globalThis.crossOriginIsolated,
  one: await compute(1),
  two: await compute(2),
  shares: await sharesOfThreads(),
});

everything().then(
  (told) => globalThis.postMessage(told),
  (error: unknown) => globalThis.postMessage({ failure: String(error) }),
);
