// The part of the command line under `autoassign data`: its verbs, their options and their help.
import { Argument, type Command, Option } from 'commander';
import { existingPath, outputFolder, wholeNumber } from './options.ts';
import type { VerbContext } from './program.ts';
import type {
  CheckVerbOptions,
  ConvertOptions,
  DownloadOptions,
  InfoOptions,
  ShowOptions,
  SplitVerbOptions,
} from './verbs/data/options.ts';
import { downloadNames, nameList, shareList } from './verbs/data/options.ts';

/** What can be done with a dataset on its own. */
export interface DataVerbs {
  readonly info: (options: InfoOptions, context: VerbContext) => Promise<void>;
  readonly check: (options: CheckVerbOptions, context: VerbContext) => Promise<void>;
  readonly show: (options: ShowOptions, context: VerbContext) => Promise<void>;
  readonly convert: (options: ConvertOptions, context: VerbContext) => Promise<void>;
  readonly split: (options: SplitVerbOptions, context: VerbContext) => Promise<void>;
  readonly download: (options: DownloadOptions, context: VerbContext) => Promise<void>;
}

/** Runs one verb's work inside its context. */
type Invoke = (
  options: { readonly json?: true; readonly quiet?: true },
  work: (context: VerbContext) => Promise<void>,
) => Promise<void>;

const examples = `
Examples:
  autoassign data info photos                  what is there, in tables; --out plots for pictures of it
  autoassign data check photos                 every problem with file and place; status 1 if there is any
  autoassign data show photos --out look       twelve pictures with their boxes
  autoassign data convert photos --to coco --out photos-coco
  autoassign data split photos --parts train=0.8,val=0.2 --out photos-split
  autoassign data download voc                 needs the network

A dataset is a folder: COCO (annotations/instances_*.json), PASCAL VOC (Annotations, ImageSets), Objects365 or
WiderFace. Its layout is recognised; a COCO annotation file can be named instead of its folder.`;

const largestSeed = 2 ** 32 - 1;

/** What every verb takes that reads a dataset. */
function takeDataset(command: Command): Command {
  return command
    .argument('<path>', 'the folder of the dataset, or an annotation file', existingPath('<path>'))
    .option('--split <name>', 'one split only (default: all)')
    .option('--follow-links', 'symbolic links may lead out of the folder');
}

function outOption(meaning: string): Option {
  return new Option('--out <folder>', meaning).argParser(outputFolder('--out'));
}

function imagesOption(preset: 'copy' | 'link'): Option {
  return new Option(
    '--images <how>',
    'copy picture files, link them (the same files under a second name) or none',
  )
    .choices(['copy', 'link', 'none'])
    .default(preset);
}

function seedOption(): Option {
  return new Option('--seed <n>', 'seed of everything random')
    .default(0)
    .argParser(wholeNumber('--seed', 0, largestSeed));
}

function formatOption(): Option {
  return new Option('--to <layout>', 'the layout to write').choices(['coco', 'voc']);
}

/** Makes a command whose mistakes are reported as those of `autoassign data <name>`. */
type AddCommand = (parent: Command, name: string, description: string) => Command;

/**
 * Adds `data` with its verbs to the program.
 *
 * Example  addDataCommands({ program, verbs: verbs.data, invoke, add })
 */
export function addDataCommands(
  program: Command,
  { verbs, invoke, add }: { readonly verbs: DataVerbs; readonly invoke: Invoke; readonly add: AddCommand },
): void {
  const data = add(program, 'data', 'look at datasets, check, convert, split and download them');
  data.helpCommand(false).addHelpText('after', examples);
  const verb = <Options extends { readonly json?: true; readonly quiet?: true }>(
    name: keyof DataVerbs,
    description: string,
    work: (options: Options, context: VerbContext) => Promise<void>,
  ): Command => {
    const subject = name === 'download' ? 'name' : 'path';
    const command = add(data, name, description);
    if (name === 'download') command.addArgument(new Argument('<name>', 'which one').choices(downloadNames));
    else takeDataset(command);
    return command.action(async (value: string, options: object) => {
      const all = { ...options, [subject]: value } as unknown as Options;
      await invoke(all, (context) => work(all, context));
    });
  };
  const speaking = (command: Command, jsonMeaning: string): Command =>
    command.option('--json', jsonMeaning).option('--quiet', 'say nothing but errors');

  const info = verb('info', 'say what a dataset is and what is in it', verbs.info);
  info.addOption(outOption('new folder for plots'));
  speaking(info, 'one JSON object on standard output, nothing else there');

  const check = verb('check', 'find every problem of every file; status 1 if there is any', verbs.check);
  check.option('--quick', 'do not decode the pictures');
  speaking(check, 'a JSON line per problem and one in the end, nothing else on standard output');

  const show = verb('show', 'draw the boxes into pictures', verbs.show);
  show.addOption(outOption('new folder for the pictures').makeOptionMandatory());
  show.addOption(
    new Option('--count <n>', 'how many pictures').default(12).argParser(wholeNumber('--count', 1, 10_000)),
  );
  show.addOption(seedOption());
  show.addOption(new Option('--classes <a,b>', 'only these classes').argParser(nameList('--classes')));
  speaking(show, 'events as JSON lines on standard output, nothing else there');

  addWritingVerbs(verb, verbs, speaking);
}

/** Adds one verb of `data` with the argument that it takes. */
type AddVerb = <Options extends { readonly json?: true; readonly quiet?: true }>(
  name: keyof DataVerbs,
  description: string,
  work: (options: Options, context: VerbContext) => Promise<void>,
) => Command;

function addWritingVerbs(
  verb: AddVerb,
  verbs: DataVerbs,
  speaking: (command: Command, jsonMeaning: string) => Command,
): void {
  const events = 'events as JSON lines on standard output, nothing else there';
  const convert = verb('convert', 'write a dataset in the layout of COCO or PASCAL VOC', verbs.convert);
  convert.addOption(formatOption().makeOptionMandatory());
  convert.addOption(outOption('new folder for the dataset').makeOptionMandatory());
  convert.addOption(imagesOption('copy'));
  speaking(convert, events);

  const split = verb('split', 'divide a dataset into parts without a common picture', verbs.split);
  split.addOption(outOption('new folder for the dataset').makeOptionMandatory());
  const parts = new Option(
    '--parts <name=share,...>',
    'the parts and their shares, such as train=0.8,val=0.2',
  );
  split.addOption(parts.argParser(shareList('--parts')).makeOptionMandatory());
  split.addOption(seedOption());
  split.addOption(new Option('--stratify', 'every class in its share in every part (default)').default(true));
  split.option('--no-stratify', 'by lot alone');
  split.addOption(formatOption()).addOption(imagesOption('link'));
  speaking(split, events);

  const download = verb('download', 'fetch a public dataset; needs the network', verbs.download);
  download.addOption(outOption('folder for the dataset (default: data/<name>)'));
  download.addOption(new Option('--parts <a,b>', 'only these archives').argParser(nameList('--parts')));
  download.option('--no-unpack', 'keep the archives as they are');
  download.addHelpText('after', downloadHelp);
  speaking(download, events);
}

const downloadHelp = `
Needs the network, and room on the disk for archives and pictures: coco about 41 GB, voc 6 GB, wider 4 GB. A download that
was stopped goes on where it was when the same command is given again; every archive is checked before it is used.
Proxies that the environment names are not used.
Objects365 is given out through a form on its authors' page, www.objects365.org: nothing can be fetched from there.`;
