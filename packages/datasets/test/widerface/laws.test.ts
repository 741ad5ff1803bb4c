// Laws of openWiderFace: what is written is read; damaged files give a dataset or a DatasetError, nothing else.
import { type Dataset, DatasetError, openWiderFace } from '@autoassign/datasets';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { anyDamage } from '../damage.ts';
import { memorySource } from '../memory.ts';
import { jpegOf } from '../samples.ts';
import { type FaceLine, parade, widerFiles, widerText } from './samples.ts';

const jpeg = await jpegOf(40, 32);

const anyFace: fc.Arbitrary<FaceLine> = fc.tuple(
  fc.double({ min: -3, max: 39, noNaN: true }).map((x) => x + 0), // -0 is written 0
  fc.integer({ min: -3, max: 31 }),
  fc.double({ min: 4, max: 60, noNaN: true }),
  fc.integer({ min: 4, max: 60 }),
  ...[2, 1, 1, 1, 2, 1].map((max) => fc.integer({ min: 0, max })),
);

test('what is written is read, with and without lines for pictures without faces', async () => {
  const anyImages = fc.array(fc.array(anyFace, { maxLength: 4 }), { minLength: 1, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(anyImages, fc.constantFrom('', '0 0 0 0 0 0 0 0 0 0\n'), async (images, ofNone) => {
      const named = images.map((faces, i): [string, readonly FaceLine[]] => [`${i}--e v/a ${i}.jpg`, faces]);
      const files = Object.fromEntries(named.map(([path]) => [`WIDER_val/images/${path}`, jpeg]));
      const text = widerText(named, ofNone);
      const source = memorySource({ 'wider_face_val_bbx_gt.txt': text, ...files });
      const dataset = await openWiderFace(source, { onProblem: 'strict' });
      const read = Array.from({ length: dataset.length }, (_, index) => {
        const { file, annotations } = dataset.record(index);
        const faces = annotations.map(({ box: [x, y], size, isIgnored, attributes = {} }) => {
          const { blur, expression, illumination, occlusion, pose } = attributes;
          return [x, y, ...size, blur, expression, illumination, Number(isIgnored), occlusion, pose];
        });
        return [file, faces];
      });
      expect(read).toEqual(named);
    }),
    { numRuns: 60 },
  );
});

test('damaged files give a dataset without nonsense, or a DatasetError that names a file', async () => {
  const whole = await widerFiles();
  const bytesOf = (content: Uint8Array | string): Uint8Array =>
    typeof content === 'string' ? new TextEncoder().encode(content) : content;
  const annotations = 'wider_face_split/wider_face_val_bbx_gt.txt';
  const list = 'wider_face_split/wider_face_test_filelist.txt';
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(annotations, annotations, list, `WIDER_val/images/${parade}`),
      anyDamage,
      fc.constantFrom('skip' as const, 'strict' as const),
      async (path, damage, onProblem) => {
        const files = { ...whole, [path]: damage(bytesOf(whole[path]!)) };
        const split = path === list ? 'test' : 'val';
        const opened = openWiderFace(memorySource(files), { split, onProblem });
        const outcome = await opened.catch((error: unknown) => error);
        if (outcome instanceof Error) {
          expect(outcome).toBeInstanceOf(DatasetError);
          expect((outcome as DatasetError).file).toContain('memory');
          return;
        }
        const dataset = outcome as Dataset;
        for (let index = 0; index < dataset.length; index++) {
          const { width, height, annotations: faces } = dataset.record(index);
          expect(width > 0 && height > 0).toBe(true);
          for (const { box, area } of faces) {
            expect([...box, area].every(Number.isFinite)).toBe(true);
            expect(box[0] < width && box[1] < height && box[2] > 0 && box[3] > 0 && area >= 0).toBe(true);
          }
        }
      },
    ),
    { numRuns: 1000 },
  );
});
