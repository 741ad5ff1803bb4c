// A pool of worker threads over one shared memory. A job is a list of tasks; the calling thread takes part, and waits
// until all tasks are done, whoever did them: a worker that the system does not schedule delays nobody.
import { sentence, UnsupportedError } from '../../../errors.ts';
import type { Address } from '../memory.ts';
import { controlWords, spinMilliseconds, word } from './control.ts';
import type { StartWorker, WorkerThread } from './platform.ts';
import { workerSource } from './workerSource.ts';

/** A compiled module whose functions are tasks. */
export interface TaskProgram {
  readonly module: WebAssembly.Module;
  /** Names of the exports, in the order in which tasks number them. */
  readonly functions: readonly string[];
  /** The same functions of this thread's instance. */
  readonly local: readonly ((...args: number[]) => void)[];
}

/** Tasks that may run at the same time, in any order. */
interface Job {
  readonly program: number;
  /** For every task the function's number and `arity` arguments. */
  readonly tasks: Int32Array;
  readonly arity: number;
  /** Every thread passes its own scratch memory as the last argument. */
  readonly scratch: Address;
  readonly scratchStride: number;
}

/** Threads that run jobs. */
export interface Pool {
  /** Threads that take part now, the calling one included. */
  readonly threads: () => number;
  /** Why there are fewer threads than asked for. */
  readonly shortage: () => string | undefined;
  /** Makes a program known to all threads; gives its number. Starts the workers the first time. */
  readonly load: (program: TaskProgram) => Promise<number>;
  readonly drop: (program: number) => void;
  /** Runs all tasks of a job, each exactly once. */
  readonly run: (job: Job) => void;
  readonly close: () => Promise<void>;
}

/** What a pool is made of. */
export interface PoolRequest {
  readonly memory: WebAssembly.Memory;
  /** `controlWords` words of the memory, all zero. */
  readonly control: Address;
  readonly threads: number;
  readonly start: StartWorker;
  /** How long a job may stand still before its workers count as lost. */
  readonly patienceMilliseconds?: number;
}

/** Tasks of so many arguments that fit into one job. */
export const mostTasks = (arity: number): number => Math.floor((controlWords - word.tasks) / (arity + 1));

/** An answer that a worker owes. */
interface Debt {
  readonly settle: (failure?: string) => void;
}

