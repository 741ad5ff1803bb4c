// Runs of the tiny program inside a test: folders that vanish afterwards, outcomes as data, signals at a chosen event.
import { EventEmitter } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { runProgram } from '../src/program.ts';
import type { TrainingRecipe } from '../src/runConfig.ts';
import { recordedStream } from './surroundings.ts';
import { tinyVerbs } from './tinyVerbs.ts';

/** A new folder for one test, and how to remove it. */
export async function testFolder(): Promise<{
  readonly folder: string;
  readonly remove: () => Promise<void>;
}> {
  const folder = await mkdtemp(join(tmpdir(), 'autoassign-verbs-'));
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** One line that the program writes under --json. */
export interface ProgramEvent {
  readonly event: string;
  readonly [field: string]: unknown;
}

export interface TinyOutcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The lines of standard output as events, under --json. */
  readonly events: readonly ProgramEvent[];
}

interface TinyOptions {
  /** Called at every event of a run under --json; true stands for Ctrl-C. */
  readonly interruptAt?: (event: ProgramEvent) => boolean;
  /** What is changed of the tiny recipe. */
  readonly recipe?: Partial<TrainingRecipe>;
}

const computing: readonly (string | undefined)[] = ['demo', 'train', 'eval', 'predict', 'ablate'];

/** On one thread unless the words say otherwise: no result depends on it, and starting threads takes longer than tiny runs. */
function onOneThread(words: readonly string[]): readonly string[] {
  return computing.includes(words[0]) && !words.includes('--threads') ? [...words, '--threads', '1'] : words;
}

export async function runTiny(words: readonly string[], options: TinyOptions = {}): Promise<TinyOutcome> {
  const { interruptAt = () => false, recipe } = options;
  const signals = new EventEmitter();
  const [stdout, stderr] = [recordedStream(), recordedStream()];
  const events: ProgramEvent[] = [];
  const write = (text: string): boolean => {
    if (words.includes('--json')) {
      const event = JSON.parse(text) as ProgramEvent;
      events.push(event);
      if (interruptAt(event)) signals.emit('SIGINT');
    }
    return stdout.write(text);
  };
  const exitCode = await runProgram(tinyVerbs(recipe), onOneThread(words), {
    stdout: { write },
    stderr,
    environment: {},
    signals,
    exitNow: (code) => {
      throw new Error(`exit at once with ${code}`);
    },
  });
  return { exitCode, stdout: stdout.text(), stderr: stderr.text(), events };
}

/** The lines of a run's log without the times, which differ between runs. */
export async function logLines(folder: string): Promise<readonly object[]> {
  const text = await readFile(join(folder, 'metrics.jsonl'), 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter(({ event }) => event !== 'checkpoint');
}

/** Names in a folder, drafts of files that were never finished included. */
export async function namesIn(folder: string): Promise<readonly string[]> {
  return (await readdir(folder)).sort();
}

/** One image of a COCO folder to write: bright rectangles on dark ground. */
interface TinyImage {
  readonly file: string;
  readonly width: number;
  readonly height: number;
  readonly boxes: readonly (readonly [x: number, y: number, width: number, height: number])[];
}

async function writeImage(folder: string, { file, width, height, boxes }: TinyImage): Promise<void> {
  const data = Buffer.alloc(width * height * 3, 40);
  for (const [left, top, across, down] of boxes) {
    for (let y = top; y < top + down; y += 1) {
      data.fill(220, (y * width + left) * 3, (y * width + left + across) * 3);
    }
  }
  await sharp(data, { raw: { width, height, channels: 3 } }).toFile(join(folder, 'images', file));
}

/** Writes a COCO folder with the given splits; every box is a 'block'. */
export async function writeCocoFolder(
  folder: string,
  splits: Readonly<Record<string, readonly TinyImage[]>>,
  classes: readonly string[] = ['block', 'other'],
): Promise<void> {
  await mkdir(join(folder, 'images'), { recursive: true });
  await mkdir(join(folder, 'annotations'), { recursive: true });
  for (const [split, images] of Object.entries(splits)) {
    for (const image of images) await writeImage(folder, image);
    const annotations = images.flatMap(({ boxes }, image) =>
      boxes.map((bbox, index) => ({
        id: 100 * image + index + 1,
        image_id: image + 1,
        category_id: 1,
        bbox,
        area: bbox[2] * bbox[3],
        iscrowd: 0,
      })),
    );
    const content = {
      images: images.map(({ file, width, height }, image) => ({
        id: image + 1,
        file_name: file,
        width,
        height,
      })),
      categories: classes.map((name, index) => ({ id: index + 1, name })),
      annotations,
    };
    await writeFile(join(folder, 'annotations', `instances_${split}.json`), JSON.stringify(content));
  }
}

/** Images of 64 x 48 pixels with one block each. */
export function blockImages(count: number, prefix: string): readonly TinyImage[] {
  return Array.from({ length: count }, (_, index) => ({
    file: `${prefix}${index}.png`,
    width: 64,
    height: 48,
    boxes: [[4 + 2 * index, 6, 24, 20] as const],
  }));
}
