// The time that a training run takes, and how it shows its steps while they go.
import type { TrainingRun } from './prepareRun.ts';
import type { Progress, Reporter } from './progress.ts';
import { totalSteps } from './recipe.ts';
import type { TimeSpent } from './trainingLog.ts';

/** The time a run takes; training is what is left when evaluation and saving are taken off. */
export interface Clock {
  readonly spent: () => TimeSpent;
  /** Does something whose time does not count as training. */
  readonly aside: <T>(work: () => Promise<T>) => Promise<T>;
}

/** The clock of a run whose earlier processes have spent some time already. */
export function startClock(before: TimeSpent): Clock {
  const started = performance.now();
  let asideMilliseconds = 0;
  return {
    spent: () => {
      const elapsed = performance.now() - started;
      const training = (elapsed - asideMilliseconds) / 1000;
      return { total: before.total + elapsed / 1000, training: before.training + training };
    },
    aside: async (work) => {
      const since = performance.now();
      try {
        return await work();
      } finally {
        asideMilliseconds += performance.now() - since;
      }
    },
  };
}

/** The progress of the steps. */
export interface StepDisplay {
  readonly show: (step: number, loss: number) => void;
  /** Ends the line, so that the time until the next step counts for nothing. */
  readonly pause: () => void;
}

/** The display of a run's steps. */
export function stepDisplay(reporter: Reporter, { config }: TrainingRun): StepDisplay {
  const { batchSize } = config.recipe;
  const steps = totalSteps(config.recipe, config.imageCounts.usable);
  let progress: Progress | undefined;
  let meanLoss: number | undefined;
  return {
    show: (step, loss) => {
      meanLoss = 0.95 * (meanLoss ?? loss) + 0.05 * loss;
      const options = { label: 'train', total: steps, unit: 'images', unitsPerCount: batchSize };
      progress ??= reporter.progress({ ...options, start: step }); // when it began is not known: it tells no speed
      progress.update(step, `loss ${meanLoss.toFixed(3)}`);
    },
    pause: () => {
      progress?.finish();
      progress = undefined;
    },
  };
}
