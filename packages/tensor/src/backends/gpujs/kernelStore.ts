// Kernels by the text that they were made from: making one takes about ten milliseconds, so programs share them.
import type { Host, HostKernel } from './host.ts';
import type { KernelSource } from './source.ts';

/** A kernel on loan, or why there is none. */
export interface Loan {
  readonly kernel: HostKernel | string;
  /** Ends the loan; a kernel that nobody borrows may be destroyed. */
  readonly giveBack: () => void;
}

/** The kernels of a backend. */
export interface KernelStore {
  borrow(source: KernelSource, lengths: readonly number[], length: number): Promise<Loan>;
  destroy(): void;
}

interface Entry {
  readonly kernel: Promise<HostKernel | string>;
  borrowers: number;
}

/** Kernels that nobody borrows are kept up to this number, those that were used last. */
const mostIdle = 256;

/** A store without kernels; `destroy` is called for a kernel once commands that use it are done. */
export const openKernelStore = (host: Host, destroy: (kernel: HostKernel) => void): KernelStore => {
  // in the order in which they were last given back
  const entries = new Map<string, Entry>();
  const drop = (key: string, { kernel }: Entry): void => {
    entries.delete(key);
    kernel.then(
      (made) => {
        if (typeof made !== 'string') destroy(made);
      },
      () => undefined,
    );
  };
  const trim = (): void => {
    let idle = 0;
    for (const { borrowers } of entries.values()) if (borrowers === 0) idle++;
    for (const [key, entry] of entries) {
      if (idle <= mostIdle) return;
      if (entry.borrowers > 0) continue;
      drop(key, entry);
      idle--;
    }
  };
  return {
    borrow: async (source, lengths, length) => {
      const key = `${lengths} -> ${length} ${source.text}`;
      const entry: Entry = entries.get(key) ?? {
        kernel: host.compile(source, lengths, length),
        borrowers: 0,
      };
      entries.set(key, entry);
      entry.borrowers++;
      let isBorrowed = true;
      const giveBack = (): void => {
        if (!isBorrowed) return;
        isBorrowed = false;
        entry.borrowers--;
        if (entries.get(key) !== entry) return;
        entries.delete(key);
        entries.set(key, entry);
        trim();
      };
      try {
        return { kernel: await entry.kernel, giveBack };
      } catch (error) {
        entries.delete(key);
        throw error;
      }
    },
    destroy: () => {
      for (const [key, entry] of [...entries]) drop(key, entry);
    },
  };
};
