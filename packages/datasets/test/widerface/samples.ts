// WiderFace folders for the tests: annotation files written from plain values, and small pictures.
import { jpegOf } from '../samples.ts';

/** A line of an annotation file: x, y, width, height, blur, expression, illumination, invalid, occlusion, pose. */
export type FaceLine = readonly (number | string)[];

/** An annotation file; `ofNone` is what follows a count of 0. */
export const widerText = (
  images: readonly (readonly [path: string, faces: readonly FaceLine[]])[],
  ofNone = '0 0 0 0 0 0 0 0 0 0 \n',
): string =>
  images
    .map(([path, faces]) => {
      const lines = faces.map((face) => `${face.join(' ')} \n`).join('');
      return `${path}\n${faces.length}\n${faces.length === 0 ? ofNone : lines}`;
    })
    .join('');

/** The paths of the two pictures, which are 40x32 and, turned upright, 32x40 pixels. */
export const parade = '0--Parade/0_Parade_marchingband_1_849.jpg';
export const dresses = '59--people--driving--car/59_peopledrivingcar_peopledrivingcar_59_1.jpg';

/** A folder with the split val of two pictures, the first of two faces, and the split test of the same pictures without. */
export const widerFiles = async (): Promise<Record<string, Uint8Array | string>> => {
  const pictures = { [parade]: await jpegOf(40, 32), [dresses]: await jpegOf(32, 40) };
  const faces = [
    [4, 5, 12, 10, 2, 1, 0, 0, 2, 1],
    [20, 1, 6, 7, 0, 0, 1, 1, 0, 0],
  ];
  return {
    'wider_face_split/wider_face_val_bbx_gt.txt': widerText([
      [parade, faces],
      [dresses, []],
    ]),
    'wider_face_split/wider_face_test_filelist.txt': `${dresses}\n${parade}\n`,
    'wider_face_split/readme.txt': 'hello',
    ...Object.fromEntries(
      ['val', 'test'].flatMap((split) =>
        Object.entries(pictures).map(([path, bytes]) => [`WIDER_${split}/images/${path}`, bytes]),
      ),
    ),
  };
};
