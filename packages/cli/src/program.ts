// The command line: which verbs and options there are, and how a run of the program ends.
// The verbs themselves come in as an argument, so this file knows nothing of tensors or images.
import { createRequire } from 'node:module';
import { Command, CommanderError, Option } from 'commander';
import type { DataVerbs } from './dataProgram.ts';
import { addDataCommands } from './dataProgram.ts';
import { describeError, exitCodeOf, exitCodes, ReportedFailure, UsageError } from './exitCodes.ts';
import type { DemoOptions, DoctorOptions, EvalOptions, PredictOptions, TrainOptions } from './options.ts';
import {
  backendName,
  existingFolder,
  existingPath,
  flipChoices,
  folderName,
  fraction,
  mostThreads,
  outputFolder,
  precisionName,
  wholeNumber,
} from './options.ts';
import type { OutputStream, Reporter } from './progress.ts';
import { createReporter } from './progress.ts';
import type { SignalSource } from './signals.ts';
import { listenForStop } from './signals.ts';

/** What a verb gets besides its options. */
export interface VerbContext {
  /** Fires when the user asks to stop: finish the step, save, return. */
  readonly signal: AbortSignal;
  readonly reporter: Reporter;
  /** The words of the command line after the program's name, for `env.json`. */
  readonly commandLine: readonly string[];
  /** What to type to start a verb: the program's name, or the npm script that it was started by. */
  readonly commandFor: (verb: keyof Verbs) => string;
}

/** The things the program does; each resolves when done and rejects with a one-line error. */
export interface Verbs {
  readonly demo: (options: DemoOptions, context: VerbContext) => Promise<void>;
  readonly train: (options: TrainOptions, context: VerbContext) => Promise<void>;
  readonly eval: (options: EvalOptions, context: VerbContext) => Promise<void>;
  readonly predict: (options: PredictOptions, context: VerbContext) => Promise<void>;
  readonly doctor: (options: DoctorOptions, context: VerbContext) => Promise<void>;
  /** What can be done with a dataset on its own, as `autoassign data <verb>`. */
  readonly data: DataVerbs;
}

/** The process around the program: its streams, environment, signals and how to leave at once. */
export interface Surroundings {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signals: SignalSource;
  readonly exitNow: (exitCode: number) => void;
}

/** Runs one verb's work inside its context; `createProgram` calls it once per command line. */
type Invoke = (
  options: { readonly json?: true; readonly quiet?: true },
  work: (context: VerbContext) => Promise<void>,
) => Promise<void>;

const largestSeed = 2 ** 32 - 1;

function fixedByRun(option: Option, resumable: boolean): Option {
  return resumable ? option.conflicts('resume') : option;
}

function addCommonOptions(command: Command, { resumable }: { readonly resumable: boolean }): Command {
  const backend = new Option(
    '--backend <name>',
    'cpu (slow, exact reference), wasm (fast), webgpu (fast on a GPU) or gpujs (every mode of GPU.js)',
  );
  return command
    .addOption(
      new Option('--out <folder>', 'folder that holds the run folders')
        .default('runs')
        .argParser(outputFolder('--out')),
    )
    .addOption(
      new Option('--name <name>', 'name of the run folder; a number is added when it is taken')
        .default(command.name())
        .argParser(folderName('--name')),
    )
    .addOption(fixedByRun(backend.default('wasm').argParser(backendName('--backend')), resumable))
    .addOption(threadsOption())
    .addOption(fixedByRun(new Option('--fma', fmaMeaning), resumable))
    .addOption(fixedByRun(new Option('--no-fma', 'results that every machine repeats (default)'), resumable))
    .addOption(fixedByRun(precisionOption(), resumable))
    .option('--json', 'events as JSON lines on standard output, nothing else there')
    .option('--quiet', 'say nothing but errors');
}

const fmaMeaning =
  'fused multiply-add on wasm: faster on most machines, but the last bits depend on the machine';

function precisionOption(): Option {
  const meaning =
    "arithmetic of products on webgpu: f32 (default), mixed (operands of 16 bits) or 'emulated mixed' (the same numbers on every adapter, slower)";
  return new Option('--precision <name>', meaning).argParser(precisionName('--precision'));
}

/** Not fixed by a run: any number of threads continues it bit for bit. */
function threadsOption(): Option {
  const meaning = 'threads that compute on wasm (default: one for every core); results do not depend on it';
  return new Option('--threads <n>', meaning).argParser(wholeNumber('--threads', 1, mostThreads));
}

function batchOption(): Option {
  return new Option('--batch <n>', 'images per step').argParser(wholeNumber('--batch', 1, 1024));
}

function dataOption(description: string): Option {
  return new Option('--data <folder>', description).argParser(existingFolder('--data'));
}

function strictOption(): Option {
  return new Option(
    '--strict',
    'stop at the first picture or object that cannot be used (default: leave it out)',
  );
}

