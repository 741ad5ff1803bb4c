// The words of shared memory through which the calling thread and the workers agree on who does what.

/** Indices into the pool's control block, an Int32Array. */
export const word = {
  /** Rung (changed) when there is something to do; idle workers sleep on it. */
  bell: 0,
  /** Tasks of the current job that nobody has taken yet. */
  open: 1,
  /** Tasks of the current job that are finished; the calling thread may sleep on it. */
  done: 2,
  /** Workers that sleep, or are about to. */
  sleepers: 3,
  /** 1 while the calling thread sleeps. */
  waiting: 4,
  /** The number of the last message; a worker that has not read it goes back to its event loop. */
  mail: 5,
  /** 1 when a task of the current job failed in a worker. */
  failed: 6,
  /** The current job: its program, the arguments of a task, where scratch memory begins, and its bytes per thread. */
  program: 7,
  arity: 8,
  scratch: 9,
  scratchStride: 10,
  /** The tasks: the function's number, then its arguments. */
  tasks: 16,
} as const;

/** Words of a control block. */
export const controlWords = 4096;

/** Milliseconds that a thread looks for work, or for the end of a job, before it sleeps. */
export const spinMilliseconds = 0.05;
