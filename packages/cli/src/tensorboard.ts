// The event file of a training process, for TensorBoard: numbers of steps and evaluations, and pictures.
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { fileWriteError } from './atomicFile.ts';
import { type TensorboardEvent, tensorboardRecord } from './tensorboardRecords.ts';

/** An open event file. */
export interface TensorboardLog {
  /** Numbers by tag, such as `train/loss`. */
  readonly scalars: (step: number, values: Readonly<Record<string, number>>) => void;
  /** The PNG file of a picture. */
  readonly picture: (
    step: number,
    tag: string,
    png: Uint8Array,
    size: { readonly width: number; readonly height: number },
  ) => void;
  readonly close: () => void;
}

/**
 * A new event file in a folder, for a process that goes on after step `step`: TensorBoard joins the files of a folder, and leaves out
 * what earlier processes wrote of later steps.
 *
 * Throws   FileWriteError that names the file
 */
export function openTensorboard(folder: string, step: number): TensorboardLog {
  const seconds = (): number => Date.now() / 1000;
  const opened = Math.floor(seconds());
  const path = join(folder, `events.out.tfevents.${opened}.${hostname()}.${process.pid}.${step}`);
  const attempt = <T>(action: () => T): T => {
    try {
      return action();
    } catch (cause) {
      throw fileWriteError(path, cause);
    }
  };
  attempt(() => mkdirSync(folder, { recursive: true }));
  const file = attempt(() => openSync(path, 'a'));
  const write = (event: TensorboardEvent): void => {
    attempt(() => {
      const bytes = tensorboardRecord(event);
      for (let written = 0; written < bytes.length; ) written += writeSync(file, bytes, written);
    });
  };
  write({ kind: 'file', seconds: seconds(), step: 0 });
  if (step > 0) write({ kind: 'start', seconds: seconds(), step: step + 1 });
  return {
    scalars: (at, values) => write({ kind: 'scalars', seconds: seconds(), step: at, values }),
    picture: (at, tag, png, size) => write({ kind: 'picture', seconds: seconds(), step: at, tag, png, size }),
    close: () => attempt(() => closeSync(file)),
  };
}
