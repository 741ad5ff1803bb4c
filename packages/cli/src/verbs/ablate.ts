// The verb `ablate`: the same training with different label assignments over several seeds, and a table of what that came to.
import { join } from 'node:path';
import { TrainingError } from '@autoassign/detector';
import { ablationChart } from '../ablation/chart.ts';
import type { GridOptions, GridRun } from '../ablation/grid.ts';
import { gridRuns, isBegun, requireSharedSettings, scoresOfRun } from '../ablation/grid.ts';
import type { RunScores } from '../ablation/table.ts';
import { ablationCsv, ablationLines, ablationMarkdown, variantRows } from '../ablation/table.ts';
import { variantNames, variantSettings } from '../ablation/variants.ts';
import { writeFileAtomic, writeJson } from '../atomicFile.ts';
import { describeError, ReportedFailure } from '../exitCodes.ts';
import type { AblateOptions, DemoOptions } from '../options.ts';
import type { VerbContext } from '../program.ts';
import type { Reporter } from '../progress.ts';
import { formatDuration } from '../progressText.ts';
import { RunFolderError } from '../runFolder.ts';
import type { Presets } from './training.ts';
import { trainingVerbs } from './training.ts';

/** Steps on shapes unless told otherwise: enough to tell variants apart, few enough for a grid. */
const shapesSteps = 500;

/** A run says whose it is; the words at its end would drown those of the grid. */
function reporterOf({ variant, seed }: GridRun, place: string, reporter: Reporter): Reporter {
  const name = `${place} ${variant} seed ${seed}`;
  return {
    message: (text) => reporter.message(`${name}: ${text}`),
    result: () => undefined,
    event: (event) => reporter.event({ ...event, variant, seed }),
    progress: (options) => reporter.progress({ ...options, label: `${name} ${options.label}` }),
    close: () => undefined,
  };
}

/** A grid and what it has come to so far. */
interface Grid {
  readonly options: GridOptions;
  readonly presets: Presets;
  readonly context: VerbContext;
  readonly runs: readonly GridRun[];
  /** Those of the runs that are finished; grows. */
  readonly scores: RunScores[];
}

async function writeResults({ options, runs, scores }: Grid): Promise<void> {
  const { variants, data, steps, epochs, seeds, seed } = options;
  const rows = variantRows(variants, scores);
  const path = (name: string): string => join(options.out, options.name, name);
  const length = epochs === undefined ? `${steps ?? 'as many as the recipe says'} steps` : `${epochs} epochs`;
  const seedText = seeds === 1 ? `seed ${seed}` : `seeds ${seed} to ${seed + seeds - 1}`;
  const state = scores.length < runs.length ? ` ${scores.length} of ${runs.length} runs are finished.` : '';
  const setting = `Data: ${data ?? 'shapes'}. Length: ${length}. Runs: ${variants.length} variants, ${seedText}.${state}`;
  await writeFileAtomic(path('ablation.md'), ablationMarkdown('Ablation', setting, rows));
  await writeFileAtomic(path('ablation.csv'), ablationCsv(rows));
  await writeFileAtomic(path('ablation.svg'), ablationChart(rows, scores));
  await writeJson(path('ablation.json'), { variants, rows, runs: scores });
}

/** Trains one run from where it stands; undefined when it was stopped. */
async function train(
  run: GridRun,
  place: string,
  { options, presets, context }: Grid,
): Promise<RunScores | undefined> {
  const { variants: _, seeds: __, ...shared } = options;
  const settings = [...shared.settings, ...variantSettings(run.variant)];
  const own: DemoOptions = { ...shared, settings, name: run.name, seed: run.seed };
  const resumed = (await isBegun(run)) ? { resume: run.folder } : {};
  const reporter = reporterOf(run, place, context.reporter);
  await trainingVerbs(presets).demo({ ...own, ...resumed }, { ...context, reporter });
  return scoresOfRun(run);
}

/** What is left, in words, from the mean time of the runs that were trained just now. */
function timeLeft(left: number, seconds: readonly number[]): string {
  if (left === 0 || seconds.length === 0) return '';
  const mean = seconds.reduce((sum, one) => sum + one, 0) / seconds.length;
  return `, about ${formatDuration(left * mean)} left`;
}

