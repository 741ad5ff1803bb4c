// Pictures: pixels at known places, labels that can be read, sheets that hold what they should.
import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import type { AssignmentScene } from '../src/assignmentPicture.ts';
import { assignmentPicture, fade } from '../src/assignmentPicture.ts';
import { classColour, viridis } from '../src/colours.ts';
import { detectionPicture } from '../src/detectionPicture.ts';
import { placeLabels } from '../src/labels.ts';
import type { Box, Picture, RasterImage } from '../src/pictures.ts';
import { contactSheet, displayScale, drawnImage, renderPicture, sheetColour } from '../src/pictures.ts';

type Colour = readonly [red: number, green: number, blue: number];

const rgb = (hex: string): Colour =>
  [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)) as unknown as Colour;
const grey = (width: number, height: number, level: number): RasterImage => ({
  width,
  height,
  channels: 3,
  data: new Uint8Array(width * height * 3).fill(level),
});

/** Renders a picture and returns a reader of its pixels. */
async function pixelsOf(picture: Picture): Promise<(x: number, y: number) => Colour> {
  const { data, info } = await sharp(await renderPicture(picture, 'png'))
    .raw()
    .toBuffer({ resolveWithObject: true });
  expect([info.width, info.height, info.channels]).toEqual([picture.width, picture.height, 3]);
  return (x, y) =>
    [...data.subarray((y * info.width + x) * 3, (y * info.width + x) * 3 + 3)] as unknown as Colour;
}

function expectNear(actual: Colour, wanted: Colour, tolerance = 3): void {
  actual.forEach((channel, index) => {
    expect(Math.abs(channel - (wanted[index] ?? 0)), `got ${actual}, wanted ${wanted}`).toBeLessThanOrEqual(
      tolerance,
    );
  });
}

describe('placing images', () => {
  it('shows small images by whole factors with sharp pixels', async () => {
    const image: RasterImage = {
      width: 2,
      height: 1,
      channels: 3,
      data: Uint8Array.of(255, 0, 0, 0, 0, 255),
    };
    const at = await pixelsOf(drawnImage(image, 5, []));
    for (const y of [0, 4]) {
      expect([at(0, y), at(4, y), at(5, y), at(9, y)]).toEqual([
        [255, 0, 0],
        [255, 0, 0],
        [0, 0, 255],
        [0, 0, 255],
      ]);
    }
  });

  it('chooses the scale by the longer side', () => {
    expect(displayScale(grey(128, 128, 0), 384)).toBe(3);
    expect(displayScale(grey(100, 130, 0), 384)).toBe(2);
    expect(displayScale(grey(1536, 100, 0), 384)).toBe(0.25);
  });

  it('lays a sheet out in rows, each picture where it belongs', async () => {
    const levels = [50, 100, 150, 200, 250];
    const sheet = contactSheet(
      levels.map((level) => drawnImage(grey(10, 8, level), 1, [])),
      { columns: 2, title: '', gap: 2 },
    );
    expect([sheet.width, sheet.height]).toEqual([26, 70]);
    const at = await pixelsOf(sheet);
    const centres = levels.map(
      (_, index) => at(2 + 12 * (index % 2) + 5, 40 + 10 * Math.floor(index / 2) + 4)[0],
    );
    expect(centres).toEqual(levels);
    expect(at(20, 65)).toEqual(rgb(sheetColour));
  });

  it('draws nothing outside of an image', async () => {
    const scene = {
      image: grey(20, 20, 200),
      detections: [{ box: [-50, -50, 90, 10] as const, label: 0, score: 0.9 }],
      classNames: ['a'],
    };
    const picture = detectionPicture(scene, { layout: 'overlaid', target: 40 });
    const at = await pixelsOf(contactSheet([picture], { columns: 1, title: '', gap: 20 }));
    expect([at(10, 50), at(61 + 10, 60)]).toEqual([rgb(sheetColour), rgb(sheetColour)]);
    expectNear(at(20 + 30, 40 + 20), rgb(classColour(0)));
  });

  it('writes JPEG too', async () => {
    const bytes = await renderPicture(drawnImage(grey(16, 16, 90), 2, []), 'jpeg');
    expect(await sharp(bytes).metadata()).toMatchObject({ format: 'jpeg', width: 32, height: 32 });
  });
});

