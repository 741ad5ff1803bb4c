// The log of a run, `metrics.jsonl`: one JSON object per line, only ever added to, cut back when a run resumes.
import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { fileWriteError, writeFileAtomic } from './atomicFile.ts';

/** One line of the log: the step it belongs to and what was measured then. */
export interface MetricsRecord {
  readonly step: number;
  readonly [name: string]: unknown;
}

/** An open log. */
export interface MetricsLog {
  /** Adds one line and hands it to the operating system at once, so that it survives the end of the process. */
  readonly append: (record: MetricsRecord) => void;
  readonly close: () => void;
}

function parseLine(line: string): MetricsRecord | undefined {
  try {
    const value: unknown = JSON.parse(line);
    const isRecord =
      typeof value === 'object' && value !== null && 'step' in value && typeof value.step === 'number';
    return isRecord ? (value as MetricsRecord) : undefined;
  } catch {
    return undefined; // the half line of a process that was killed while writing
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  }
}

/** The whole lines of a log file, oldest first; a half-written line and a missing file count as nothing. */
export function readMetrics(path: string): readonly MetricsRecord[] {
  return readText(path)
    .split('\n')
    .flatMap((line) => parseLine(line) ?? []);
}

/** Adds bytes to an open file all or not at all: what a full disk let through is cut off again. */
function appendWhole(file: number, bytes: Uint8Array, write: typeof writeSync): void {
  const before = fstatSync(file).size;
  try {
    for (let written = 0; written < bytes.length; ) written += write(file, bytes, written);
  } catch (error) {
    ftruncateSync(file, before);
    throw error;
  }
}

/**
 * An open log that new lines are added to; with `resumeAfter`, lines of later steps are cut first.
 *
 * Throws   FileWriteError that names the file
 * Example  const log = await openMetrics('runs/demo/metrics.jsonl', { resumeAfter: 1200 })
 */
export async function openMetrics(
  path: string,
  options: { readonly resumeAfter?: number; readonly write?: typeof writeSync } = {},
): Promise<MetricsLog> {
  const { resumeAfter, write = writeSync } = options;
  if (resumeAfter !== undefined) {
    const kept = readMetrics(path).filter(({ step }) => step <= resumeAfter);
    await writeFileAtomic(path, kept.map((record) => `${JSON.stringify(record)}\n`).join(''));
  }
  const attempt = <T>(action: () => T): T => {
    try {
      return action();
    } catch (cause) {
      throw fileWriteError(path, cause);
    }
  };
  const file = attempt(() => openSync(path, 'a'));
  return {
    append: (record) => {
      const bytes = new TextEncoder().encode(`${JSON.stringify(record)}\n`);
      attempt(() => appendWhole(file, bytes, write));
    },
    close: () => {
      attempt(() => {
        try {
          fsyncSync(file);
        } finally {
          closeSync(file);
        }
      });
    },
  };
}
