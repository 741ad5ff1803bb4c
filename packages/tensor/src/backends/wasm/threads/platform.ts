// What threads need from the place they run in: cores, shared memory, and workers started from source text.

/** A worker thread, in Node and in browsers. */
export interface WorkerThread {
  readonly post: (message: unknown) => void;
  /** Whether it keeps the process alive. */
  readonly hold: (isHeld: boolean) => void;
  readonly terminate: () => Promise<void>;
}

/** What a worker tells. */
interface WorkerEvents {
  readonly message: (message: unknown) => void;
  /** The worker has ended, or never started. */
  readonly death: (reason: string) => void;
}

/** Starts a worker that runs the given source. */
export type StartWorker = (source: string, events: WorkerEvents) => WorkerThread;

interface NodeWorker {
  on(event: string, listener: (value: unknown) => void): void;
  postMessage(message: unknown): void;
  ref(): void;
  unref(): void;
  terminate(): Promise<unknown>;
}

interface NodeThreads {
  readonly Worker: new (source: string, options: object) => NodeWorker;
}

/** Node's built-in module of the given name, without an import that bundlers for browsers would trip over. */
const builtin = <Module>(name: string): Module | undefined => {
  const { process } = globalThis as {
    readonly process?: { readonly getBuiltinModule?: (name: string) => unknown };
  };
  return process?.getBuiltinModule?.(name) as Module | undefined;
};

/** What this place lacks for threads, in words; undefined where it has everything. */
export const missingForThreads = (): string | undefined => {
  // only pages and their workers tell; those that are not isolated lack shared memory for this reason
  const { crossOriginIsolated } = globalThis as { readonly crossOriginIsolated?: boolean };
  if (crossOriginIsolated === false) return 'this page is not cross-origin isolated';
  if (typeof SharedArrayBuffer === 'undefined' || typeof Atomics === 'undefined')
    return 'no shared memory here';
  if (builtin<NodeThreads>('node:worker_threads') !== undefined) return undefined;
  return typeof Worker === 'undefined' ? 'no workers here' : undefined;
};

/** How many threads run here at the same time, as far as this place tells. */
export const coresHere = (): number => {
  const { navigator } = globalThis as { readonly navigator?: { readonly hardwareConcurrency?: number } };
  const os = builtin<{ availableParallelism(): number }>('node:os');
  return os?.availableParallelism() ?? navigator?.hardwareConcurrency ?? 1;
};

/** Starts a worker of this place: one of Node's where there are any, else one of the browser's. */
export const startWorker: StartWorker = (source, events) => {
  const threads = builtin<NodeThreads>('node:worker_threads');
  return threads === undefined ? startWebWorker(source, events) : startNodeWorker(threads, source, events);
};

const startNodeWorker = (
  { Worker: Thread }: NodeThreads,
  source: string,
  events: WorkerEvents,
): WorkerThread => {
  // execArgv is not inherited: loaders of the main thread would cost every worker their start
  const worker = new Thread(source, { eval: true, execArgv: [], name: 'wasm backend' });
  worker.on('message', events.message);
  worker.on('error', (error) => events.death(String(error)));
  worker.on('exit', () => events.death('it ended'));
  worker.unref();
  let isEnding = false;
  return {
    post: (message) => worker.postMessage(message),
    hold: (isHeld) => {
      // who waits for the end must not be left by a process with nothing else to do
      if (isEnding) return;
      if (isHeld) worker.ref();
      else worker.unref();
    },
    terminate: async () => {
      isEnding = true;
      await worker.terminate();
    },
  };
};

const startWebWorker = (source: string, events: WorkerEvents): WorkerThread => {
  const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
  const worker = new Worker(url, { name: 'wasm backend' });
  worker.onmessage = ({ data }) => {
    URL.revokeObjectURL(url);
    events.message(data);
  };
  worker.onerror = ({ message }: { readonly message?: string }) => {
    URL.revokeObjectURL(url);
    // a worker that the page's policy forbids has no message
    events.death(message ?? 'this place forbids it');
  };
  return {
    post: (message) => worker.postMessage(message),
    hold: () => undefined,
    terminate: async () => worker.terminate(),
  };
};
