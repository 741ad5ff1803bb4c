// The verbs about a network itself, as data: `info` and `export`.
import type { ExportOptions, ModelInfoOptions } from '../options.ts';
import { exportFormats, imageSides, mostThreads, wholeNumber } from '../options.ts';
import { existingPath } from '../pathOptions.ts';
import { presetDescriptions } from '../presets.ts';
import { speechOptions } from './commonOptions.ts';
import { presetOption } from './settingOptions.ts';
import type { OptionSpec, VerbSpec } from './specification.ts';
import { verbSpec } from './specification.ts';

const sizeMeaning = 'height and width of the padded images, such as 800x1088';

const sizeOption: OptionSpec = {
  flags: '--size <HxW>',
  description: `${sizeMeaning} (default: what a picture of 640x480 becomes)`,
  parse: imageSides('--size'),
};

/** The network of weights that do not say what theirs is. */
const weightsPreset: OptionSpec = {
  ...presetOption,
  description: 'the preset that the weights are of, where the file does not say, as in published checkpoints',
};

const info = verbSpec<ModelInfoOptions>({
  name: 'info',
  description: 'tell parameters, multiplications and memory of a network before anything runs',
  arguments: [
    {
      name: 'model',
      description: 'a run folder, a file of weights or the name of a preset',
      completedBy: 'file',
    },
  ],
  options: [
    weightsPreset,
    sizeOption,
    {
      flags: '--batch <n>',
      description: 'images that pass through the network together',
      default: 1,
      parse: wholeNumber('--batch', 1, 1024),
    },
    {
      flags: '--classes <n>',
      description: "classes of a preset's network; weights have their own",
      default: 80,
      parse: wholeNumber('--classes', 1, 100_000),
    },
    {
      flags: '--threads <n>',
      description: 'threads that compute on wasm, each with memory of its own (default: one for every core)',
      parse: wholeNumber('--threads', 1, mostThreads),
    },
    ...speechOptions('everything as one JSON object on standard output'),
  ],
  examples: [
    { words: 'info autoassign-r50-fpn-1x-coco', meaning: 'the detector of the paper' },
    { words: 'info autoassign-r50-fpn-1x-coco --size 800x1344 --batch 2', meaning: 'for other images' },
    { words: 'info runs/train', meaning: 'a trained network, with the optimiser that trained it' },
  ],
  notes: `Presets: ${Object.keys(presetDescriptions).join(', ')}.
Multiplications are those of convolutions and matrix products, each counted once with its addition, as publications count them; all
else a network computes is left out. Activations are what the forward pass of a training step keeps for its backward pass. Memory is
that of the engine on wasm, parameters, optimiser and batch included; the program itself takes about 100 MiB besides, and while
training begins or saves, parameters and the optimiser's state once more.`,
  run: (verbs) => verbs.info,
});

const exportModel = verbSpec<ExportOptions>({
  name: 'export',
  description: 'write a trained detector as ONNX, or its weights as safetensors or for PyTorch',
  arguments: [
    {
      name: 'weights',
      description: 'checkpoint or run folder',
      parse: existingPath('weights'),
      completedBy: 'file',
    },
  ],
  options: [
    {
      flags: '--format <name>',
      description: `what to write: ${exportFormats.join(', ')}`,
      default: 'onnx',
      choices: exportFormats,
    },
    { flags: '--out <file>', description: 'the file to write', isMandatory: true, completedBy: 'file' },
    weightsPreset,
    sizeOption,
    {
      flags: '--batch <n>',
      description: 'images per run of the model (default: any number)',
      parse: wholeNumber('--batch', 1, 1024),
    },
    { flags: '--nms', description: 'the model gives boxes, scores and labels instead of raw predictions' },
    { flags: '--pixels', description: 'the model takes bytes (N,H,W,RGB) instead of normalised images' },
    {
      flags: '--opset <n>',
      description: 'version of the ONNX operators: 17, or 21, which has one for group norm',
      default: 17,
      parse: (text: string) => (text === '21' ? 21 : wholeNumber('--opset', 17, 17)(text)),
    },
    ...speechOptions(),
  ],
  examples: [
    { words: 'export runs/train --out detector.onnx', meaning: 'raw predictions, any number of images' },
    {
      words: 'export runs/train --out detector.onnx --nms --pixels --size 480x640',
      meaning: 'from bytes to boxes',
    },
    { words: 'export runs/train --format pth --out detector.pth', meaning: 'for PyTorch' },
  ],
  notes: `--size, --batch, --nms, --pixels and --opset are of ONNX only. The image size is fixed in the file, and must be a multiple of what the
network pads to. With --nms there are as many places per image as the network's limit of detections; empty ones have score 0 and label -1.
Boxes are in pixels of the input. Class names, normalisation and the whole configuration stand in the file's metadata.`,
  run: (verbs) => verbs.export,
});

/** `info` and `export`. */
export const modelVerbs: readonly VerbSpec[] = [info, exportModel];
