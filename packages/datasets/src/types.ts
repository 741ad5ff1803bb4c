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
  /** Whether the file asks to ignore it: never trained on. */
  readonly isIgnored: boolean;
}

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

/** Why a box was left out when a dataset was opened. */
export type DropReason = 'not finite' | 'negative size' | 'zero size' | 'outside the image';

/** One box that was left out. */
export interface DroppedBox {
  readonly file: string;
  readonly annotationId: number;
  readonly reason: DropReason;
}

/** What opening a dataset found and what it left out. */
export interface DatasetReport {
  readonly images: number;
  /** Objects kept, crowd regions included. */
  readonly objects: number;
  readonly crowds: number;
  readonly imagesWithoutObjects: number;
  /** Boxes left out, in file order. */
  readonly dropped: readonly DroppedBox[];
}

/** Images in a fixed order with random access; iterating it gives the same samples one after the other. */
export interface Dataset extends AsyncIterable<Sample> {
  readonly name: string;
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
}

/** Read access to a folder, wherever it is; paths are relative to it, with forward slashes. */
export interface FileSource {
  /** How messages name the folder. */
  readonly name: string;
  /** The whole file; rejects when it is not there or cannot be read. */
  read(path: string): Promise<Uint8Array>;
  /** Names in a folder ('' is the folder itself), empty when it is not there, undefined when the source cannot list. */
  list(path: string): Promise<readonly string[] | undefined>;
}

/** Write access to a folder that comes into being in one move. */
export interface FolderWriter {
  write(path: string, bytes: Uint8Array): Promise<void>;
  /** Makes the folder appear under its final name. */
  commit(): Promise<void>;
  /** Removes everything written so far. */
  discard(): Promise<void>;
}