function linksOption(): Option {
  return new Option('--follow-links', 'symbolic links may lead out of the folder');
}

function weightsOption(): Option {
  return new Option('--weights <path>', 'checkpoint or run folder (default: the newest run)').argParser(
    existingPath('--weights'),
  );
}

function addTrainingOptions(command: Command, dataDescription: string): Command {
  const steps = new Option('--steps <n>', 'training steps').argParser(wholeNumber('--steps', 1, 10_000_000));
  const seed = new Option('--seed <n>', 'seed of everything random').argParser(
    wholeNumber('--seed', 0, largestSeed),
  );
  const resume = new Option('--resume [folder]', 'continue a stopped run (default: the newest)').argParser(
    existingFolder('--resume'),
  );
  const epochs = new Option('--epochs <n>', 'instead of steps: how often every image is seen');
  const flips = new Option('--flips <which>', 'mirror images to train on as well').choices(flipChoices);
  const trainSplit = new Option('--train-split <name>', 'split to train on (default: trainval or train)');
  const validationSplit = new Option(
    '--validation-split <name>',
    'split to evaluate on (default: test or val)',
  );
  return command
    .addOption(dataOption(dataDescription).conflicts('resume'))
    .addOption(trainSplit.conflicts('resume'))
    .addOption(validationSplit.conflicts('resume'))
    .addOption(strictOption().conflicts('resume'))
    .addOption(linksOption().conflicts('resume'))
    .addOption(flips.conflicts('resume'))
    .addOption(steps.conflicts('resume'))
    .addOption(epochs.argParser(wholeNumber('--epochs', 1, 100_000)).conflicts(['resume', 'steps']))
    .addOption(batchOption().conflicts('resume'))
    .addOption(seed.default(0).conflicts('resume'))
    .addOption(resume);
}

/** Commander's message of one or two lines as one sentence after the other, ready to print. */
function usageErrorOf(command: string, error: CommanderError): Error {
  if (error.exitCode === 0 || error.code === 'commander.help') return error;
  const [what = '', hint] = error.message.replace(/^error: /, '').split('\n');
  const advice = hint?.replace(/^\(|\)$/g, '') ?? `See '${command} --help'.`;
  return new UsageError(`${what.replace(/\.$/, '')}. ${advice}`);
}

/** Adds one verb to the program, under its name and with what it does in a line of help. */
type AddVerb = (name: keyof Verbs, description: string) => Command;

function addTrainingVerbs(add: AddVerb, verbs: Verbs, invoke: Invoke): void {
  const demo = add('demo', 'train on the shapes data set (or your own) and leave a run folder with pictures');
  addCommonOptions(addTrainingOptions(demo, 'a folder with a dataset to use instead of shapes'), {
    resumable: true,
  });
  demo.addOption(new Option('--quick', 'a first look in under two minutes').conflicts('resume'));
  demo.action(async (options: DemoOptions) => {
    await invoke(options, (context) => verbs.demo(options, context));
  });

  const train = add('train', 'train a detector on a dataset');
  addCommonOptions(
    addTrainingOptions(train, 'folder with a dataset in COCO, PASCAL VOC, Objects365 or WiderFace form'),
    { resumable: true },
  );
  train.action(async (options: TrainOptions) => {
    if (options.data === undefined && options.resume === undefined) {
      throw new UsageError(
        'needs --data <folder>, got none. Give a folder with a dataset, or --resume to continue a run.',
      );
    }
    await invoke(options, (context) => verbs.train(options, context));
  });
}

function addUsingVerbs(add: AddVerb, verbs: Verbs, invoke: Invoke): void {
  const evaluate = add('eval', 'measure the AP of a trained detector on a dataset');
  evaluate.addOption(dataOption('folder with the dataset to evaluate on').makeOptionMandatory());
  evaluate.addOption(new Option('--split <name>', 'split to evaluate on (default: test or val)'));
  const lists = new Option(
    '--wider-lists <folder>',
    'wider_face_val.mat and the lists of easy, medium and hard',
  );
  evaluate.addOption(lists.argParser(existingFolder('--wider-lists')));
  evaluate.addOption(strictOption()).addOption(linksOption());
  evaluate.addOption(weightsOption()).addOption(batchOption());
  addCommonOptions(evaluate, { resumable: false }).action(async (options: EvalOptions) => {
    await invoke(options, (context) => verbs.eval(options, context));
  });

  const predict = add('predict', 'detect objects in images and draw them');
  predict.argument('<images...>', 'image files').addOption(weightsOption());
  const score = new Option('--score <s>', 'only detections that score above this are shown').default(0.5);
  predict.addOption(score.argParser(fraction('--score')));
  addCommonOptions(predict, { resumable: false }).action(
    async (images: string[], options: Omit<PredictOptions, 'images'>) => {
      await invoke(options, (context) => verbs.predict({ ...options, images }, context));
    },
  );
}

