// The options that each verb receives, and the parsers that check one option each but for paths.
import { UsageError } from './exitCodes.ts';
import type { ResultFormat } from './foundFiles.ts';
import type { SpeechOptions } from './program/specification.ts';

/** The backends that the program can run on. */
export const backendNames = ['cpu', 'wasm', 'gpujs', 'webgpu'] as const;

/** The name of a backend that the program can run on. */
export type BackendName = (typeof backendNames)[number];

/** The kinds of arithmetic of products, as backend webgpu names them. */
export const precisions = ['f32', 'mixed', 'emulated mixed'] as const;

/** A kind of arithmetic of products. */
export type Precision = (typeof precisions)[number];

/** The most threads that can be asked for. */
export const mostThreads = 256;

/** What decides which engine computes; an absent field means "what suits the backend". */
export interface EngineOptions {
  readonly backend: BackendName;
  readonly threads?: number | undefined;
  /** Fused multiply-add. */
  readonly fma?: boolean | undefined;
  readonly precision?: Precision | undefined;
}

/** The options of `autoassign doctor`. */
export interface DoctorOptions extends SpeechOptions {
  /** Find the fastest tiles for the GPU instead. */
  readonly tune?: true;
}

/** What every verb that computes takes: where the run folder goes, the engine and how much is said. */
interface CommonOptions extends EngineOptions {
  /** Folder that holds the run folders; the run's own folder is `<out>/<name>`, or a free `<out>/<name>-2` …. */
  readonly out: string;
  readonly name: string;
  readonly json?: true;
  readonly quiet?: true;
}

/** Which mirror images can be asked for. */
export const flipChoices = ['none', 'horizontal', 'both'] as const;

/** A choice of mirror images. */
type FlipChoice = (typeof flipChoices)[number];

/** What decides about settings, besides options of their own. */
export interface SettingOptions {
  /** The name of the preset to begin with. */
  readonly preset?: string;
  /** A file of settings. */
  readonly config?: string;
  /** Words such as `recipe.rate=0.01`. */
  readonly settings: readonly string[];
}

/** The options of `autoassign config`. */
export interface ConfigOptions extends SettingOptions, SpeechOptions {
  readonly preset: string;
  /** The schema of files of settings instead. */
  readonly schema?: true;
}

/** The shells that can complete words of the program. */
export const shells = ['bash', 'zsh', 'fish'] as const;

/** The options of `autoassign completion`. */
export interface CompletionOptions {
  readonly shell: (typeof shells)[number];
}

/** What the verbs that train take; an absent number means "what the recipe says". */
export interface TrainOptions extends CommonOptions, SettingOptions {
  /** A folder with a dataset; absent only in `demo` (which makes its own) or when resuming (the run knows it). */
  readonly data?: string;
  readonly steps?: number;
  readonly epochs?: number;
  readonly batch?: number;
  readonly seed: number;
  readonly trainSplit?: string;
  readonly validationSplit?: string;
  /** Which mirror images are trained on; absent means what the recipe says. */
  readonly flips?: FlipChoice;
  /** Stop at the first picture or object that cannot be used, instead of leaving it out. */
  readonly strict?: true;
  readonly followLinks?: true;
  /** A file of weights to begin with: a pretrained backbone, a checkpoint, or a run folder's. */
  readonly init?: string;
  /** The run folder to continue; `true` means the newest one of `<out>/<name>`. */
  readonly resume?: string | true;
}

/** The options of `autoassign demo`. */
export interface DemoOptions extends TrainOptions {
  /** A first look in under two minutes instead of the whole recipe. */
  readonly quick?: true;
}

/** The options of `autoassign ablate`. */
export interface AblateOptions extends Omit<TrainOptions, 'resume'> {
  /** The names of what is compared; the first is what the others are compared with. Absent means all there are. */
  readonly variants?: readonly string[];
  /** How many runs every variant has; `seed` is the first one's. */
  readonly seeds: number;
}

/** The options of `autoassign bench`. */
export interface BenchOptions extends SettingOptions, SpeechOptions {
  readonly preset: string;
  /** Which backends; absent means those that are fast here. */
  readonly backends?: readonly BackendName[];
  readonly threads?: number;
  /** The size of the images; absent means that of the preset. */
  readonly size?: ImageSides;
  readonly batch?: number;
  /** How many classes the network tells apart. */
  readonly classes: number;
  /** How often each work is measured, after the first time. */
  readonly rounds: number;
}

/** The options of `autoassign eval`. */
export interface EvalOptions extends CommonOptions {
  readonly data: string;
  readonly split?: string;
  readonly strict?: true;
  readonly followLinks?: true;
  /** Folder with the MATLAB files of the WiderFace evaluation tools. */
  readonly widerLists?: string;
  /** A checkpoint file or a run folder; absent means the newest run. */
  readonly weights?: string;
  /** The network and the size of pictures, for weights that carry neither. */
  readonly preset?: string;
  /** Look at every picture in several sizes and mirrored. */
  readonly tta?: true;
  readonly batch?: number;
}

