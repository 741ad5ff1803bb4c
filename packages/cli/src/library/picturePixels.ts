// Whatever holds a picture as its pixels: paths, addresses, encoded bytes, raw pixels, and what browsers draw.
import type { Pixels } from '@autoassign/datasets';
import { DatasetError, decodeImage } from '@autoassign/datasets';
import { bytesAt } from './bytesAt.ts';

/** Raw pixels, rows from top to bottom; an `ImageData` is one. */
export interface RawPixels {
  readonly width: number;
  readonly height: number;
  /** Bytes [height, width, channels]. */
  readonly data: Uint8Array | Uint8ClampedArray;
  /** 1 (grey), 3 (red, green, blue) or 4 (with opacity; what is transparent lies on black); told by the length of `data` when left out. */
  readonly channels?: 1 | 3 | 4;
}

/** What a canvas can draw: a canvas itself, `OffscreenCanvas`, `ImageBitmap`, `HTMLImageElement`, `HTMLVideoElement`, `VideoFrame`. */
export type Drawable =
  | { readonly width: number; readonly height: number }
  | { readonly displayWidth: number; readonly displayHeight: number };

/** A picture: a path (Node) or address, the bytes of an image file, raw pixels, or something that browsers draw. */
export type Picture = string | URL | Uint8Array | ArrayBuffer | Blob | RawPixels | Drawable;

/** How messages name a picture. */
export function nameOfPicture(picture: Picture, index: number): string {
  if (typeof picture === 'string') return picture;
  if (picture instanceof URL) return picture.href;
  const name = (picture as { readonly name?: unknown }).name;
  return typeof name === 'string' && name !== '' ? name : `picture ${index + 1}`;
}

/**
 * The pixels of a picture.
 *
 * Throws   DatasetError naming the picture when it is none, or cannot be read
 */
export async function picturePixels(picture: Picture, name: string): Promise<Pixels> {
  if (typeof picture === 'string' || picture instanceof URL)
    return decodeImage(await bytesAt(picture, 'predict'), name);
  if (picture instanceof Uint8Array) return decodeImage(picture, name);
  if (picture instanceof ArrayBuffer) return decodeImage(new Uint8Array(picture), name);
  if (picture instanceof Blob) return decodeImage(new Uint8Array(await picture.arrayBuffer()), name);
  if (typeof picture !== 'object' || picture === null) throw noPicture(name, String(picture));
  return 'data' in picture ? fromRaw(picture, name) : drawn(picture, name);
}

function noPicture(name: string, got: string): DatasetError {
  return new DatasetError(
    `predict(${name}): needs a picture, got ${got}. Pass a path, an address, bytes of an image file, raw pixels or something that can be drawn.`,
    { file: name },
  );
}

function fromRaw(picture: RawPixels, name: string): Pixels {
  const { width, height, data } = picture;
  const channels = picture.channels ?? data.length / (width * height);
  const isFilled = Number.isSafeInteger(width * height) && data.length === width * height * channels;
  if (!(width >= 1 && height >= 1 && isFilled && (channels === 1 || channels === 3 || channels === 4)))
    throw noPicture(name, `${data.length} bytes for ${width}x${height} pixels of ${channels} channels`);
  if (channels === 3) return { width, height, channels, data: new Uint8Array(data) };
  const rgb = new Uint8Array(width * height * 3);
  for (let pixel = 0; pixel < width * height; pixel += 1) {
    const opacity = channels === 4 ? (data[4 * pixel + 3] ?? 0) / 255 : 1;
    for (let c = 0; c < 3; c += 1)
      rgb[3 * pixel + c] = Math.round((data[channels === 4 ? 4 * pixel + c : pixel] ?? 0) * opacity);
  }
  return { width, height, channels: 3, data: rgb };
}

/** The size in pixels of what is drawn, which elements tell apart from the size they are shown at. */
function sizeOf(picture: object): { readonly width: number; readonly height: number } {
  const fields = picture as Readonly<Record<string, unknown>>;
  const either = (...names: readonly string[]): number =>
    names.map((name) => fields[name]).find((value): value is number => typeof value === 'number') ?? 0;
  return {
    width: either('naturalWidth', 'videoWidth', 'displayWidth', 'width'),
    height: either('naturalHeight', 'videoHeight', 'displayHeight', 'height'),
  };
}

function drawn(picture: Drawable, name: string): Pixels {
  const { width, height } = sizeOf(picture);
  if (!(width >= 1 && height >= 1)) throw noPicture(name, `a size of ${width}x${height}`);
  if (typeof OffscreenCanvas === 'undefined')
    throw noPicture(name, 'something to be drawn where there are no canvases');
  const context = new OffscreenCanvas(width, height).getContext('2d');
  if (context === null) throw noPicture(name, 'no drawing context for it');
  context.fillStyle = '#000';
  context.fillRect(0, 0, width, height);
  try {
    context.drawImage(picture as CanvasImageSource, 0, 0, width, height);
  } catch (cause) {
    throw noPicture(
      name,
      `something that cannot be drawn (${cause instanceof Error ? cause.message : cause})`,
    );
  }
  const { data } = context.getImageData(0, 0, width, height);
  return fromRaw({ width, height, data, channels: 4 }, name);
}
