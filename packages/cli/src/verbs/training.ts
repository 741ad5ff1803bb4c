// The verbs that train: `demo` on the shapes dataset or a folder of the user's, `train` on a folder.
import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { DetectorConfig } from '@autoassign/detector';
import { demoConfig } from '@autoassign/detector';
import type { DataSource, OpenedData } from '../dataSource.ts';
import { folderSource, openData, shapesSource } from '../dataSource.ts';
import type { Engine } from '../engine.ts';
import { describeEngine, engineOf, openEngine, startedBy } from '../engine.ts';
import { placesForObjects, smallImages, usableImages } from '../imagePlan.ts';
import type { DemoOptions, TrainOptions } from '../options.ts';
import { prepareRun } from '../prepareRun.ts';
import type { Beginning } from '../presets.ts';
import { presetNamed } from '../presets.ts';
import type { VerbContext } from '../program.ts';
import { readTrainingConfig } from '../readTrainingConfig.ts';
import { demoRecipe, photographRecipe, totalSteps, withSteps } from '../recipe.ts';
import type { RunConfig, TrainingRecipe } from '../runConfig.ts';
import type { RunFiles } from '../runFolder.ts';
import { newestRunFolder, RunFolderError, runFiles, startRun } from '../runFolder.ts';
import { leaveResults } from '../runResults.ts';
import { runTraining } from '../trainRun.ts';
import { findWeights } from '../weightsFile.ts';
import { layeredPreset, layersOf, settingsFor } from './runSettings.ts';

/** The sizes of things that the verbs begin with; tests pass small ones. */
export interface Presets {
  readonly detector: (classes: readonly string[]) => DetectorConfig;
  /** How shapes are trained on. */
  readonly recipe: TrainingRecipe;
  /** How pictures of the user's own are trained on; its steps are the fewest, and every picture is seen `epochs` times at least. */
  readonly photographs: { readonly recipe: TrainingRecipe; readonly epochs: number };
  /** How many shapes a full run trains on and is measured by. */
  readonly shapes: { readonly train: number; readonly validation: number };
  readonly quick: {
    readonly steps: number;
    readonly shapes: { readonly train: number; readonly validation: number };
  };
}

/** What `autoassign demo` promises: the whole recipe, or a first look at a fifth of it. */
export const standardPresets: Presets = {
  detector: demoConfig,
  recipe: demoRecipe,
  photographs: { recipe: photographRecipe, epochs: 15 },
  shapes: { train: 9600, validation: 200 },
  quick: { steps: 500, shapes: { train: 2000, validation: 200 } },
};

/** A run before its state is made: what it is, where it goes and what it works on. */
interface OpenedRun {
  readonly config: RunConfig;
  readonly engine: Engine;
  readonly files: RunFiles;
  readonly data: OpenedData;
}

/** What a new run begins with: the preset that is named, else that of the shapes or of the user's own pictures. */
function beginningOf(options: DemoOptions, { detector, recipe, photographs, quick }: Presets): Beginning {
  if (options.preset !== undefined) return presetNamed(options.preset);
  const isShapes = options.data === undefined;
  const usual = isShapes ? recipe : photographs.recipe;
  const epochs = isShapes || options.quick ? 0 : photographs.epochs;
  return {
    detector,
    recipe: options.quick ? withSteps(usual, quick.steps) : usual,
    images: smallImages,
    fits: { padding: true, epochs, ...(isShapes ? {} : ({ colour: true } as const)) },
  };
}

/** Short runs need few of the shapes; longer ones share the full set. */
function sourceFor(options: DemoOptions, { recipe, shapes, quick }: Presets): DataSource {
  if (options.data !== undefined) {
    const { trainSplit, validationSplit, strict, followLinks = false } = options;
    const onProblem = strict ? 'strict' : 'skip';
    return folderSource(options.data, { trainSplit, validationSplit, onProblem, followLinks });
  }
  const steps = options.steps ?? (options.quick ? quick.steps : totalSteps(recipe, shapes.train));
  const isShort = steps * (options.batch ?? recipe.batchSize) <= quick.shapes.train;
  const { train, validation } = isShort ? quick.shapes : shapes;
  return shapesSource(options.out, train, validation);
}

/** Says so when a recipe is meant to begin with weights that were not given: its frozen stages then stay as they were drawn. */
function tellOfMissingWeights(
  { pretrained }: Beginning,
  options: DemoOptions,
  { reporter }: VerbContext,
): void {
  if (pretrained === undefined || options.init !== undefined) return;
  reporter.message(
    `${options.preset} is meant to begin with ${pretrained}; without --init <file> its first stages stay as they are drawn.`,
  );
}

