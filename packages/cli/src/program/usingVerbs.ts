// The verbs that use a trained detector, as data: `eval` and `predict`.
import { resultFormats } from '../foundFiles.ts';
import type { EvalOptions, PredictOptions } from '../options.ts';
import { fraction, wholeNumber } from '../options.ts';
import { existingFile, existingFolder } from '../pathOptions.ts';
import { nameList } from '../verbs/data/options.ts';
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
import { presetOption } from './settingOptions.ts';
import type { OptionSpec, VerbSpec } from './specification.ts';
import { verbSpec } from './specification.ts';

const networkOption: OptionSpec = {
  ...presetOption,
  description: 'the network and the size of pictures, for weights that carry neither, such as published ones',
};

const looksOption: OptionSpec = {
  flags: '--tta',
  description: 'look at every picture in several sizes and mirrored: slower, often better',
};

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
    networkOption,
    looksOption,
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
  description: 'detect objects in pictures, draw them and list them',
  arguments: [
    {
      name: 'images',
      description: "picture files, folders, patterns such as 'photos/**/*.jpg', or - for standard input",
      isList: true,
      completedBy: 'file',
    },
  ],
  options: [
    weightsOption,
    networkOption,
    {
      flags: '--score <s>',
      description: 'only detections that score above this are shown',
      default: 0.5,
      parse: fraction('--score'),
    },
    {
      flags: '--limit <n>',
      description: 'detections per picture at most (default: as the weights say, usually 100)',
      parse: wholeNumber('--limit', 1, 100_000),
    },
    { flags: '--classes <a,b>', description: 'only these classes', parse: nameList('--classes') },
    {
      flags: '--iou <s>',
      description:
        'of two boxes of a class that overlap more, the worse is dropped (default: as the weights say, usually 0.6)',
      parse: fraction('--iou'),
    },
    looksOption,
    { ...batchOption, description: 'pictures of one padded size that go through the network together' },
    {
      flags: '--format <name>',
      description: 'json: one list; txt: a text file per picture; coco: a COCO results file',
      choices: resultFormats,
      default: 'json',
    },
    {
      flags: '--annotations <file>',
      description: "take COCO's ids of pictures and classes from this file",
      parse: existingFile('--annotations'),
      completedBy: 'file',
    },
    { flags: '--no-pictures', description: 'draw nothing' },
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
    { words: 'predict photos --format txt --no-pictures', meaning: 'a folder with all below it, as text' },
    { words: "predict 'photos/**/*.jpg' --tta", meaning: 'in three sizes, each mirrored too' },
    { words: 'predict - < cat.jpg', meaning: 'a picture from standard input' },
  ],
  notes:
    'Text files have a line per object: number of the class from 0, centre x and y, width and height in shares of the picture, score.\nPictures that cannot be read are named and left out; the exit status is then 1.',
  run: (verbs) => verbs.predict,
});

/** `eval` and `predict`. */
export const usingVerbs: readonly VerbSpec[] = [evaluate, predict];
