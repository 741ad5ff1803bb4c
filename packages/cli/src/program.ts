// The command line as a whole: what a verb gets, and how a run of the program ends.
// The verbs themselves come in as an argument, so this file knows nothing of tensors or images.
import { CommanderError } from 'commander';
import { describeError, exitCodeOf, exitCodes, ReportedFailure } from './exitCodes.ts';
import type {
  AblateOptions,
  BenchOptions,
  CompletionOptions,
  ConfigOptions,
  ConvertWeightsOptions,
  DemoOptions,
  DoctorOptions,
  EvalOptions,
  ExportOptions,
  ModelInfoOptions,
  PredictOptions,
  TrainOptions,
} from './options.ts';
import type { Invoke } from './program/command.ts';
import { createProgram } from './program/command.ts';
import type { Work } from './program/specification.ts';
import { verbWords } from './program/verbTable.ts';
import type { OutputStream, Reporter } from './progress.ts';
import { createReporter } from './progress.ts';
import type { SignalSource } from './signals.ts';
import { listenForStop } from './signals.ts';
import type {
  CheckVerbOptions,
  ConvertOptions,
  DownloadOptions,
  InfoOptions,
  ShowOptions,
  SplitVerbOptions,
} from './verbs/data/options.ts';

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

/** What can be done with a dataset on its own. */
export interface DataVerbs {
  readonly info: Work<InfoOptions>;
  readonly check: Work<CheckVerbOptions>;
  readonly show: Work<ShowOptions>;
  readonly convert: Work<ConvertOptions>;
  readonly split: Work<SplitVerbOptions>;
  readonly download: Work<DownloadOptions>;
}

/** The things the program does; each resolves when done and rejects with a one-line error. */
export interface Verbs {
  readonly demo: Work<DemoOptions>;
  readonly train: Work<TrainOptions>;
  readonly eval: Work<EvalOptions>;
  readonly predict: Work<PredictOptions>;
  readonly info: Work<ModelInfoOptions>;
  readonly export: Work<ExportOptions>;
  readonly ablate: Work<AblateOptions>;
  readonly convert: Work<ConvertWeightsOptions>;
  readonly doctor: Work<DoctorOptions>;
  readonly bench: Work<BenchOptions>;
  readonly config: Work<ConfigOptions>;
  readonly completion: Work<CompletionOptions>;
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
  const invoke: Invoke = async (work, options) => {
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
    await work(options, { signal: stop.signal, reporter, commandLine: [...commandLine], commandFor });
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
