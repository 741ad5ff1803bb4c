// The browser side: images through createImageBitmap, shapes in memory, and the errors for what a browser cannot do.
import { decodeImage, openCoco, renderShapes, shapes, writeShapes } from '@autoassign/datasets';
import { expect, test } from 'vitest';
import { platform } from '../../src/platform/browser/index.ts';

test('encoding and decoding give nearly the same pixels', async () => {
  const { pixels } = renderShapes(0, 3);
  const decoded = await decodeImage(await platform.encodeJpeg(pixels, 95), 'shapes.jpg');
  expect(decoded).toMatchObject({ width: 128, height: 128, channels: 3 });
  const error = pixels.data.reduce((sum, value, i) => sum + Math.abs(value - decoded.data[i]!), 0);
  // Browsers may halve the resolution of colour, which the noise of this dataset does not survive.
  expect(error / pixels.data.length).toBeLessThan(12);
});

test('a JPEG cut short fails instead of being painted grey', async () => {
  const bytes = await platform.encodeJpeg(renderShapes(0, 3).pixels, 95);
  await expect(decodeImage(bytes.subarray(0, bytes.length >> 1), 'cut.jpg')).rejects.toThrow(
    /decodeImage\(cut\.jpg\): needs a complete image file, got "premature end of JPEG image"/,
  );
  await expect(decodeImage(new TextEncoder().encode('hello'), 'text.jpg')).rejects.toThrow(/text\.jpg/);
});

test('shapes have the same first pixels as everywhere', async () => {
  const sample = await shapes({ length: 1 }).at(0);
  expect(Array.from(sample.pixels.data.subarray(0, 6))).toEqual([132, 43, 121, 140, 40, 125]);
});

test('a COCO folder is read from any source of files', async () => {
  const { pixels, boxes } = renderShapes(0, 3);
  const [x1, y1, x2, y2] = boxes[0]!;
  const content = {
    images: [{ id: 1, file_name: 'a.jpg', width: 128, height: 128 }],
    categories: [{ id: 1, name: 'thing' }],
    annotations: [{ id: 1, image_id: 1, category_id: 1, bbox: [x1, y1, x2 - x1, y2 - y1] }],
  };
  const files = new Map([
    ['labels.json', new TextEncoder().encode(JSON.stringify(content))],
    ['images/a.jpg', await platform.encodeJpeg(pixels, 95)],
  ]);
  const read = async (path: string): Promise<Uint8Array> => {
    const bytes = files.get(path);
    if (bytes === undefined) throw new Error('not there');
    return bytes;
  };
  const source = { name: 'memory', read, list: async () => undefined };
  const sample = await (await openCoco(source, { annotations: 'labels.json' })).at(0);
  expect(sample.annotations[0]?.box).toEqual(boxes[0]);
  expect(sample.pixels.width).toBe(128);
});

test('an address that is not there is an error that names it', async () => {
  await expect(openCoco('/nowhere', { annotations: 'annotations/instances_x.json' })).rejects.toThrow(
    /nowhere\/annotations\/instances_x\.json/,
  );
  await expect(writeShapes('folder', { train: 1, validation: 1 })).rejects.toThrow(/got a browser/);
});
