// The verb `bench`: how fast a preset's network predicts and learns on the backends of this machine.
import type { TrainingBatch } from '@autoassign/detector';
import { surveyBackends } from '@autoassign/tensor';
import type { Work } from '../benchWork.ts';
import { noiseBatch, prediction, training } from '../benchWork.ts';
import type { Engine } from '../engine.ts';
import { describeEngine, engineOf, openEngine } from '../engine.ts';
import type { BackendName, BenchOptions, ImageSides } from '../options.ts';
import { presetNamed } from '../presets.ts';
import type { VerbContext } from '../program.ts';
import type { Progress } from '../progress.ts';
import type { Settings } from '../settings/runSchema.ts';
import type { Cell } from '../textTable.ts';
import { textTable } from '../textTable.ts';
import { layeredPreset, layersOf } from './runSettings.ts';

/** What was measured of one kind of work on one backend. */
interface Measured {
  readonly work: 'predict' | 'train';
  /** The first time, compiling included. */
  readonly firstMilliseconds: number;
  /** The times after that, in order. */
  readonly milliseconds: readonly number[];
}

/** The size of a landscape picture by the settings, padded. */
function usualSize({ images, detector }: Settings): ImageSides {
  const padded = (side: number): number =>
    Math.ceil(side / detector.input.padMultiple) * detector.input.padMultiple;
  return { height: padded(images.test.shortSide), width: padded(images.test.longSide) };
}

async function measured(
  name: Measured['work'],
  { run, end }: Work,
  { rounds }: BenchOptions,
  { signal }: VerbContext,
  progress: Progress,
): Promise<Measured> {
  const times: number[] = [];
  try {
    for (let round = 0; round <= rounds; round += 1) {
      signal.throwIfAborted();
      const start = performance.now();
      await run();
      times.push(performance.now() - start);
      progress.update(round + 1);
    }
  } finally {
    end();
    progress.finish();
  }
  const [first = Number.NaN, ...others] = times;
  return { work: name, firstMilliseconds: first, milliseconds: others.sort((a, b) => a - b) };
}

/** The backends that are fast here: no reference, and no GPU that is a program itself. */
async function fastBackends(): Promise<readonly BackendName[]> {
  const survey = await surveyBackends();
  const hasGpu = survey.some(
    ({ name, isAvailable, facts }) => name === 'webgpu' && isAvailable && facts.software !== true,
  );
  return hasGpu ? ['wasm', 'webgpu'] : ['wasm'];
}

async function enginesOf({ backends, threads }: BenchOptions): Promise<readonly Engine[]> {
  const names = backends ?? (await fastBackends());
  return names.map((backend) => engineOf({ backend, threads: backend === 'wasm' ? threads : undefined }));
}

/** What was measured of one kind of work on one backend, and on what. */
interface Row extends Measured {
  readonly engine: Engine;
  readonly peakBytes: number;
}

async function rowOf(
  work: Measured['work'],
  engine: Engine,
  settings: Settings,
  batch: TrainingBatch,
  options: BenchOptions,
  context: VerbContext,
): Promise<Row> {
  const backend = await openEngine(engine);
  try {
    const label = `${work} on ${engine.backend}`;
    const progress = context.reporter.progress({ label, total: options.rounds + 1, unit: 'rounds' });
    const made =
      work === 'predict'
        ? await prediction(settings.detector, batch, backend)
        : await training(settings, batch, backend);
    const result = await measured(work, made, options, context, progress);
    return { ...result, engine, peakBytes: backend.stats().peakBytes };
  } finally {
    await backend.destroy();
  }
}

/** A number with so many digits that matter. */
function rounded(value: number, digits: number): number {
  return Number(value.toPrecision(digits));
}

function cellsOf({ engine, work, milliseconds, firstMilliseconds, peakBytes }: Row, images: number): Cell[] {
  const median = milliseconds[Math.floor(milliseconds.length / 2)] ?? Number.NaN;
  return [
    describeEngine(engine),
    work,
    rounded(median, 4),
    rounded(milliseconds[0] ?? Number.NaN, 4),
    rounded((1000 * images) / median, 3),
    rounded(firstMilliseconds / 1000, 3),
    Math.round(peakBytes / 2 ** 20),
  ];
}

/** Measures prediction and training step on every backend, and prints a line for each. */
export async function benchVerb(options: BenchOptions, context: VerbContext): Promise<void> {
  const { reporter } = context;
  const { preset, rounds } = options;
  const classes = Array.from({ length: options.classes }, (_, label) => `class ${label + 1}`);
  const settings = layeredPreset(presetNamed(preset), await layersOf(options), classes);
  const size = options.size ?? usualSize(settings);
  const batch = noiseBatch(options.batch ?? 1, size, classes.length);
  const [count] = batch.imageShape;
  const rows: Row[] = [];
  for (const engine of await enginesOf(options)) {
    for (const work of ['predict', 'train'] as const) {
      const row = await rowOf(work, engine, settings, batch, options, context);
      rows.push(row);
      const { engine: _, ...numbers } = row;
      reporter.event({ event: 'measured', preset, images: count, ...size, ...engine, ...numbers });
    }
  }
  const title = `${preset}: ${count} of ${size.height}x${size.width}, ${classes.length} classes, ${rounds} rounds`;
  const headings = ['backend', 'work', 'median ms', 'least ms', 'images/s', 'first s', 'peak MiB'];
  const cells = rows.map((row) => cellsOf(row, count));
  reporter.result([title, '', ...textTable(headings, cells)].join('\n'));
}
