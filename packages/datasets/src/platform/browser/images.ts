// The browser's pictures, through createImageBitmap and OffscreenCanvas.
import type { Pixels } from '../../types.ts';
import type { Platform } from '../platform.ts';
import { isTruncatedJpeg } from './jpegEnd.ts';
import { orientedPixels, takeWebpOrientation } from './webpOrientation.ts';

/** The pixels of an encoded picture. */
export const decode: Platform['decode'] = async (bytes, { format }) => {
  if (isTruncatedJpeg(bytes)) throw new Error('premature end of JPEG image');
  const given = bytes.slice();
  // Browsers turn JPEG and PNG files upright, but not WebP files.
  const orientation = format === 'webp' ? takeWebpOrientation(given) : 1;
  return orientedPixels(await decodeAsStored(given), orientation);
};

const decodeAsStored = async (bytes: Uint8Array<ArrayBuffer>): Promise<Pixels> => {
  const bitmap = await createImageBitmap(new Blob([bytes]), { colorSpaceConversion: 'none' });
  const { width, height } = bitmap;
  const context = contextOf(new OffscreenCanvas(width, height));
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const rgba = context.getImageData(0, 0, width, height).data;
  const data = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; to < data.length; from += 4, to += 3) {
    data[to] = rgba[from]!;
    data[to + 1] = rgba[from + 1]!;
    data[to + 2] = rgba[from + 2]!;
  }
  return { width, height, channels: 3, data };
};

/** The picture as a JPEG file. */
export const encodeJpeg: Platform['encodeJpeg'] = async ({ width, height, data }, quality) => {
  const canvas = new OffscreenCanvas(width, height);
  const image = new ImageData(width, height);
  for (let from = 0, to = 0; from < data.length; from += 3, to += 4) {
    image.data.set(data.subarray(from, from + 3), to);
    image.data[to + 3] = 255;
  }
  contextOf(canvas).putImageData(image, 0, 0);
  const blob = await canvas.convertToBlob({ type: 'image/jpeg', quality: quality / 100 });
  return new Uint8Array(await blob.arrayBuffer());
};

const contextOf = (canvas: OffscreenCanvas): OffscreenCanvasRenderingContext2D => {
  const context = canvas.getContext('2d');
  if (context === null) throw new Error('this browser gives no 2d context');
  // Canvases hold premultiplied colour: on black, transparent parts come out as they do in Node.
  context.fillStyle = '#000';
  context.fillRect(0, 0, canvas.width, canvas.height);
  return context;
};
