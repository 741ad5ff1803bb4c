// The plain data every part of this package passes around: pixels, annotations, samples, datasets.
// Units, stated once: pixels of the image at hand, origin at its top left corner, x right, y down.

/** A box as corners [x1, y1, x2, y2] in pixels; fractions allowed, x2 and y2 are the exclusive edges (COCO's x + width). */
export type Box = readonly [x1: number, y1: number, x2: number, y2: number];

/** The decoded pixels of one image: RGB, 8 bits, rows from top to bottom, channels innermost. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly channels: 3;
  /** Bytes of shape [height, width, 3]. */
  readonly data: Uint8Array;
}

/** One annotated object of one image. */
export interface Annotation {
  readonly id: number;
  readonly box: Box;
  /** Width and height as annotated: evaluation needs them exactly, and x2 - x1 would round. */
  readonly size: readonly [width: number, height: number];
  /** Contiguous class number, an index into `Dataset.classes`. */
  readonly label: number;
  /** Area in square pixels as annotated: that of the segmentation where there is one, else of the box. */
  readonly area: number;
  /** Whether this is a crowd region: never trained on, and neither hit nor miss in the evaluation. */
  readonly isCrowd: boolean;
  /** Whether the file asks to ignore it (`ignore` in COCO files, `invalid` in WiderFace): never trained on. */
  readonly isIgnored: boolean;
  /** Whether VOC calls it difficult: never trained on, and neither hit nor miss in the VOC evaluation. */
  readonly isDifficult: boolean;
  /** Whether the box is known to hold a part of the object only. */
  readonly isTruncated: boolean;
  /** What else the file says of the object, by the file's own names, such as `pose` or `blur`. */
  readonly attributes?: Attributes;
}

/** Further facts about an object: plain values by name. */
export type Attributes = Readonly<Record<string, string | number | boolean>>;

/** Everything about one image except its pixels. */
export interface ImageRecord {
  readonly id: number;
  /** Path of the image, as error messages should name it. */
  readonly file: string;
  readonly width: number;
  readonly height: number;
  readonly annotations: readonly Annotation[];
}

/** One image with its pixels and objects; `width` and `height` are those of the pixels. */
export interface Sample extends ImageRecord {
  readonly pixels: Pixels;
}

/** What can be wrong with a dataset; every reader uses the same words. */
export type ProblemKind =
  | 'unreadable file'
  | 'malformed file'
  | 'wrong field'
  | 'unknown id'
  | 'unknown class'
  | 'duplicate id'
  | 'unsafe path'
  | 'missing picture'
  | 'damaged picture'
  | 'wrong size'
  | 'box not finite'
  | 'box of negative size'
  | 'box of zero size'
  | 'box outside the picture'
  | 'box beyond the picture';

/** One thing that is wrong with a dataset, and where. */
export interface Problem {
  readonly kind: ProblemKind;
  /** The file that needs the correction, as the user would name it. */
  readonly file: string;
  /** Where in the file: a field such as `annotations[3].bbox`, a line, an object. */
  readonly place?: string;
  /** The picture concerned, as `ImageRecord.file` names it. */
  readonly image?: string;
  /** The object concerned, where it has an id. */
  readonly annotationId?: number;
  /** The whole sentence: what was needed, what was found, what to do. */
  readonly message: string;
}

/** What to do about a problem that concerns one picture or object: leave it out and list it, or stop there. */
export type OnProblem = 'skip' | 'strict';

/** What opening a dataset found and what it left out. */
export interface DatasetReport {
  readonly images: number;
  /** Objects kept, crowd regions included. */
  readonly objects: number;
  readonly crowds: number;
  readonly imagesWithoutObjects: number;
  /** What was left out and why, in the order it was found: of every kind the first 10,000. */
  readonly problems: readonly Problem[];
  /** How many problems of every kind there are, those included that are not listed. */
  readonly problemCounts: ProblemCounts;
}

/** How many problems of every kind there are; kinds that do not occur are absent. */
export type ProblemCounts = Readonly<Partial<Record<ProblemKind, number>>>;

/** The ways datasets are kept on disk, and `'made'` for those that exist in memory only. */
export type DatasetFormat = 'coco' | 'voc' | 'objects365' | 'widerface' | 'made';

/** What every reader takes. */
export interface OpenOptions {
  /** Which split to open; needed when there are several. */
  readonly split?: string;
  /** 'skip' unless told otherwise. */
  readonly onProblem?: OnProblem;
  /** Pictures of more pixels than this are refused before they are decoded; 2^28 unless told otherwise. */
  readonly maxPixels?: number;
  /** Whether what was read of a large annotation file is kept beside it, to open it faster the next time; true unless told otherwise. */
  readonly cache?: boolean;
  /** Whether symbolic links may lead out of the folder, as to pictures on another disk; false unless told otherwise. */
  readonly followLinks?: boolean;
  /** Called now and then while files are read, with how much of how much is done. */
  readonly onProgress?: (progress: OpenProgress) => void;
  /** Stops the reading. */
  readonly signal?: AbortSignal;
}

/** How far the opening of a dataset has come. */
export interface OpenProgress {
  readonly done: number;
  readonly total: number;
  readonly unit: 'bytes' | 'files';
}

/** Images in a fixed order with random access; iterating it gives the same samples one after the other. */
export interface Dataset extends AsyncIterable<Sample> {
  readonly name: string;
  readonly format: DatasetFormat;
  readonly length: number;
  /** Class names by label. */
  readonly classes: readonly string[];
  /** The category id of the dataset's own files, by label. */
  readonly categoryIds: readonly number[];
  readonly report: DatasetReport;
  /** Everything about image `index` that needs no decoding. */
  record(index: number): ImageRecord;
  /** Image `index`, decoded. */
  at(index: number): Promise<Sample>;
  /** Path on this machine of the picture file of image `index`, for threads that read it themselves; absent where there are no such files. */
  locate?(index: number): string;
  /** Pictures of more pixels than this are refused by who reads them through `locate`; 2^28 where absent. */
  readonly maxPixels?: number;
}

/** Read access to a folder, wherever it is; paths are relative to it, with forward slashes. */
export interface FileSource {
  /** How messages name the folder. */
  readonly name: string;
  /** The whole file; rejects when it is not there or cannot be read. */
  read(path: string): Promise<Uint8Array>;
  /** Names in a folder ('' is the folder itself), empty when it is not there, undefined when the source cannot list. */
  list(path: string): Promise<readonly string[] | undefined>;
  /** The file piece by piece, from its beginning; without it files are read whole. */
  stream?(path: string): AsyncIterable<Uint8Array>;
  /** Size in bytes and time of the last change in milliseconds since 1970; rejects as `read` does. */
  stat?(path: string): Promise<FileState>;
  /** Replaces a file in one move by the given parts one after the other, for caches; absent where nothing can be written. */
  write?(path: string, parts: readonly Uint8Array[]): Promise<void>;
  /** Path on this machine, absent where files have none. */
  locate?(path: string): string;
}

/** What tells whether a file has changed. */
export interface FileState {
  readonly size: number;
  readonly modified: number;
}

/** Write access to a folder that comes into being in one move. */
export interface FolderWriter {
  /** Writes a file at once, or piece by piece where it is too large to be held. */
  write(path: string, bytes: Uint8Array | AsyncIterable<Uint8Array>): Promise<void>;
  /** Makes the folder appear under its final name. */
  commit(): Promise<void>;
  /** Removes everything written so far. */
  discard(): Promise<void>;
}
