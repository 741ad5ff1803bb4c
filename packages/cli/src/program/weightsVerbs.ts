// The verbs about files of weights, as data: `convert`.
import type { ConvertWeightsOptions } from '../options.ts';
import { nameSchemes } from '../options.ts';
import { existingFile } from '../pathOptions.ts';
import { nameList } from '../verbs/data/options.ts';
import { speechOptions } from './commonOptions.ts';
import { presetOption } from './settingOptions.ts';
import type { VerbSpec } from './specification.ts';
import { verbSpec } from './specification.ts';

const convert = verbSpec<ConvertWeightsOptions>({
  name: 'convert',
  description: 'write weights as another kind of file: from PyTorch or safetensors to .pth or .safetensors',
  arguments: [
    {
      name: 'input',
      description:
        'a file of torch.save or safetensors: a checkpoint of this program, of mmdetection or of Megvii',
      parse: existingFile('<input>'),
      completedBy: 'file',
    },
    { name: 'output', description: 'the file to write; its end says which kind', completedBy: 'file' },
  ],
  options: [
    {
      ...presetOption,
      description:
        'the network of these weights, to be written beside them: the file is then all that predict and eval need',
    },
    {
      flags: '--names <scheme>',
      description: 'whose names the arrays get; mmdetection has the same as this program',
      choices: nameSchemes,
      default: 'mmdetection',
    },
    {
      flags: '--classes <a,b>',
      description: 'the names of the classes by label, for files that do not have them',
      parse: nameList('--classes'),
    },
    ...speechOptions(),
  ],
  examples: [
    {
      words: 'convert published.pth r50.safetensors --preset autoassign-r50-fpn-1x-coco',
      meaning: 'a published checkpoint, ready for predict, eval and train',
    },
    { words: 'convert runs/train/best.safetensors best.pth', meaning: 'for PyTorch and mmdetection' },
    {
      words: 'convert best.pth best-megvii.pth --names megvii',
      meaning: "under the names of the authors' program",
    },
  ],
  notes: `Nothing in a file of PyTorch is executed: tensors and plain values are read, and Python objects beside the weights, such as
the state of an optimiser, are named and left out. Within the weights they are an error.`,
  run: (verbs) => verbs.convert,
});

/** `convert`. */
export const weightsVerbs: readonly VerbSpec[] = [convert];