/** The scores of a run, or the reason why it failed; undefined when the user stopped it. */
async function outcomeOf(
  run: GridRun,
  place: string,
  grid: Grid,
): Promise<RunScores | TrainingError | undefined> {
  try {
    const scores = await train(run, place, grid);
    if (scores !== undefined || grid.context.signal.aborted) return scores;
  } catch (error) {
    if (error instanceof TrainingError) return error; // that a variant cannot be trained is a result too
    throw error;
  }
  throw new RunFolderError(
    `ablate(${run.folder}): needs a run that comes to its end, got one that ran out of data. Check the data, then try again.`,
  );
}

function tellStop({ runs, scores, options, context }: Grid): void {
  const { reporter, commandFor } = context;
  reporter.event({ event: 'stopped', finished: scores.length, runs: runs.length });
  reporter.message(
    `Stopped with ${scores.length} of ${runs.length} runs finished. The same command goes on: ${commandFor('ablate')} … --name ${options.name}`,
  );
}

function tellResults({ options, scores, context: { reporter } }: Grid): void {
  const rows = variantRows(options.variants, scores);
  const folder = join(options.out, options.name);
  reporter.event({ event: 'ablation', folder, rows });
  reporter.result(
    [
      '',
      ...ablationLines(rows),
      '',
      `AP in points: mean ± standard deviation; difference from ${options.variants[0]} ± its standard error.`,
      `Results in ${folder}: ablation.md, ablation.csv, ablation.json, ablation.svg, and a folder per run`,
    ].join('\n'),
  );
}

/** What is known of a grid from earlier: the runs that are finished. */
async function openGrid(options: GridOptions, presets: Presets, context: VerbContext): Promise<Grid> {
  await requireSharedSettings(options);
  const runs = gridRuns(options);
  const scores: RunScores[] = [];
  for (const run of runs) {
    const known = await scoresOfRun(run);
    if (known !== undefined) scores.push(known);
  }
  if (scores.length > 0)
    context.reporter.message(`${scores.length} of ${runs.length} runs are finished already.`);
  return { options, presets, context, runs, scores };
}

/** Trains what is left of a grid; how many runs could not be trained, or undefined when the user stopped it. */
async function trainGrid(grid: Grid): Promise<number | undefined> {
  const { runs, scores, context } = grid;
  const isKnown = ({ variant, seed }: GridRun): boolean =>
    scores.some((one) => one.variant === variant && one.seed === seed);
  const left = runs.filter((run) => !isKnown(run));
  const taken: number[] = [];
  let failures = 0;
  for (const [index, run] of left.entries()) {
    const place = `${runs.length - left.length + index + 1}/${runs.length}`;
    const started = performance.now();
    const outcome = await outcomeOf(run, place, grid);
    if (outcome === undefined) return undefined;
    taken.push((performance.now() - started) / 1000);
    const isFailure = outcome instanceof TrainingError;
    if (isFailure) failures += 1;
    else scores.push(outcome);
    await writeResults(grid);
    const told = isFailure ? describeError(outcome) : `AP ${(100 * outcome.ap).toFixed(1)}`;
    const rest = timeLeft(left.length - index - 1, taken);
    context.reporter.message(`${place} ${run.variant} seed ${run.seed}: ${told}${rest}`);
  }
  return failures;
}

/** The verb `ablate`, beginning with the given sizes. */
export function ablateVerb(
  presets: Presets,
): (options: AblateOptions, context: VerbContext) => Promise<void> {
  return async (given, context) => {
    const { data, steps, epochs, preset, config } = given;
    const isOpen = [data, steps, epochs, preset, config].every((option) => option === undefined);
    const options = { variants: variantNames, ...given, ...(isOpen ? { steps: shapesSteps } : {}) };
    const grid = await openGrid(options, presets, context);
    const failures = await trainGrid(grid);
    if (failures === undefined) {
      tellStop(grid);
      return;
    }
    await writeResults(grid);
    tellResults(grid);
    if (failures > 0) throw new ReportedFailure(`${failures} runs could not be trained`);
  };
}