describe('detections against ground truth', () => {
  const scene = {
    image: grey(64, 64, 128),
    truth: [{ box: [8, 8, 24, 24] as const, label: 2 }],
    detections: [{ box: [32, 32, 56, 56] as const, label: 3, score: 0.87 }],
    classNames: ['a', 'b', 'c', 'd'],
  };

  it('draws a solid edge in the class colour at the box, enlarged', async () => {
    const at = await pixelsOf(detectionPicture(scene, { layout: 'overlaid', target: 256 }));
    for (const along of [140, 160, 180, 200]) {
      expectNear(at(128, along), rgb(classColour(3)));
      expectNear(at(224, along), rgb(classColour(3)));
    }
    expectNear(at(176, 176), [128, 128, 128]);
    expectNear(at(110, 176), [128, 128, 128]);
  });

  it('draws the truth dashed: light and dark along its edge', async () => {
    const at = await pixelsOf(detectionPicture(scene, { layout: 'overlaid', target: 256 }));
    const lights = Array.from({ length: 60 }, (_, along) => at(32, 34 + along)[0]);
    expect(Math.max(...lights)).toBeGreaterThan(170);
    expect(Math.min(...lights)).toBeLessThan(100);
  });

  it('shows truth and detections side by side, each on its own panel', async () => {
    const picture = detectionPicture(scene, { layout: 'sideBySide', target: 256 });
    expect(picture.width).toBe(2 * 256 + 4);
    const at = await pixelsOf(picture);
    expectNear(at(260 + 128, 160), rgb(classColour(3)));
    expectNear(at(128, 160), [128, 128, 128]);
    const edge = Array.from({ length: 60 }, (_, along) => at(32, 34 + along));
    expect(
      edge.some((colour) => colour.every((c, i) => Math.abs(c - (rgb(classColour(2))[i] ?? 0)) < 8)),
    ).toBe(true);
    expectNear(at(260 + 32, 60), [128, 128, 128]);
  });

  it('draws images without annotations, unknown classes and empty boxes', async () => {
    const odd = { ...scene, detections: [{ box: [10, 10, 5, 5] as const, label: 40, score: 0.6 }] };
    const { truth: _truth, ...unknown } = odd;
    await pixelsOf(detectionPicture(unknown, { layout: 'sideBySide', target: 128 }));
  });
});

describe('labels', () => {
  const picture = { width: 300, height: 200 };
  const label = (text: string, box: Box) => ({ text, box, colour: '#ffffff' });

  it('stay inside the picture, and sit on top of their box where there is room', () => {
    const coordinate = fc.integer({ min: -50, max: 350 });
    const boxes = fc.array(fc.tuple(coordinate, coordinate, coordinate, coordinate), { maxLength: 8 });
    fc.assert(
      fc.property(boxes, (corners) => {
        const placed = placeLabels(
          corners.map((box) => label('class 0.99', box)),
          picture,
        );
        for (const [left, top, right, bottom] of placed) {
          expect(Math.min(left, top)).toBeGreaterThanOrEqual(0);
          expect(right).toBeLessThanOrEqual(picture.width);
          expect(bottom).toBeLessThanOrEqual(picture.height);
        }
      }),
      { seed: 8 },
    );
    expect(placeLabels([label('disc', [50, 60, 90, 100])], picture)[0]).toMatchObject({ 0: 50, 3: 60 });
  });

  it('give way to each other', () => {
    const same: Box = [100, 80, 160, 140];
    const placed = placeLabels(
      ['one 0.9', 'two 0.8', 'three 0.7', 'four 0.6'].map((text) => label(text, same)),
      picture,
    );
    placed.forEach((a, first) => {
      placed.slice(first + 1).forEach((b) => {
        const isApart = a[2] <= b[0] || b[2] <= a[0] || a[3] <= b[1] || b[3] <= a[1];
        expect(isApart, `${a} and ${b}`).toBe(true);
      });
    });
  });
});

