// The verbs of `data` inside a test: small datasets of colourful pictures, and outcomes as data.
import { EventEmitter } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import type { DataVerbs } from '../../src/program.ts';
import { runProgram } from '../../src/program.ts';
import { createVerbs } from '../../src/verbs/index.ts';
import { recordedStream } from '../surroundings.ts';
import { newFolder } from './folders.ts';

interface Outcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The lines of standard output as events, under --json. */
  readonly events: readonly Readonly<Record<string, unknown>>[];
}

interface RunOptions {
  /** Verbs to take instead of the real ones. */
  readonly verbs?: Partial<DataVerbs>;
  /** Called with every text on standard error; true stands for Ctrl-C. */
  readonly interruptAt?: (text: string) => boolean;
  /** Ctrl-C is pressed when it resolves. */
  readonly interruptWhen?: Promise<unknown>;
}

/** The outcome of `autoassign data` with the given words. */
export async function runData(words: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const { verbs = {}, interruptAt = () => false } = options;
  const signals = new EventEmitter();
  const [stdout, stderr] = [recordedStream(), recordedStream()];
  const write = (text: string): boolean => {
    if (interruptAt(text)) signals.emit('SIGINT');
    return stderr.write(text);
  };
  void options.interruptWhen?.then(() => signals.emit('SIGINT'));
  const real = createVerbs();
  const all = { ...real, data: { ...real.data, ...verbs } };
  const exitCode = await runProgram(all, ['data', ...words], {
    stdout,
    stderr: { write },
    environment: {},
    signals,
    exitNow: (code) => {
      throw new Error(`exit at once with ${code}`);
    },
  });
  const lines = stdout.text().split('\n').filter(Boolean);
  const events = words.includes('--json')
    ? lines.map((line) => JSON.parse(line) as Outcome['events'][number])
    : [];
  return { exitCode, stdout: stdout.text(), stderr: stderr.text(), events };
}

/** Ten JPEG files of 64x48, all different; made once. */
const pictures = Promise.all(
  Array.from({ length: 10 }, (_, number) => {
    const data = Uint8Array.from({ length: 64 * 48 * 3 }, (__, i) => (i * 37 + 91 * number) % 256);
    return sharp(data, { raw: { width: 64, height: 48, channels: 3 } })
      .jpeg()
      .toBuffer();
  }),
);

/** A folder with the given files. */
async function folderWith(files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
  const folder = await newFolder();
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  return folder;
}

/** The corners of a box of VOC, and its class. */
export type VocObject = readonly [
  name: string,
  xmin: number,
  ymin: number,
  xmax: number,
  ymax: number,
  flags?: string,
];

export function vocXml(id: string, objects: readonly VocObject[]): string {
  const elements = objects.map(
    ([name, xmin, ymin, xmax, ymax, flags = '']) =>
      `<object><name>${name}</name>${flags}<bndbox><xmin>${xmin}</xmin><ymin>${ymin}</ymin><xmax>${xmax}</xmax><ymax>${ymax}</ymax></bndbox></object>`,
  );
  const size = '<size><width>64</width><height>48</height><depth>3</depth></size>';
  return `<annotation><filename>${id}.jpg</filename>${size}${elements.join('')}</annotation>`;
}

/** A VOC folder: ten pictures of cats, every second with a dog; seven to train, three to validate, all in `trainval`. */
export async function vocFolder(
  change: (files: Record<string, string | Uint8Array>) => void = () => undefined,
): Promise<string> {
  const ids = Array.from({ length: 10 }, (_, i) => `00000${i}`);
  const files: Record<string, string | Uint8Array> = {
    'classes.txt': 'cat\ndog\n', // else they would be two of the twenty classes of PASCAL VOC
    'ImageSets/Main/train.txt': `${ids.slice(0, 7).join('\n')}\n`,
    'ImageSets/Main/val.txt': `${ids.slice(7).join('\n')}\n`,
    'ImageSets/Main/trainval.txt': `${ids.join('\n')}\n`,
  };
  for (const [i, id] of ids.entries()) {
    const dog: readonly VocObject[] =
      i % 2 === 0 ? [['dog', 30, 20, 60, 44, '<difficult>1</difficult>']] : [];
    files[`Annotations/${id}.xml`] = vocXml(id, [['cat', 3, 4, 20 + i, 30], ...dog]);
    files[`JPEGImages/${id}.jpg`] = (await pictures)[i]!;
  }
  change(files);
  return folderWith(files);
}
