// The verbs about the machine that the program runs on, as data: `doctor` and `bench`.
import type { BenchOptions, DoctorOptions } from '../options.ts';
import { backendList, imageSides, wholeNumber } from '../options.ts';
import { batchOption, speechOptions, threadsOption } from './commonOptions.ts';
import { configOption, presetOption, settingsArgument } from './settingOptions.ts';
import type { VerbSpec } from './specification.ts';
import { verbSpec } from './specification.ts';

const doctor = verbSpec<DoctorOptions>({
  name: 'doctor',
  description: 'say what this machine and its versions are, which backends run here, and why others do not',
  options: [
    {
      flags: '--tune',
      description: 'try tile sizes of matrix products on the GPU, and keep the fastest for --backend webgpu',
    },
    ...speechOptions(
      'a JSON line for the machine and one per backend on standard output, nothing else there',
    ),
  ],
  examples: [
    { words: 'doctor', meaning: 'which backends run here' },
    { words: 'doctor --tune', meaning: 'on a machine with a GPU, once' },
  ],
  run: (verbs) => verbs.doctor,
});

const bench = verbSpec<BenchOptions>({
  name: 'bench',
  description: "measure how fast a preset's network predicts and learns on this machine",
  arguments: [settingsArgument],
  options: [
    { ...presetOption, default: 'small' },
    configOption,
    {
      flags: '--backends <a,b>',
      description: 'which backends (default: wasm, and webgpu where there is a GPU)',
      parse: backendList('--backends'),
    },
    threadsOption,
    {
      flags: '--size <height>x<width>',
      description: 'size of the images in pixels (default: that of the preset)',
      parse: imageSides('--size'),
    },
    { ...batchOption, description: 'images at a time (default: 1)' },
    {
      flags: '--classes <n>',
      description: 'classes that the network tells apart',
      default: 80,
      parse: wholeNumber('--classes', 1, 10_000),
    },
    {
      flags: '--rounds <n>',
      description: 'how often each is measured, after a first time that compiles',
      default: 5,
      parse: wholeNumber('--rounds', 1, 10_000),
    },
    ...speechOptions('a JSON line per measurement on standard output, nothing else there'),
  ],
  examples: [
    { words: 'bench', meaning: 'the small network on the fast backends' },
    {
      words: 'bench --preset autoassign-r50-fpn-1x-coco --size 320x320 --rounds 3',
      meaning: "the paper's network on smaller images",
    },
    { words: 'bench --threads 1 recipe.recompute=blocks', meaning: 'what recomputation costs on one thread' },
  ],
  run: (verbs) => verbs.bench,
});

/** `doctor` and `bench`. */
export const machineVerbs: readonly VerbSpec[] = [doctor, bench];
