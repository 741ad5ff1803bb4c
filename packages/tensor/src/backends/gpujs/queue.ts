// Commands in order: at once while everything before is done, else as soon as it is.
//
// Only one kind of command takes time that JavaScript could see: a step on the host in a mode whose arrays cannot be read at once.

/** Runs commands in the order in which they are given. */
export interface Queue {
  /** Runs a command. What a command throws that runs at once is thrown here, else by `settled`. */
  add(command: () => void | Promise<void>): void;
  /** When everything given so far is done. Throws what failed since it was last called. */
  settled(): Promise<void>;
}

/** A queue with nothing in it. */
export const openQueue = (): Queue => {
  let pending: Promise<void> | undefined;
  let failures: unknown[] = [];
  const wait = (work: Promise<void>): void => {
    const guarded = work
      .catch((error: unknown) => {
        failures.push(error);
      })
      .then(() => {
        if (pending === guarded) pending = undefined;
      });
    pending = guarded;
  };
  return {
    add: (command) => {
      if (pending !== undefined) {
        wait(pending.then(command));
        return;
      }
      const work = command();
      if (work !== undefined) wait(work);
    },
    settled: async () => {
      while (pending !== undefined) await pending;
      const [first] = failures;
      failures = [];
      if (first !== undefined) throw first;
    },
  };
};
