// The options that several verbs share.
import {
  backendName,
  backendNames,
  folderName,
  mostThreads,
  precisionName,
  precisions,
  wholeNumber,
} from '../options.ts';
import { existingFolder, existingPath, outputFolder } from '../pathOptions.ts';
import type { OptionSpec } from './specification.ts';

const largestSeed = 2 ** 32 - 1;

/** The options, none of which can be changed when a run is resumed. */
export function fixedByRun(...options: readonly OptionSpec[]): OptionSpec[] {
  return options.map((option) => ({ ...option, conflicts: [...(option.conflicts ?? []), 'resume'] }));
}

/** How much is said, with what `--json` prints. */
export function speechOptions(
  jsonMeaning = 'events as JSON lines on standard output, nothing else there',
): readonly OptionSpec[] {
  return [
    { flags: '--json', description: jsonMeaning },
    { flags: '--quiet', description: 'say nothing but errors' },
  ];
}

/** Where the run folder goes; its name is the verb's unless told otherwise. */
export function runFolderOptions(name: string): readonly OptionSpec[] {
  return [
    {
      flags: '--out <folder>',
      description: 'folder that holds the run folders',
      default: 'runs',
      parse: outputFolder('--out'),
      completedBy: 'folder',
    },
    {
      flags: '--name <name>',
      description: 'name of the run folder; a number is added when it is taken',
      default: name,
      parse: folderName('--name'),
    },
  ];
}

const backend: OptionSpec = {
  flags: '--backend <name>',
  description:
    'cpu (slow, exact reference), wasm (fast), webgpu (fast on a GPU) or gpujs (every mode of GPU.js)',
  default: 'wasm',
  parse: backendName('--backend'),
  choices: backendNames,
};

/** Not fixed by a run: any number of threads continues it bit for bit. */
export const threadsOption: OptionSpec = {
  flags: '--threads <n>',
  description: 'threads that compute on wasm (default: one for every core); results do not depend on it',
  parse: wholeNumber('--threads', 1, mostThreads),
};

const fma: OptionSpec = {
  flags: '--fma',
  description: 'fused multiply-add on wasm: faster on most machines, but the last bits depend on the machine',
};

const noFma: OptionSpec = {
  flags: '--no-fma',
  description: 'results that every machine repeats (default)',
};

const precision: OptionSpec = {
  flags: '--precision <name>',
  description:
    "arithmetic of products on webgpu: f32 (default), mixed (operands of 16 bits) or 'emulated mixed' (the same numbers on every adapter, slower)",
  parse: precisionName('--precision'),
  choices: precisions,
};

/** What computes; a run that is resumed keeps all but the threads. */
export function engineOptions({ resumable }: { readonly resumable: boolean }): readonly OptionSpec[] {
  const ofRun = (option: OptionSpec): OptionSpec[] => (resumable ? fixedByRun(option) : [option]);
  return [ofRun(backend), [threadsOption], ofRun(fma), ofRun(noFma), ofRun(precision)].flat();
}

/** Images per step. */
export const batchOption: OptionSpec = {
  flags: '--batch <n>',
  description: 'images per step',
  parse: wholeNumber('--batch', 1, 1024),
};

/** A folder with a dataset. */
export function dataOption(description: string): OptionSpec {
  return {
    flags: '--data <folder>',
    description,
    parse: existingFolder('--data'),
    completedBy: 'folder',
  };
}

/** Whether problems of a dataset stop the verb. */
export const strictOption: OptionSpec = {
  flags: '--strict',
  description: 'stop at the first picture or object that cannot be used (default: leave it out)',
};

/** Whether links are followed. */
export const linksOption: OptionSpec = {
  flags: '--follow-links',
  description: 'symbolic links may lead out of the folder',
};

/** What a trained detector is read from. */
export const weightsOption: OptionSpec = {
  flags: '--weights <path>',
  description: 'checkpoint or run folder (default: the newest run)',
  parse: existingPath('--weights'),
  completedBy: 'file',
};

/** The seed of everything random. */
export const seedOption: OptionSpec = {
  flags: '--seed <n>',
  description: 'seed of everything random',
  default: 0,
  parse: wholeNumber('--seed', 0, largestSeed),
};
