// The verbs that use a trained detector, as data: `eval` and `predict`.
import type { EvalOptions, PredictOptions } from '../options.ts';
import { existingFolder, fraction } from '../options.ts';
import {
  batchOption,
  dataOption,
  engineOptions,
  linksOption,
  runFolderOptions,
  speechOptions,
  strictOption,
  weightsOption,
} from './commonOptions.ts';
import type { VerbSpec } from './specification.ts';
import { verbSpec } from './specification.ts';

const evaluate = verbSpec<EvalOptions>({
  name: 'eval',
  description: 'measure the AP of a trained detector on a dataset',
  options: [
    { ...dataOption('folder with the dataset to evaluate on'), isMandatory: true },
    { flags: '--split <name>', description: 'split to evaluate on (default: test or val)' },
    {
      flags: '--wider-lists <folder>',
      description: 'wider_face_val.mat and the lists of easy, medium and hard',
      parse: existingFolder('--wider-lists'),
      completedBy: 'folder',
    },
    strictOption,
    linksOption,
    weightsOption,
    batchOption,
    ...runFolderOptions('eval'),
    ...engineOptions({ resumable: false }),
    ...speechOptions(),
  ],
  examples: [
    { words: 'eval --data photos', meaning: 'the newest run, on the split that training validates on' },
    { words: 'eval --data photos --split test --weights runs/train', meaning: 'a certain run and split' },
  ],
  run: (verbs) => verbs.eval,
});

const predict = verbSpec<PredictOptions>({
  name: 'predict',
  description: 'detect objects in images and draw them',
  arguments: [{ name: 'images', description: 'image files', isList: true, completedBy: 'file' }],
  options: [
    weightsOption,
    {
      flags: '--score <s>',
      description: 'only detections that score above this are shown',
      default: 0.5,
      parse: fraction('--score'),
    },
    ...runFolderOptions('predict'),
    ...engineOptions({ resumable: false }),
    ...speechOptions(),
  ],
  examples: [
    { words: 'predict cat.jpg dog.png', meaning: 'by the newest run; pictures and JSON in a run folder' },
    {
      words: 'predict cat.jpg --weights runs/train --score 0.3',
      meaning: 'less certain detections as well',
    },
  ],
  run: (verbs) => verbs.predict,
});

/** `eval` and `predict`. */
export const usingVerbs: readonly VerbSpec[] = [evaluate, predict];
