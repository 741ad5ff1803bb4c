// The verbs about datasets on their own, as data: everything under `autoassign data`.
import { wholeNumber } from '../options.ts';
import { existingPath, outputFolder } from '../pathOptions.ts';
import type {
  CheckVerbOptions,
  ConvertOptions,
  DownloadOptions,
  InfoOptions,
  ShowOptions,
  SplitVerbOptions,
} from '../verbs/data/options.ts';
import { downloadNames, nameList, shareList } from '../verbs/data/options.ts';
import { linksOption, seedOption, speechOptions } from './commonOptions.ts';
import type { ArgumentSpec, OptionSpec, VerbGroup, VerbSpec } from './specification.ts';
import { verbSpec } from './specification.ts';

const dataset: ArgumentSpec = {
  name: 'path',
  description: 'the folder of the dataset, or an annotation file',
  parse: existingPath('<path>'),
  completedBy: 'file',
};

const reading: readonly OptionSpec[] = [
  { flags: '--split <name>', description: 'one split only (default: all)' },
  linksOption,
];

function outOption(description: string): OptionSpec {
  return { flags: '--out <folder>', description, parse: outputFolder('--out'), completedBy: 'folder' };
}

function imagesOption(preset: 'copy' | 'link'): OptionSpec {
  return {
    flags: '--images <how>',
    description: 'copy picture files, link them (the same files under a second name) or none',
    choices: ['copy', 'link', 'none'],
    default: preset,
  };
}

const formatOption: OptionSpec = {
  flags: '--to <layout>',
  description: 'the layout to write',
  choices: ['coco', 'voc'],
};

const info = verbSpec<InfoOptions>({
  name: 'data info',
  description: 'say what a dataset is and what is in it',
  arguments: [dataset],
  options: [
    ...reading,
    outOption('new folder for plots'),
    ...speechOptions('one JSON object on standard output, nothing else there'),
  ],
  examples: [
    { words: 'data info photos', meaning: 'what is there, in tables; --out plots for pictures of it' },
  ],
  run: (verbs) => verbs.data.info,
});

const check = verbSpec<CheckVerbOptions>({
  name: 'data check',
  description: 'find every problem of every file; status 1 if there is any',
  arguments: [dataset],
  options: [
    ...reading,
    { flags: '--quick', description: 'do not decode the pictures' },
    ...speechOptions('a JSON line per problem and one in the end, nothing else on standard output'),
  ],
  examples: [
    {
      words: 'data check photos',
      meaning: 'every problem with file and place; status 1 if there is any',
    },
  ],
  run: (verbs) => verbs.data.check,
});

const show = verbSpec<ShowOptions>({
  name: 'data show',
  description: 'draw the boxes into pictures',
  arguments: [dataset],
  options: [
    ...reading,
    { ...outOption('new folder for the pictures'), isMandatory: true },
    {
      flags: '--count <n>',
      description: 'how many pictures',
      default: 12,
      parse: wholeNumber('--count', 1, 10_000),
    },
    seedOption,
    { flags: '--classes <a,b>', description: 'only these classes', parse: nameList('--classes') },
    ...speechOptions(),
  ],
  examples: [{ words: 'data show photos --out look', meaning: 'twelve pictures with their boxes' }],
  run: (verbs) => verbs.data.show,
});

const convert = verbSpec<ConvertOptions>({
  name: 'data convert',
  description: 'write a dataset in the layout of COCO or PASCAL VOC',
  arguments: [dataset],
  options: [
    ...reading,
    { ...formatOption, isMandatory: true },
    { ...outOption('new folder for the dataset'), isMandatory: true },
    imagesOption('copy'),
    ...speechOptions(),
  ],
  examples: [
    { words: 'data convert photos --to coco --out photos-coco', meaning: 'with copies of the pictures' },
  ],
  run: (verbs) => verbs.data.convert,
});

const split = verbSpec<SplitVerbOptions>({
  name: 'data split',
  description: 'divide a dataset into parts without a common picture',
  arguments: [dataset],
  options: [
    ...reading,
    { ...outOption('new folder for the dataset'), isMandatory: true },
    {
      flags: '--parts <name=share,...>',
      description: 'the parts and their shares, such as train=0.8,val=0.2',
      parse: shareList('--parts'),
      isMandatory: true,
    },
    seedOption,
    { flags: '--stratify', description: 'every class in its share in every part (default)', default: true },
    { flags: '--no-stratify', description: 'by lot alone' },
    formatOption,
    imagesOption('link'),
    ...speechOptions(),
  ],
  examples: [
    {
      words: 'data split photos --parts train=0.8,val=0.2 --out photos-split',
      meaning: 'the same shares of every class',
    },
  ],
  run: (verbs) => verbs.data.split,
});

const download = verbSpec<DownloadOptions>({
  name: 'data download',
  description: 'fetch a public dataset; needs the network',
  arguments: [{ name: 'name', description: 'which one', choices: downloadNames }],
  options: [
    outOption('folder for the dataset (default: data/<name>)'),
    { flags: '--parts <a,b>', description: 'only these archives', parse: nameList('--parts') },
    { flags: '--no-unpack', description: 'keep the archives as they are' },
    ...speechOptions(),
  ],
  examples: [{ words: 'data download voc', meaning: 'needs the network' }],
  notes: `Needs the network, and room on the disk for archives and pictures: coco about 41 GB, voc 6 GB, wider 4 GB. A download that
was stopped goes on where it was when the same command is given again; every archive is checked before it is used.
Proxies that the environment names are not used.
Objects365 is given out through a form on its authors' page, www.objects365.org: nothing can be fetched from there.`,
  run: (verbs) => verbs.data.download,
});

/** `info`, `check`, `show`, `convert`, `split` and `download`. */
export const dataVerbs: readonly VerbSpec[] = [info, check, show, convert, split, download];

/** What the verbs under `data` have in common. */
export const dataGroup: VerbGroup = {
  name: 'data',
  description: 'look at datasets, check, convert, split and download them',
  notes: `A dataset is a folder: COCO (annotations/instances_*.json), PASCAL VOC (Annotations, ImageSets), Objects365 or
WiderFace. Its layout is recognised; a COCO annotation file can be named instead of its folder.`,
};
