// The verbs that train, as data: `demo` and `train`.
import { UsageError } from '../exitCodes.ts';
import type { DemoOptions, TrainOptions } from '../options.ts';
import { flipChoices, wholeNumber } from '../options.ts';
import { existingFolder, existingPath } from '../pathOptions.ts';
import {
  batchOption,
  dataOption,
  engineOptions,
  fixedByRun,
  linksOption,
  runFolderOptions,
  seedOption,
  speechOptions,
  strictOption,
} from './commonOptions.ts';
import { configOption, presetOption, settingsArgument } from './settingOptions.ts';
import type { OptionSpec, VerbSpec } from './specification.ts';
import { verbSpec } from './specification.ts';

function trainingOptions(name: string, dataDescription: string): readonly OptionSpec[] {
  return [
    ...fixedByRun(
      dataOption(dataDescription),
      presetOption,
      configOption,
      { flags: '--train-split <name>', description: 'split to train on (default: trainval or train)' },
      { flags: '--validation-split <name>', description: 'split to evaluate on (default: test or val)' },
      strictOption,
      linksOption,
      { flags: '--flips <which>', description: 'mirror images to train on as well', choices: flipChoices },
      {
        flags: '--steps <n>',
        description: 'training steps',
        parse: wholeNumber('--steps', 1, 10_000_000),
      },
      {
        flags: '--epochs <n>',
        description: 'instead of steps: how often every image is seen',
        parse: wholeNumber('--epochs', 1, 100_000),
        conflicts: ['steps'],
      },
      {
        flags: '--init <path>',
        description:
          'weights to begin with: a pretrained backbone, a checkpoint (.pth, .safetensors) or a run folder',
        parse: existingPath('--init'),
        completedBy: 'file',
      },
      batchOption,
      seedOption,
    ),
    {
      flags: '--resume [folder]',
      description: 'continue a stopped run (default: the newest)',
      parse: existingFolder('--resume'),
      completedBy: 'folder',
    },
    ...runFolderOptions(name),
    ...engineOptions({ resumable: true }),
    ...speechOptions(),
  ];
}

/** A run that goes on is the one that was begun. */
function refuseChanges({ resume, settings: [word] }: TrainOptions): void {
  if (resume === undefined || word === undefined) return;
  throw new UsageError(
    `--resume keeps the settings of the run, got '${word}'. Leave it out, or start a new run.`,
  );
}

const demo = verbSpec<DemoOptions>({
  name: 'demo',
  description: 'train on the shapes data set (or your own) and leave a run folder with pictures',
  arguments: [settingsArgument],
  options: [
    ...trainingOptions('demo', 'a folder with a dataset to use instead of shapes'),
    ...fixedByRun({ flags: '--quick', description: 'a first look in under two minutes' }),
  ],
  examples: [
    { words: 'demo --quick', meaning: 'a first look in under two minutes' },
    { words: 'demo', meaning: 'the whole recipe: 2400 steps' },
    { words: 'demo --resume', meaning: 'go on with the run that was stopped last' },
  ],
  run: (verbs) => (options, context) => {
    refuseChanges(options);
    return verbs.demo(options, context);
  },
});

const train = verbSpec<TrainOptions>({
  name: 'train',
  description: 'train a detector on a dataset',
  arguments: [settingsArgument],
  options: trainingOptions(
    'train',
    'folder with a dataset in COCO, PASCAL VOC, Objects365 or WiderFace form',
  ),
  examples: [
    { words: 'train --data photos', meaning: 'every picture at least 15 times' },
    { words: 'train --data photos --epochs 40 --flips both --name both', meaning: 'longer, upside down too' },
    { words: 'train --data photos recipe.rate=0.002 recipe.length.epochs=40', meaning: 'other settings' },
    { words: 'train --resume runs/train', meaning: 'go on with a run, bit for bit' },
  ],
  run: (verbs) => (options, context) => {
    if (options.data === undefined && options.resume === undefined) {
      throw new UsageError(
        'needs --data <folder>, got none. Give a folder with a dataset, or --resume to continue a run.',
      );
    }
    refuseChanges(options);
    return verbs.train(options, context);
  },
});

/** `demo` and `train`. */
export const trainingVerbs: readonly VerbSpec[] = [demo, train];
