// Node's pictures, through sharp (loaded on first use, since it is optional).
import type { OutputInfo, Sharp, SharpOptions } from 'sharp';
import { DatasetError, oneLine } from '../../errors.ts';
import type { Pixels } from '../../types.ts';
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
export const decode: Platform['decode'] = async (bytes, { width, height, isCmyk }) => {
  const sharp = await loadSharp();
  // 'truncated' is strict about missing data but not about odd metadata, which real photographs often have.
  const options = { failOn: 'truncated', limitInputPixels: width * height, ignoreIcc: true } as const;
  const image = sharp(bytes, options).autoOrient();
  if (isCmyk) return fromInks(await rawOf(image.pipelineColourspace('cmyk').toColourspace('cmyk')));
  const { data, info } = await rawOf(image.flatten({ background: '#000' }).toColourspace('srgb'));
  return { width: info.width, height: info.height, channels: 3, data };
};

type Raw = { readonly data: Uint8Array; readonly info: OutputInfo };

const rawOf = (image: Sharp): Promise<Raw> =>
  image.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });

/** Light is what cyan, magenta and yellow leave of it, times what black leaves; 0 is no ink. */
const fromInks = ({ data: inks, info: { width, height } }: Raw): Pixels => {
  const data = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; to < data.length; from += 4, to += 3) {
    const light = (255 - inks[from + 3]!) / 255;
    data[to] = (255 - inks[from]!) * light + 0.5;
    data[to + 1] = (255 - inks[from + 1]!) * light + 0.5;
    data[to + 2] = (255 - inks[from + 2]!) * light + 0.5;
  }
  return { width, height, channels: 3, data };
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
