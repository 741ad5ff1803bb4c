// The verbs for research, as data: `ablate`.
import { knownVariants, variantNames } from '../ablation/variants.ts';
import type { AblateOptions } from '../options.ts';
import { flipChoices, wholeNumber } from '../options.ts';
import { nameList } from '../verbs/data/options.ts';
import {
  batchOption,
  dataOption,
  engineOptions,
  linksOption,
  runFolderOptions,
  seedOption,
  speechOptions,
  strictOption,
} from './commonOptions.ts';
import { configOption, presetOption, settingsArgument } from './settingOptions.ts';
import type { VerbSpec } from './specification.ts';
import { verbSpec } from './specification.ts';

const gridName = 'name of the folder of all runs; what is there already is continued';

const ablate = verbSpec<AblateOptions>({
  name: 'ablate',
  description: 'train variants of the label assignment over several seeds, and compare them in a table',
  arguments: [settingsArgument],
  options: [
    {
      flags: '--variants <a,b>',
      description: `what to compare; the first is what the others are compared with (default: all of ${variantNames.join(', ')})`,
      parse: (text: string) => knownVariants(nameList('--variants')(text)),
    },
    {
      flags: '--seeds <n>',
      description: 'runs of every variant, each with a seed of its own',
      default: 3,
      parse: wholeNumber('--seeds', 1, 1000),
    },
    { ...seedOption, description: 'the first of the seeds' },
    presetOption,
    configOption,
    dataOption('a folder with a dataset to use instead of shapes'),
    { flags: '--train-split <name>', description: 'split to train on (default: trainval or train)' },
    { flags: '--validation-split <name>', description: 'split to evaluate on (default: test or val)' },
    strictOption,
    linksOption,
    { flags: '--flips <which>', description: 'mirror images to train on as well', choices: flipChoices },
    {
      flags: '--steps <n>',
      description: 'training steps of every run (default: 500 on shapes, else as train takes)',
      parse: wholeNumber('--steps', 1, 10_000_000),
    },
    {
      flags: '--epochs <n>',
      description: 'instead of steps: how often every image is seen',
      parse: wholeNumber('--epochs', 1, 100_000),
      conflicts: ['steps'],
    },
    batchOption,
    ...runFolderOptions('ablate').map((option) =>
      option.flags.startsWith('--name') ? { ...option, description: gridName } : option,
    ),
    ...engineOptions({ resumable: false }),
    ...speechOptions(),
  ],
  examples: [
    { words: 'ablate', meaning: 'all variants on shapes, three seeds; stopped, the same command goes on' },
    { words: 'ablate --variants full,no-center --seeds 5', meaning: 'what centre weighting is worth' },
    { words: 'ablate --data photos --epochs 20 --variants full,fcos,atss', meaning: 'on your own pictures' },
  ],
  notes:
    'Every run has a folder of its own and can be looked at like any other; finished ones are kept, so seeds and variants can be added later.\nA difference is called better or worse only where its 95 % interval over the seeds does not cover 0.',
  run: (verbs) => verbs.ablate,
});

/** `ablate`. */
export const researchVerbs: readonly VerbSpec[] = [ablate];
