// Node's pictures, through sharp (loaded on first use, since it is optional).
import type { Sharp, SharpOptions } from 'sharp';
import { DatasetError, oneLine } from '../../errors.ts';
import type { Platform } from '../platform.ts';

type SharpFactory = (input: Uint8Array, options?: SharpOptions) => Sharp;

const loadSharp = async (): Promise<SharpFactory> => {
  try {
    return (await import('sharp')).default;
  } catch (cause) {
    throw new DatasetError(
      `decode(image): needs the optional package sharp, got "${oneLine(cause)}". Run: npm install sharp`,
      { cause },
    );
  }
};

/** The pixels of an encoded picture. */
export const decode: Platform['decode'] = async (bytes, { maxPixels }) => {
  const sharp = await loadSharp();
  // 'truncated' is strict about missing data but not about odd metadata, which real photographs often have.
  const image = sharp(bytes, { failOn: 'truncated', limitInputPixels: maxPixels }).autoOrient();
  const { data, info } = await image
    .flatten({ background: '#000' })
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, channels: 3, data };
};

/** The picture as a JPEG file. */
export const encodeJpeg: Platform['encodeJpeg'] = async (pixels, quality) => {
  const sharp = await loadSharp();
  const { width, height, channels, data } = pixels;
  return (
    sharp(data, { raw: { width, height, channels } })
      // Optimised coding would save 8 % of the bytes for 70 % more time.
      .jpeg({ quality, chromaSubsampling: '4:4:4', optimiseCoding: false })
      .toBuffer()
  );
};
