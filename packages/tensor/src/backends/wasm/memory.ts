// One WebAssembly memory and who owns which part of it.
import { sentence, UnsupportedError } from '../../errors.ts';
import { alignment } from '../../graph/plan.ts';

/** A byte address in the memory. */
export type Address = number;

/** A memory that gives out aligned blocks and takes them back. */
export interface BlockMemory {
  readonly memory: WebAssembly.Memory;
  /** A block of at least `bytes` bytes, at a multiple of the alignment. The memory grows when it has none; the error says for what. */
  readonly allocate: (bytes: number, purpose: () => string) => Address;
  readonly free: (address: Address) => void;
  /** Views of the whole memory; valid until the next `allocate`. */
  readonly floats: () => Float32Array;
  readonly integers: () => Int32Array;
}

const pageBytes = 65536;
/** 4 GiB, the most a 32-bit memory can have. */
export const mostPages = 65536;

/** A span of free memory. */
interface Span {
  readonly start: Address;
  readonly end: Address;
}

/** An empty memory, shared between threads or not. Free spans are kept by address and merged with their neighbours. */
export const openMemory = (shared = false): BlockMemory => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: mostPages, shared });
  // address 0 is never given out, so that it can mean nothing
  let spans: Span[] = [{ start: alignment, end: pageBytes }];
  const taken = new Map<Address, number>();
  let views = { floats: new Float32Array(memory.buffer), integers: new Int32Array(memory.buffer) };
  const current = (): typeof views => {
    if (views.floats.buffer !== memory.buffer)
      views = { floats: new Float32Array(memory.buffer), integers: new Int32Array(memory.buffer) };
    return views;
  };

  const grow = (bytes: number, purpose: () => string): void => {
    const end = memory.buffer.byteLength;
    const last = spans.at(-1);
    const usable = last?.end === end ? end - last.start : 0;
    // at least an eighth more, so that many small requests do not each grow the memory
    const wanted = Math.max(Math.ceil((bytes - usable) / pageBytes), Math.ceil(end / 8 / pageBytes));
    const pages = Math.min(wanted, mostPages - end / pageBytes);
    try {
      if (pages * pageBytes + usable < bytes) throw new RangeError('beyond 4 GiB');
      memory.grow(pages);
    } catch (cause) {
      throw new UnsupportedError(outOfMemory(bytes, end, purpose()), { cause });
    }
    addSpan({ start: end, end: end + pages * pageBytes });
  };

  const addSpan = (span: Span): void => {
    const before = spans.filter(({ end }) => end <= span.start);
    const behind = spans.filter(({ start }) => start >= span.end);
    let { start, end } = span;
    if (before.at(-1)?.end === start) start = before.pop()!.start;
    if (behind[0]?.start === end) end = behind.shift()!.end;
    spans = [...before, { start, end }, ...behind];
  };

  const allocate = (bytes: number, purpose: () => string): Address => {
    const size = Math.max(alignment, Math.ceil(bytes / alignment) * alignment);
    let at = spans.findIndex(({ start, end }) => end - start >= size);
    if (at < 0) {
      grow(size, purpose);
      at = spans.findIndex(({ start, end }) => end - start >= size);
    }
    const { start, end } = spans[at]!;
    spans.splice(at, 1, ...(end - start === size ? [] : [{ start: start + size, end }]));
    taken.set(start, size);
    return start;
  };

  return {
    memory,
    allocate,
    free: (address) => {
      const size = taken.get(address);
      if (size === undefined) return;
      taken.delete(address);
      addSpan({ start: address, end: address + size });
    },
    floats: () => current().floats,
    integers: () => current().integers,
  };
};

const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

const outOfMemory = (bytes: number, held: number, purpose: string): string =>
  sentence({
    where: 'wasm',
    needs: `${megabytes(bytes)} more memory for ${purpose}`,
    got: `a memory of ${megabytes(held)} that cannot grow so far`,
    advice: 'Use smaller batches or images, or release what you no longer need.',
  });