async function newRun(options: DemoOptions, presets: Presets, context: VerbContext): Promise<OpenedRun> {
  const engine = engineOf(options);
  const preset = beginningOf(options, presets);
  const layers = await layersOf(options);
  layeredPreset(preset, layers); // a wrong setting is told before data are made or read
  tellOfMissingWeights(preset, options, context);
  const source = sourceFor(options, presets);
  const data = await openData(source, options.seed, context);
  const config: RunConfig = {
    format: 3,
    ...(options.preset === undefined ? {} : { preset: options.preset }),
    seed: options.seed,
    backend: engine.backend,
    fma: engine.fma,
    precision: engine.precision,
    data: source,
    imageCounts: {
      train: data.train.length,
      usable: usableImages(data.train),
      validation: data.validation.length,
    },
    maxObjects: placesForObjects(data.train),
    ...(options.init === undefined ? {} : { init: resolve(await findWeights(options.init, options.out)) }),
    ...(await settingsFor(preset, layers, options, data)),
  };
  const started = startedBy(context, engine);
  const files = await startRun(join(options.out, options.name), { ...config }, started);
  return { config, engine, files, data };
}

async function resumedRun(options: TrainOptions, context: VerbContext): Promise<OpenedRun> {
  const { resume, out, name } = options;
  const folder = typeof resume === 'string' ? resume : await newestRunFolder(join(out, name));
  const config = await readTrainingConfig(folder);
  const engine = engineOf({ ...config, threads: options.threads });
  const data = await openData(config.data, config.seed, context);
  const { train, validation } = config.imageCounts;
  if (data.train.length !== train || data.validation.length !== validation) {
    throw new RunFolderError(
      `resume(${folder}): needs the ${train} + ${validation} images that the run began with, got ${data.train.length} + ${data.validation.length} in ${config.data.folder}. Restore the data, or start a new run.`,
    );
  }
  return { config, engine, files: runFiles(folder), data };
}

function tellBeginning(
  { config, engine, files, data }: OpenedRun,
  step: number,
  { reporter }: VerbContext,
): void {
  const { recipe, backend, seed } = config;
  for (const note of data.notes) reporter.message(note);
  if (backend === 'cpu')
    reporter.message('The cpu backend is an exact reference and very slow; wasm is the fast one.');
  const what = `${data.train.length} images, ${data.train.classes.length} classes, ${totalSteps(recipe, config.imageCounts.usable)} steps of ${recipe.batchSize}, seed ${seed}, by ${describeEngine(engine)}`;
  reporter.message(
    step === 0
      ? `Training on ${what}, into ${files.folder}`
      : `Going on after step ${step} in ${files.folder}: ${what}`,
  );
  reporter.event({ event: 'run', folder: files.folder, step, ...config, ...engine });
}

/** A path as one word of a shell's command line. */
function quoted(path: string): string {
  return /^[\w./~-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

/** Whether a run has all its results already. */
async function isComplete(files: RunFiles): Promise<boolean> {
  return (await stat(files.summary).catch(() => undefined)) !== undefined;
}

function tellStop(
  verb: 'demo' | 'train',
  { config, files }: OpenedRun,
  step: number,
  { reporter, commandFor }: VerbContext,
): void {
  reporter.event({ event: 'stopped', step, folder: files.folder });
  reporter.message(
    `Stopped after step ${step} of ${totalSteps(config.recipe, config.imageCounts.usable)}, saved. Continue with: ${commandFor(verb)} --resume ${quoted(files.folder)}`,
  );
}

/** Trains from where the run stands to its end, or until the user stops it. */
async function trainVerb(verb: 'demo' | 'train', opened: OpenedRun, context: VerbContext): Promise<void> {
  const { engine, files } = opened;
  if (await isComplete(files)) {
    context.reporter.event({ event: 'finished', folder: files.folder });
    context.reporter.message(`The run in ${files.folder} is finished; its results are there.`);
    return;
  }
  const backend = await openEngine(engine);
  try {
    const run = await prepareRun({ ...opened, backend });
    tellBeginning(opened, run.step, context);
    if (run.beganWith !== undefined) context.reporter.message(`Beginning with ${run.beganWith}`);
    const outcome = await runTraining(run, context);
    if (outcome.isFinished) await leaveResults(run, outcome, context);
    else tellStop(verb, opened, outcome.step, context);
  } finally {
    await backend.destroy();
  }
}

/** The verbs `demo` and `train`, beginning with the given sizes. */
export function trainingVerbs(presets: Presets): {
  readonly demo: (options: DemoOptions, context: VerbContext) => Promise<void>;
  readonly train: (options: TrainOptions, context: VerbContext) => Promise<void>;
} {
  const verbNamed =
    (verb: 'demo' | 'train') =>
    async (options: DemoOptions, context: VerbContext): Promise<void> => {
      const opened =
        options.resume === undefined
          ? await newRun(options, presets, context)
          : await resumedRun(options, context);
      await trainVerb(verb, opened, context);
    };
  return { demo: verbNamed('demo'), train: verbNamed('train') };
}
