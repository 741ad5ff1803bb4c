// What this package needs from the place it runs in. The folders `node` and `browser` each provide it; the condition `node`
// in this package's `imports` field picks one.

import type { PictureReader, ReadingRules } from '../batch/reader.ts';
import type { PictureHeader } from '../pictureHeader.ts';
import type { FileSource, FolderWriter, Pixels } from '../types.ts';

/** The abilities that differ between Node and browsers. */
export interface Platform {
  /** Read access to the folder at a path (Node) or an address (browser). */
  openFolder(location: string, options?: FolderOptions): FileSource;
  /** The folder that holds the file at `location`, and the file's name in it. */
  splitLocation(location: string): { readonly folder: string; readonly file: string };
  /** The pixels of an encoded image with the given header, turned upright; rejects when the image is damaged or cut short. */
  decode(bytes: Uint8Array, header: PictureHeader): Promise<Pixels>;
  /** The image as a JPEG file of the given quality (1 to 100), colour at full resolution. */
  encodeJpeg(pixels: Pixels, quality: number): Promise<Uint8Array>;
  /** Write access to a folder that must not exist yet, or be empty. */
  createFolder(location: string): Promise<FolderWriter>;
  /** How many threads read pictures unless it is said. */
  usualThreads(): number;
  /** Starts threads that read the picture files of tasks with a location. */
  startThreads(count: number, rules: ReadingRules): PictureReader;
}

/** How a folder may be read. */
interface FolderOptions {
  /** Whether symbolic links may lead out of the folder; false unless told otherwise. */
  readonly followLinks?: boolean;
}
