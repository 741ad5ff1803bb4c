// Pictures of every kind that files come in, made by sharp, with the pixels that they are made of.
import type { Pixels } from '@autoassign/datasets';
import sharp, { type Sharp } from 'sharp';
import { storedAs } from './orientations.ts';

/** A file, and what must come out of it. */
export interface Picture {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly pixels: Pixels;
  /** How far a decoded byte may be from that; absent where the file is too far from its pixels to tell anything. */
  readonly tolerance?: number;
}

const width = 24;
const height = 16;

const pixelsOf = (colour: (x: number, y: number) => readonly [number, number, number]): Pixels => {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) data.set(colour(x, y), (y * width + x) * 3);
  return { width, height, channels: 3, data };
};

/** No two corners are alike, so that every wrong turn shows. */
const gradient = pixelsOf((x, y) => [x * 10, y * 15, 255 - (x + y) * 6]);
const greyGradient = pixelsOf((x, y) => [x * 5 + y * 8, x * 5 + y * 8, x * 5 + y * 8]);
const fewColours = pixelsOf((x, y) => [(x >> 3) * 100, (y >> 2) * 80, 40]);
const twoColours = pixelsOf((x, y) => (x + y < 20 ? [0, 0, 0] : [255, 255, 255]));
/** What JPEG keeps worst: unrelated neighbours. */
const noise = pixelsOf(
  (x, y) => [0, 1, 2].map((c) => noiseByte(x + 31 * y + 977 * c)) as [number, number, number],
);
function noiseByte(i: number): number {
  return Math.imul(Math.imul(i + 1, 0x9e3779b1) ^ (i << 7), 0x85ebca6b) >>> 24;
}

const image = ({ data, width: w, height: h }: Pixels): Sharp =>
  sharp(data, { raw: { width: w, height: h, channels: 3 } });
const finest = { quality: 100, chromaSubsampling: '4:4:4' } as const;

/** Alpha from 0 to 255 over the gradient. */
const alphaAt = (i: number): number => (i * 5) % 256;
const overBlack = (pixels: Pixels): Pixels => ({
  ...pixels,
  data: pixels.data.map((byte, i) => Math.round((byte * alphaAt(Math.floor(i / 3))) / 255)),
});
const withAlpha = (pixels: Pixels): Sharp => {
  const data = new Uint8Array(width * height * 4);
  for (let i = 0; i < width * height; i++)
    data.set([...pixels.data.subarray(i * 3, i * 3 + 3), alphaAt(i)], i * 4);
  return sharp(data, { raw: { width, height, channels: 4 } });
};

const kinds: readonly (readonly [name: string, image: Sharp, pixels: Pixels, tolerance?: number])[] = [
  ['rgb.png', image(gradient).png(), gradient, 0],
  ['interlaced.png', image(gradient).png({ progressive: true }), gradient, 0],
  ['palette.png', image(fewColours).png({ palette: true, dither: 0 }), fewColours, 0],
  ['bilevel.png', image(twoColours).png({ palette: true, colours: 2, dither: 0 }), twoColours, 0],
  ['grey.png', image(greyGradient).toColourspace('b-w').png(), greyGradient, 0],
  ['16 bits.png', image(gradient).toColourspace('rgb16').png(), gradient, 0],
  ['grey 16 bits.png', image(greyGradient).toColourspace('grey16').png(), greyGradient, 0],
  ['alpha.png', withAlpha(gradient).png(), overBlack(gradient), 1],
  ['grey alpha.png', withAlpha(greyGradient).toColourspace('b-w').png(), overBlack(greyGradient), 1],
  ['alpha.webp', withAlpha(gradient).webp({ lossless: true, exact: true }), overBlack(gradient), 1],
  ['lossless.webp', image(gradient).webp({ lossless: true }), gradient, 0],
  ['lossy.webp', image(gradient).webp({ quality: 100 }), gradient, 12],
  ['first frame.gif', image(fewColours).gif({ dither: 0 }), fewColours, 0],
  ['best.jpg', image(gradient).jpeg(finest), gradient, 3],
  ['progressive.jpg', image(gradient).jpeg({ ...finest, progressive: true }), gradient, 3],
  ['grey.jpg', image(greyGradient).greyscale().jpeg(finest), greyGradient, 2],
  ['noise.jpg', image(noise).jpeg({ quality: 90 }), noise],
  ['progressive noise.jpg', image(noise).jpeg({ quality: 90, progressive: true }), noise],
  // Colours as numbers, whatever the profile says they look like.
  ['profile.jpg', image(gradient).jpeg(finest).withIccProfile('p3', { attach: true }), gradient],
  // To the inks of a profile and back without one: see the pixels that OpenCV reads.
  ['cmyk.jpg', image(gradient).toColourspace('cmyk').jpeg(finest), gradient],
];

const encodings = [
  ['jpg', (stored: Sharp) => stored.jpeg(finest), 3],
  ['png', (stored: Sharp) => stored.png(), 0],
  ['webp', (stored: Sharp) => stored.webp({ lossless: true }), 0],
] as const;

/** All of them; the ones with an EXIF orientation are stored turned, and must come out as the gradient. */
export const makePictures = async (): Promise<readonly Picture[]> => {
  const turned = encodings.flatMap(([ending, encode, tolerance]) =>
    [1, 2, 3, 4, 5, 6, 7, 8].map((orientation) => {
      const stored = image(storedAs(gradient, orientation)).withMetadata({ orientation });
      return [`orientation ${orientation}.${ending}`, encode(stored), gradient, tolerance] as const;
    }),
  );
  return Promise.all(
    [...kinds, ...turned].map(async ([name, encoded, pixels, tolerance]) => ({
      name,
      bytes: new Uint8Array(await encoded.toBuffer()),
      pixels,
      ...(tolerance === undefined ? {} : { tolerance }),
    })),
  );
};