/** The options of `autoassign predict`. */
export interface PredictOptions extends CommonOptions {
  /** Files, folders, patterns, `-` for standard input. */
  readonly images: readonly string[];
  readonly weights?: string;
  /** The network and the size of pictures, for weights that carry neither. */
  readonly preset?: string;
  /** Only detections that score above this are drawn and listed. */
  readonly score: number;
  /** The most detections of a picture; absent means as many as the weights were made with. */
  readonly limit?: number;
  /** Only these classes are looked for. */
  readonly classes?: readonly string[];
  /** Of two boxes of a class that overlap more, the worse is dropped; absent means as the weights were made with. */
  readonly iou?: number;
  /** Look at every picture in several sizes and mirrored. */
  readonly tta?: true;
  readonly batch?: number;
  readonly format: ResultFormat;
  /** Whether pictures are drawn. */
  readonly pictures: boolean;
  /** An annotation file in COCO's form that tells the ids of pictures and classes. */
  readonly annotations?: string;
}

/** Height and width of images, in pixels. */
export interface ImageSides {
  readonly height: number;
  readonly width: number;
}

/** The options of `autoassign info`. */
export interface ModelInfoOptions extends SpeechOptions {
  /** A run folder, a file of weights or the name of a preset. */
  readonly model: string;
  /** The preset that weights are of that do not say what they are of. */
  readonly preset?: string;
  readonly size?: ImageSides;
  readonly batch: number;
  /** How many classes a preset's network gets. */
  readonly classes: number;
  readonly threads?: number;
}

/** The forms that weights can be exported in. */
export const exportFormats = ['onnx', 'safetensors', 'pth'] as const;

/** The options of `autoassign export`. */
export interface ExportOptions extends SpeechOptions {
  /** A checkpoint file or a run folder. */
  readonly weights: string;
  /** The preset that weights are of that do not say what they are of. */
  readonly preset?: string;
  readonly format: (typeof exportFormats)[number];
  readonly out: string;
  readonly size?: ImageSides;
  /** Images per run; any number when absent. */
  readonly batch?: number;
  /** Decoding and suppression belong to the model. */
  readonly nms?: true;
  /** The model takes bytes. */
  readonly pixels?: true;
  readonly opset: 17 | 21;
}

/** The programs whose names arrays can get. */
export const nameSchemes = ['mmdetection', 'megvii'] as const;

/** The options of `autoassign convert`. */
export interface ConvertWeightsOptions extends SpeechOptions {
  readonly input: string;
  readonly output: string;
  readonly names: (typeof nameSchemes)[number];
  /** The preset whose network the weights are for. */
  readonly preset?: string;
  /** The classes of the input by label; absent means those that it names. */
  readonly classes?: readonly string[];
}

function refuse(option: string, needs: string, got: string, advice: string): never {
  throw new UsageError(`${option} needs ${needs}, got '${got}'. ${advice}`);
}

/**
 * A parser that accepts whole numbers from `least` to `most`.
 *
 * Throws   UsageError that names the option
 */
export function wholeNumber(option: string, least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    return refuse(
      option,
      `a whole number from ${least} to ${most}`,
      text,
      `Try ${option} ${Math.max(least, 4)}.`,
    );
  };
}

/**
 * A parser that accepts names of backends with commas between them.
 *
 * Throws   UsageError that names the option
 */
export function backendList(option: string): (text: string) => readonly BackendName[] {
  return (text) => [...new Set(text.split(',').map(backendName(option)))];
}

/**
 * A parser that accepts numbers from 0 to 1.
 *
 * Throws   UsageError that names the option
 */
export function fraction(option: string): (text: string) => number {
  return (text) => {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (value >= 0 && value <= 1) return value;
    return refuse(option, 'a number from 0 to 1', text, `Try ${option} 0.5.`);
  };
}

/**
 * A parser that accepts the name of a backend.
 *
 * Throws   UsageError that names the option
 */
export function backendName(option: string): (text: string) => BackendName {
  return (text) =>
    backendNames.find((name) => name === text) ??
    refuse(option, `one of ${backendNames.join(', ')}`, text, `Try ${option} wasm.`);
}

/**
 * A parser that accepts the name of a precision.
 *
 * Throws   UsageError that names the option
 */
export function precisionName(option: string): (text: string) => Precision {
  return (text) =>
    precisions.find((name) => name === text) ??
    refuse(option, `one of ${precisions.join(', ')}`, text, `Try ${option} mixed.`);
}

/**
 * A parser that accepts one plain folder name, no path.
 *
 * Throws   UsageError that names the option
 */
export function folderName(option: string): (text: string) => string {
  return (text) => {
    const isPlain = text.trim() !== '' && !/[/\\\0]/.test(text) && text !== '.' && text !== '..';
    return isPlain
      ? text
      : refuse(option, 'a name without slashes', text, 'Use --out for the folder around it.');
  };
}

/**
 * A parser that accepts sizes such as `800x1088`, height first.
 *
 * Throws   UsageError that names the option
 */
export function imageSides(option: string): (text: string) => ImageSides {
  return (text) => {
    const [height = 0, width = 0] = /^\d{1,5}x\d{1,5}$/.test(text) ? text.split('x').map(Number) : [];
    if (height > 0 && width > 0) return { height, width };
    return refuse(option, 'a height and a width in pixels', text, `Try ${option} 800x1088.`);
  };
}