describe('the assignment of one object', () => {
  const weights = (rows: number, columns: number, given: Record<number, number>): Float32Array =>
    Float32Array.from({ length: rows * columns }, (_, index) => given[index] ?? 0);
  const scene: AssignmentScene = {
    image: grey(64, 64, 200),
    box: [16, 16, 48, 48],
    label: 1,
    className: 'square',
    confidence: 0.5,
    levels: [
      { stride: 8, rows: 8, columns: 8, weights: weights(8, 8, { [3 * 8 + 5]: 0.5, [5 * 8 + 3]: 0.25 }) },
      { stride: 16, rows: 4, columns: 4, weights: weights(4, 4, { [2 * 4 + 2]: 0.25 }) },
    ],
    prior: { mean: [-0.5, 0.25], sigma: [0.4, -0.4] },
  };
  const scale = 4;
  const panel =
    (index: number) =>
    (x: number, y: number): readonly [number, number] => [
      Math.floor(14 + index * (256 + 14) + x * scale),
      Math.floor(46 + y * scale),
    ];
  const faded = Math.round(0.55 * 200);
  const mixed = (share: number): Colour => {
    const opacity = 0.45 + 0.45 * share;
    return rgb(viridis(share)).map((c) =>
      Math.round(opacity * c + (1 - opacity) * faded),
    ) as unknown as Colour;
  };

  it('colours every cell around its location by its weight', async () => {
    const at = await pixelsOf(assignmentPicture(scene, { target: 256 }));
    const fine = panel(1);
    expectNear(at(...fine(5 * 8 + 1, 3 * 8 + 2)), mixed(1));
    expectNear(at(...fine(5 * 8 - 3, 3 * 8 - 3)), mixed(1));
    expectNear(at(...fine(3 * 8 - 2, 5 * 8 + 2)), mixed(0.5));
    expectNear(at(...fine(4 * 8, 5.5 * 8 + 1)), [faded, faded, faded]);
    const coarse = panel(2);
    expectNear(at(...coarse(2 * 16 + 6, 2 * 16 + 7)), mixed(1));
  });

  it('marks the centre of the prior: the box centre moved by the mean, in strides of the level', async () => {
    const at = await pixelsOf(assignmentPicture(scene, { target: 256 }));
    expectNear(at(...panel(1)(32 - 0.5 * 8, 32 + 0.25 * 8)), rgb('#ff5c8a'), 40);
    expectNear(at(...panel(2)(32 - 0.5 * 16, 32 + 0.25 * 16)), rgb('#ff5c8a'), 40);
    const oneSigma = panel(2)(32 - 0.5 * 16 + 0.4 * 16, 32 + 0.25 * 16);
    expectNear(at(...oneSigma), rgb('#ff5c8a'), 40);
  });

  it('shows no prior where locations are not weighted by one', async () => {
    const { prior, ...without } = scene;
    const at = await pixelsOf(assignmentPicture(without, { target: 256 }));
    expectNear(at(...panel(1)(32 + prior!.mean[0] * 8, 32 + prior!.mean[1] * 8)), [faded, faded, faded]);
  });

  it('shows the image with the box first, untouched beside it', async () => {
    const at = await pixelsOf(assignmentPicture(scene, { target: 256 }));
    expect(at(...panel(0)(5, 5))).toEqual([200, 200, 200]);
    expectNear(at(...panel(0)(16, 30)), [255, 255, 255], 30);
    expect(at(...panel(1)(5, 5))).toEqual([faded, faded, faded]);
  });

  it('draws an object that no location lies in', async () => {
    const empty = { ...scene, levels: [{ stride: 8, rows: 8, columns: 8, weights: new Float32Array(64) }] };
    const at = await pixelsOf(assignmentPicture({ ...empty, confidence: 0 }, { target: 256 }));
    expect(at(...panel(1)(20, 20))).toEqual([faded, faded, faded]);
  });

  it('fades to grey', () => {
    const { data } = fade({ width: 1, height: 1, channels: 3, data: Uint8Array.of(255, 0, 0) });
    expect([...data]).toEqual([42, 42, 42]);
  });
});
