// The books of a backend: which buffers live, how many bytes they take, and what was collected without being freed.
import { LifetimeError, sentence } from '../errors.ts';
import type { Spec } from '../tensor.ts';
import type { Backend, BackendStats, Buffer } from './backend.ts';

/** Keeps one place (memory address, array, texture) per live buffer. */
export interface Ledger<Place> {
  /** A live buffer at a place. */
  open(backend: Backend, spec: Spec, place: Place, bytes: number): Buffer;
  /** Where a live buffer is. Throws LifetimeError when it is not live. */
  placeOf(buffer: Buffer): Place;
  /** Ends a buffer's life without giving its place back: another buffer owns it now. */
  handOver(buffer: Buffer): void;
  /** Ends a buffer's life and gives its place back. */
  close(buffer: Buffer, state: 'donated' | 'freed'): void;
  /** Counts kernels run, and memory besides buffers for the peak. */
  count(launches: number, otherBytes: number): void;
  /** Closes the books: from here on every use throws LifetimeError. */
  shut(): void;
  /** Throws LifetimeError when the books are closed. */
  requireOpen(where: string): void;
  stats(): BackendStats;
}

interface Entry<Place> {
  readonly place: Place;
  readonly bytes: number;
}

/**
 * Empty books. `giveBack` receives the place of every buffer that ends. Buffers are held weakly: one that becomes unreachable is given
 * back too, and counted as reclaimed.
 */
export const openLedger = <Place>(giveBack: (place: Place) => void): Ledger<Place> => {
  const entries = new WeakMap<Buffer, Entry<Place>>();
  const totals = { ids: 0, buffers: 0, bytes: 0, peakBytes: 0, launches: 0, reclaimed: 0 };
  let isShut = false;
  const requireOpen = (where: string): void => {
    if (!isShut) return;
    throw new LifetimeError(
      sentence({
        where,
        needs: 'a backend in use',
        got: 'one that was destroyed',
        advice: 'Destroy a backend only when nothing needs its tensors any more.',
      }),
    );
  };
  const settle = ({ bytes }: Entry<Place>): void => {
    totals.buffers--;
    totals.bytes -= bytes;
  };
  const net = new FinalizationRegistry<Entry<Place>>((entry) => {
    settle(entry);
    totals.reclaimed++;
    giveBack(entry.place);
  });
  const end = (buffer: Buffer, state: 'donated' | 'freed'): Entry<Place> | undefined => {
    const entry = entries.get(buffer);
    if (entry === undefined || buffer.state !== 'live') return undefined;
    net.unregister(buffer);
    entries.delete(buffer);
    buffer.state = state;
    settle(entry);
    return entry;
  };
  return {
    open: (backend, spec, place, bytes) => {
      requireOpen(backend.name);
      const buffer: Buffer = { backend, spec, id: totals.ids++, state: 'live' };
      const entry = { place, bytes };
      entries.set(buffer, entry);
      net.register(buffer, entry, buffer);
      totals.buffers++;
      totals.bytes += bytes;
      totals.peakBytes = Math.max(totals.peakBytes, totals.bytes);
      return buffer;
    },
    placeOf: (buffer) => {
      requireOpen(buffer.backend.name);
      const entry = entries.get(buffer);
      if (entry !== undefined && buffer.state === 'live') return entry.place;
      throw new LifetimeError(
        sentence({
          where: buffer.backend.name,
          needs: 'a live buffer',
          got: `one that was ${buffer.state} by ${buffer.retiredBy ?? 'its owner'}`,
          advice: 'Use the result of that call instead.',
        }),
      );
    },
    handOver: (buffer) => {
      end(buffer, 'donated');
    },
    close: (buffer, state) => {
      const entry = end(buffer, state);
      if (entry !== undefined) giveBack(entry.place);
    },
    count: (launches, otherBytes) => {
      totals.launches += launches;
      totals.peakBytes = Math.max(totals.peakBytes, totals.bytes + otherBytes);
    },
    shut: () => {
      isShut = true;
    },
    requireOpen,
    stats: () => ({
      buffers: totals.buffers,
      bytes: totals.bytes,
      peakBytes: totals.peakBytes,
      launches: totals.launches,
      reclaimed: totals.reclaimed,
    }),
  };
};

/** The error of running a program after its end. */
export const programDestroyed = (backend: string): LifetimeError =>
  new LifetimeError(
    sentence({
      where: backend,
      needs: 'a program in use',
      got: 'one that was destroyed',
      advice: 'Compile the function again.',
    }),
  );
