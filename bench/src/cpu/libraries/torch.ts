// PyTorch as a library of the comparison: a Python process that answers one line of JSON per request.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Library, Prepared } from '../library.ts';
import type { Work } from '../work.ts';

interface Answer {
  readonly error?: string;
  readonly version?: string;
  readonly samples?: number[];
  readonly outputs?: string[];
  readonly cpu?: number;
}
type Ask = (request: object) => Promise<Answer>;

const toBase64 = (data: Float32Array): string =>
  Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64');

const withBase64 = (_: string, value: unknown): unknown =>
  value instanceof Float32Array ? toBase64(value) : value;

const fromBase64 = (text: string): Float32Array => {
  const bytes = Uint8Array.from(Buffer.from(text, 'base64'));
  return new Float32Array(bytes.buffer);
};

/**
 * The C library's allocator told to keep freed memory: by default it returns large blocks to the system at once, and fetching them
 * again page by page takes several times as long as the loss itself. PyTorch's guides advise another allocator for the same reason.
 */
const keepMemory = { MALLOC_MMAP_THRESHOLD_: String(2 ** 30), MALLOC_TRIM_THRESHOLD_: String(2 ** 32) };

/** A question and answer line with a process, and how to end it. */
const converse = (python: string, script: string): { ask: Ask; close: () => Promise<void> } => {
  const env = { ...keepMemory, ...process.env };
  const child = spawn(python, [script], { stdio: ['pipe', 'pipe', 'inherit'], env });
  const gone = new Promise<never>((_, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`${python} ended with code ${code}`)));
  });
  gone.catch(() => undefined); // heard by whoever asks next
  // a pipe that closes early is reported by the exit, not by the stream
  child.stdin.on('error', () => undefined);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask: Ask = async (request) => {
    child.stdin.write(`${JSON.stringify(request, withBase64)}\n`);
    const { value } = await Promise.race([lines.next(), gone]);
    if (value === undefined) return gone;
    const answer = JSON.parse(value) as Answer;
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer;
  };
  const close = async (): Promise<void> => {
    child.stdin.end();
    await gone.catch(() => undefined);
  };
  return { ask, close };
};

const prepare = async (ask: Ask, id: number, work: Work): Promise<Prepared> => {
  await ask({ prepare: id, work });
  return {
    run: async () => void (await ask({ run: id })),
    time: async (milliseconds) => (await ask({ time: id, ms: milliseconds })).samples!,
    outputs: async () => (await ask({ outputs: id })).outputs!.map(fromBase64),
    free: () => void ask({ free: id }).catch(() => undefined),
  };
};

/** Where and how PyTorch computes. */
export interface TorchOptions {
  /** On the CPU. */
  readonly threads: number;
  /** The CPU by default. */
  readonly device?: 'cpu' | 'cuda';
  /** Of operands and results: single by default, on CUDA without its shortcut tf32. Half is for products and convolutions. */
  readonly precision?: 'f32' | 'f16';
}

/**
 * PyTorch in the Python that AUTOASSIGN_TORCH names.
 *
 * Throws  Error when the variable is not set, that Python has no torch, or torch has no such device
 */
export const torch = async (script: string, options: TorchOptions): Promise<Library> => {
  const python = process.env.AUTOASSIGN_TORCH;
  if (python === undefined || python === '')
    throw new Error('AUTOASSIGN_TORCH names no python3 that has torch');
  const { ask, close } = converse(python, script);
  const { threads, device = 'cpu', precision = 'f32' } = options;
  const { version = 'unknown' } = await ask({ threads, device, precision }).catch(async (error: unknown) => {
    await close();
    throw error;
  });
  let prepared = 0;
  return {
    name: precision === 'f32' ? 'PyTorch' : 'PyTorch f16',
    version,
    isThreaded: true,
    compilesFirst: false,
    prepare: async (work) =>
      precision === 'f16' && !['matmul', 'conv'].includes(work.kind)
        ? 'left out: half precision is for products and convolutions'
        : prepare(ask, prepared++, work),
    cpu: async () => (await ask({ cpu: true })).cpu!,
    close,
  };
};