/** A pool whose workers start with the first program. */
export const openPool = (request: PoolRequest): Pool => {
  const { memory, start, patienceMilliseconds = 30_000 } = request;
  const control = new Int32Array(memory.buffer, request.control, controlWords);
  const programs = new Map<number, TaskProgram['local']>();
  const workers: WorkerThread[] = [];
  const debts = new Map<WorkerThread, Map<number, Debt>>();
  const state: {
    started?: Promise<void>;
    shortage?: string;
    broken?: string;
    closed?: true;
    programs: number;
  } = {
    programs: 0,
  };

  const ring = (): void => {
    Atomics.add(control, word.bell, 1);
    if (Atomics.load(control, word.sleepers) > 0) Atomics.notify(control, word.bell);
  };

  /** Sends a message to some workers; resolves when all have obeyed. */
  const tell = async (receivers: readonly WorkerThread[], message: object): Promise<void> => {
    const mail = Atomics.add(control, word.mail, 1) + 1;
    ring();
    const answers = receivers.map(
      (worker) =>
        new Promise<void>((resolve, reject) => {
          const owed = debts.get(worker)!;
          const settle = (failure?: string): void => {
            owed.delete(mail);
            if (owed.size === 0) worker.hold(false);
            if (failure === undefined) resolve();
            else reject(new Error(failure));
          };
          owed.set(mail, { settle });
          // while somebody waits for the answer, the worker keeps the process alive
          worker.hold(true);
          worker.post({ ...message, mail });
        }),
    );
    await Promise.all(answers);
  };

  const startOne = (): WorkerThread => {
    const owed = new Map<number, Debt>();
    const worker = start(workerSource, {
      message: (message) => {
        const { mail, failure } = message as { readonly mail?: number; readonly failure?: string };
        if (mail === undefined) state.broken ??= `a task failed in a worker: ${failure}`;
        else owed.get(mail)?.settle(failure);
      },
      death: (reason) => {
        // those given up before are no loss
        if (!state.closed && workers.includes(worker)) state.broken ??= `a worker died: ${reason}`;
        for (const { settle } of [...owed.values()]) settle(reason);
      },
    });
    debts.set(worker, owed);
    return worker;
  };

  const startAll = async (): Promise<void> => {
    try {
      for (let thread = 1; thread < request.threads; thread++) workers.push(startOne());
      // threads are told one by one which they are, but all at once: nobody waits for the slowest twice
      await Promise.all(
        workers.map((worker, at) =>
          tell([worker], {
            kind: 'start',
            memory,
            control: request.control,
            words: controlWords,
            thread: at + 1,
          }),
        ),
      );
    } catch (error) {
      // a place that lets no worker start still computes, on this thread
      const lost = workers.splice(0);
      await Promise.all(lost.map((worker) => worker.terminate()));
      delete state.broken;
      state.shortage = `no worker could start: ${error instanceof Error ? error.message : String(error)}`;
    }
  };

  const requireWhole = (): void => {
    const reason = state.closed ? 'a backend that was destroyed' : state.broken;
    if (reason !== undefined) throw brokenPool(request.threads, reason);
  };

  const giveUp = (reason: string): UnsupportedError => {
    state.broken ??= reason;
    for (const worker of workers) void worker.terminate();
    return brokenPool(request.threads, state.broken);
  };

  const wait = joinWait(control, patienceMilliseconds);

  return {
    threads: () => (state.shortage === undefined ? request.threads : 1),
    shortage: () => state.shortage,
    load: async (program) => {
      requireWhole();
      state.started ??= startAll();
      await state.started;
      const number = state.programs++;
      try {
        await tell(workers, {
          kind: 'load',
          program: number,
          module: program.module,
          functions: program.functions,
        });
      } catch (error) {
        throw giveUp(`a worker could not load a program: ${error instanceof Error ? error.message : error}`);
      }
      programs.set(number, program.local);
      return number;
    },
    drop: (number) => {
      programs.delete(number);
      // who dies while forgetting is reported by the next run
      if (!state.closed) tell(workers, { kind: 'drop', program: number }).catch(() => undefined);
    },
    run: ({ program, tasks, arity, scratch, scratchStride }) => {
      requireWhole();
      const functions = programs.get(program)!;
      const count = tasks.length / (arity + 1);
      control[word.program] = program;
      control[word.arity] = arity;
      control[word.scratch] = scratch;
      control[word.scratchStride] = scratchStride;
      control.set(tasks, word.tasks);
      Atomics.store(control, word.failed, 0);
      Atomics.store(control, word.done, 0);
      // from here on tasks can be taken: a worker that comes late for one job may well take one of the next
      Atomics.store(control, word.open, count);
      ring();
      let failure: { readonly error: unknown } | undefined;
      for (let task = take(control); task >= 0; task = take(control)) {
        const at = task * (arity + 1);
        try {
          functions[tasks[at]!]!(...tasks.subarray(at + 1, at + 1 + arity), scratch);
        } catch (error) {
          failure ??= { error };
        }
        Atomics.add(control, word.done, 1);
      }
      if (!wait(count)) throw giveUp('a worker that stopped in the middle of its work');
      if (failure !== undefined) throw failure.error;
      if (Atomics.load(control, word.failed) === 1) throw giveUp('a worker in which a task failed');
    },
    close: async () => {
      state.closed = true;
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
};

/** The number of a task that is now the caller's, or -1 when all are taken. */
const take = (control: Int32Array): number => {
  for (;;) {
    const open = Atomics.load(control, word.open);
    if (open <= 0) return -1;
    if (Atomics.compareExchange(control, word.open, open, open - 1) === open) return open - 1;
  }
};

/** Waits until so many tasks are done; false when nothing got done for longer than the patience. */
const joinWait = (control: Int32Array, patienceMilliseconds: number): ((count: number) => boolean) => {
  const maySleep = canSleep(control);
  const nap = Math.min(100, patienceMilliseconds);
  const spin = (count: number, milliseconds: number): boolean => {
    const end = performance.now() + milliseconds;
    for (let turn = 1; Atomics.load(control, word.done) < count; turn++)
      if (turn % 64 === 0 && performance.now() > end) return false;
    return true;
  };
  return (count) => {
    if (spin(count, maySleep ? spinMilliseconds : patienceMilliseconds)) return true;
    if (!maySleep) return false;
    Atomics.store(control, word.waiting, 1);
    let waited = 0;
    let done = Atomics.load(control, word.done);
    // naps are counted, not the clock: a machine that was suspended has lost no worker
    while (done < count && waited < patienceMilliseconds) {
      waited = Atomics.wait(control, word.done, done, nap) === 'timed-out' ? waited + nap : 0;
      done = Atomics.load(control, word.done);
    }
    Atomics.store(control, word.waiting, 0);
    return done >= count;
  };
};

/** Whether this thread may sleep on memory; the main thread of a page may not. */
const canSleep = (control: Int32Array): boolean => {
  try {
    Atomics.wait(control, word.waiting, -1, 0);
    return true;
  } catch {
    return false;
  }
};

const brokenPool = (threads: number, reason: string): UnsupportedError =>
  new UnsupportedError(
    sentence({
      where: 'wasm',
      needs: `its ${threads} threads`,
      got: reason,
      advice: "Create a new backend; with 'threads: 1' it needs no workers.",
    }),
  );
