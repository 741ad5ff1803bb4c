// Browsers: everything this package needs from its surroundings.
import type { Platform } from '../platform.ts';
import { createFolder, openFolder, splitLocation } from './files.ts';
import { decode, encodeJpeg } from './images.ts';
import { startThreads, usualThreads } from './threads.ts';

/** The browser's implementation of what this package needs from its surroundings. */
export const platform: Platform = {
  openFolder,
  splitLocation,
  decode,
  encodeJpeg,
  createFolder,
  usualThreads,
  startThreads,
};
