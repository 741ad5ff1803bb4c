// The library in a browser: weights from bytes and from an address, and pictures in every form that a page has them in.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LoadedPictureDetector, Picture } from '../../src/index.ts';
import { loadDetector } from '../../src/index.ts';
import { tinyWeights } from '../library/tinyWeights.ts';

let detector: LoadedPictureDetector;
let canvas: OffscreenCanvas;
let context: OffscreenCanvasRenderingContext2D;
beforeAll(async () => {
  detector = await loadDetector(await tinyWeights(), { backend: 'wasm' });
  canvas = new OffscreenCanvas(80, 60);
  context = canvas.getContext('2d', { willReadFrequently: true })!;
  context.fillStyle = '#203040';
  context.fillRect(0, 0, 80, 60);
  context.fillStyle = '#e0c080';
  context.fillRect(12, 9, 30, 40);
  context.fillStyle = '#40c0f0';
  context.fillRect(50, 20, 20, 24);
});
afterAll(() => detector.close());

const all = { score: 0 };

/** An image element that shows an address. */
const imageAt = async (address: string): Promise<HTMLImageElement> => {
  const image = new Image(10, 10); // shown smaller than it is
  image.src = address;
  await image.decode();
  return image;
};

describe('a picture gives the same detections', () => {
  const elementOf = (): HTMLCanvasElement => {
    const element = document.createElement('canvas');
    [element.width, element.height] = [80, 60];
    element.getContext('2d')!.drawImage(canvas, 0, 0);
    return element;
  };
  const png = async (): Promise<Blob> => canvas.convertToBlob({ type: 'image/png' });
  const forms: Readonly<Record<string, () => Promise<Picture> | Picture>> = {
    OffscreenCanvas: () => canvas,
    ImageBitmap: () => createImageBitmap(canvas),
    HTMLCanvasElement: elementOf,
    HTMLImageElement: async () => imageAt(URL.createObjectURL(await png())),
    VideoFrame: () => new VideoFrame(canvas, { timestamp: 0 }),
    Blob: png,
    'bytes of a PNG': async () => new Uint8Array(await (await png()).arrayBuffer()),
    'blob address': async () => URL.createObjectURL(await png()),
  };
  test.each(Object.keys(forms))('%s', async (name) => {
    const wanted = await detector.predict(context.getImageData(0, 0, 80, 60), all);
    expect(wanted.length).toBeGreaterThan(0);
    expect(await detector.predict(await forms[name]!(), all)).toEqual(wanted);
  });
});

test('weights come from an address too, and an address that is not there is named', async () => {
  const bytes = await tinyWeights();
  const own = await loadDetector(URL.createObjectURL(new Blob([new Uint8Array(bytes)])), { backend: 'wasm' });
  expect(await own.predict(canvas, all)).toEqual(await detector.predict(canvas, all));
  await own.close();
  await expect(loadDetector('/no/such/weights.safetensors')).rejects.toThrow(/weights\.safetensors/);
});
