// The options of the verbs of `autoassign data`, and the parsers that only they need.
import { UsageError } from '../../exitCodes.ts';

/** What every verb of `data` takes. */
interface SpeechOptions {
  readonly json?: true;
  readonly quiet?: true;
}

/** What the verbs that read a dataset take. */
export interface DatasetOptions extends SpeechOptions {
  /** A folder, or an annotation file. */
  readonly path: string;
  /** One split only; absent means all. */
  readonly split?: string;
  /** Whether symbolic links may lead out of the folder. */
  readonly followLinks?: boolean;
}

/** The options of `autoassign data info`. */
export interface InfoOptions extends DatasetOptions {
  /** Where plots go. */
  readonly out?: string;
}

/** The options of `autoassign data check`. */
export interface CheckVerbOptions extends DatasetOptions {
  /** Leave out the decoding of the pictures. */
  readonly quick?: true;
}

/** The options of `autoassign data show`. */
export interface ShowOptions extends DatasetOptions {
  readonly out: string;
  readonly count: number;
  readonly seed: number;
  /** Only these classes are drawn, and only pictures that show one of them. */
  readonly classes?: readonly string[];
}

/** How picture files get into a folder: as copies, as further names of the same files, or not at all. */
export type PictureFiles = 'copy' | 'link' | 'none';

/** The layouts that can be written. */
export type WrittenFormat = 'coco' | 'voc';

/** The options of `autoassign data convert`. */
export interface ConvertOptions extends DatasetOptions {
  readonly to: WrittenFormat;
  readonly out: string;
  readonly images: PictureFiles;
}

/** The options of `autoassign data split`. */
export interface SplitVerbOptions extends DatasetOptions {
  /** The share of every part by its name. */
  readonly parts: Readonly<Record<string, number>>;
  /** Absent means the layout of the dataset, or COCO where that cannot be written. */
  readonly to?: WrittenFormat;
  readonly out: string;
  readonly images: PictureFiles;
  readonly seed: number;
  readonly stratify: boolean;
}

/** The datasets that can be downloaded, or whose download is explained. */
export const downloadNames = ['coco', 'voc', 'wider'] as const;

/** The name of a dataset that can be downloaded. */
export type DownloadName = (typeof downloadNames)[number];

/** The options of `autoassign data download`. */
export interface DownloadOptions extends SpeechOptions {
  readonly name: DownloadName;
  /** Absent means `data/<name>`. */
  readonly out?: string;
  /** Names of archives; absent means all that detection needs. */
  readonly parts?: readonly string[];
  /** Leave the archives packed. */
  readonly unpack: boolean;
}

/**
 * A parser that accepts names with commas between them.
 *
 * Throws   UsageError that names the option
 */
export function nameList(option: string): (text: string) => readonly string[] {
  return (text) => {
    const names = text.split(',').map((name) => name.trim());
    if (names.every((name) => name !== '')) return [...new Set(names)];
    throw new UsageError(`${option} needs names with commas between them, got '${text}'. Try ${option} a,b.`);
  };
}

/**
 * A parser that accepts names with shares that add up to 1, such as `train=0.9,val=0.1`.
 *
 * Throws   UsageError that names the option
 */
export function shareList(option: string): (text: string) => Readonly<Record<string, number>> {
  const example = `${option} train=0.8,val=0.1,test=0.1`;
  return (text) => {
    const pairs = text.split(',').map((pair): readonly [string, number] => {
      const [, name, share] = /^\s*([\w.-]+)\s*=\s*(\d*\.?\d+)\s*$/.exec(pair) ?? [];
      if (name !== undefined && !/^\.+$/.test(name) && Number(share) > 0) return [name, Number(share)];
      throw new UsageError(`${option} needs parts as name=share, got '${pair}'. Try ${example}.`);
    });
    const sum = pairs.reduce((total, [, share]) => total + share, 0);
    const areDistinct = new Set(pairs.map(([name]) => name)).size === pairs.length;
    if (Math.abs(sum - 1) < 1e-6 && areDistinct) return Object.fromEntries(pairs);
    const got = areDistinct ? `shares that add up to ${Number(sum.toPrecision(6))}` : 'a name twice';
    throw new UsageError(
      `${option} needs parts of different names that add up to 1, got ${got}. Try ${example}.`,
    );
  };
}