function addDoctor(add: AddVerb, verbs: Verbs, invoke: Invoke): void {
  const doctor = add('doctor', 'say which backends run on this machine, and why others do not');
  doctor.option('--json', 'a JSON line per backend on standard output, nothing else there');
  doctor.option(
    '--tune',
    'try tile sizes of matrix products on the GPU, and keep the fastest for --backend webgpu',
  );
  doctor.action(async (options: DoctorOptions) => {
    await invoke(options, (context) => verbs.doctor(options, context));
  });
}

/** The version in this package's manifest. */
function ownVersion(): string {
  const manifest = createRequire(import.meta.url)('../package.json') as { readonly version: string };
  return manifest.version;
}

/** The commander program with all verbs; parsing a command line with it calls one of them. */
function createProgram(verbs: Verbs, invoke: Invoke, { stdout, stderr }: Surroundings): Command {
  const program = new Command('autoassign')
    .description('Train, evaluate and look at AutoAssign object detectors.')
    .helpCommand(false)
    .version(ownVersion(), '--version')
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      outputError: () => undefined, // runProgram prints every error, in one line
    })
    .exitOverride((error) => {
      throw usageErrorOf('autoassign', error);
    });
  const addTo = (parent: Command, name: string, description: string): Command => {
    const words = [...(parent === program ? [] : [parent.name()]), name].join(' ');
    return parent
      .command(name)
      .description(description)
      .exitOverride((error) => {
        throw usageErrorOf(`autoassign ${words}`, error);
      });
  };
  const add: AddVerb = (name, description) => addTo(program, name, description);
  addTrainingVerbs(add, verbs, invoke);
  addUsingVerbs(add, verbs, invoke);
  addDoctor(add, verbs, invoke);
  addDataCommands(program, { verbs: verbs.data, invoke, add: addTo });
  return program;
}

/** What to type to start a verb; npm tells the scripts it runs their own name. */
function commandOf(verb: keyof Verbs, environment: Surroundings['environment']): string {
  const script = environment.npm_lifecycle_event;
  if (script !== 'demo' && script !== 'autoassign') return `autoassign ${verb}`;
  return verb === 'demo' ? 'npm run demo --' : `npm run autoassign -- ${verb}`;
}

/**
 * The exit status of running the program on the words of a command line (without `node` and the script).
 *
 * Example  process.exitCode = await runProgram(verbs, process.argv.slice(2), surroundings)
 */
export async function runProgram(
  verbs: Verbs,
  commandLine: readonly string[],
  surroundings: Surroundings,
): Promise<number> {
  let running: { readonly reporter: Reporter; readonly stop: ReturnType<typeof listenForStop> } | undefined;
  const invoke: Invoke = async (options, work) => {
    const reporter = createReporter({ ...surroundings, json: options.json, quiet: options.quiet });
    const stop = listenForStop(surroundings.signals, {
      onFirst: () =>
        reporter.message(
          'Stopping; what is under way comes to a clean end first. Ctrl-C again stops at once.',
        ),
      exitNow: (exitCode) => {
        reporter.close();
        surroundings.exitNow(exitCode);
      },
    });
    running = { reporter, stop };
    const commandFor = (verb: keyof Verbs): string => commandOf(verb, surroundings.environment);
    await work({ signal: stop.signal, reporter, commandLine: [...commandLine], commandFor });
  };

  try {
    await createProgram(verbs, invoke, surroundings).parseAsync([...commandLine], { from: 'user' });
    return running?.stop.exitCode() ?? exitCodes.success;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.success : exitCodes.usage;
    const stopCode = running?.stop.exitCode();
    if (stopCode !== undefined && error === running?.stop.signal.reason) return stopCode;
    if (error instanceof ReportedFailure) return exitCodes.failure;
    reportFailure(error, commandLine, running?.reporter, surroundings);
    return exitCodeOf(error);
  } finally {
    running?.stop.close();
    running?.reporter.close();
  }
}

/** The words of a command line that name the verb. */
function verbWords([first = '', second = '']: readonly string[]): readonly string[] {
  if (['demo', 'train', 'eval', 'predict', 'doctor'].includes(first)) return [first];
  if (first !== 'data') return [];
  return ['info', 'check', 'show', 'convert', 'split', 'download'].includes(second)
    ? [first, second]
    : [first];
}

function reportFailure(
  error: unknown,
  commandLine: readonly string[],
  reporter: Reporter | undefined,
  { stderr, environment }: Surroundings,
): void {
  reporter?.close(); // end the progress line first
  const text = describeError(error);
  reporter?.event({ event: 'error', message: text });
  stderr.write(`${['autoassign', ...verbWords(commandLine)].join(' ')}: ${text}\n`);
  if (environment.AUTOASSIGN_DEBUG && error instanceof Error) stderr.write(`${error.stack ?? ''}\n`);
}
