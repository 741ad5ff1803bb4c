// The readers in a browser: folders that cannot be listed, with the files named by the options.
import { type Dataset, openVoc, openWiderFace, renderShapes } from '@autoassign/datasets';
import { expect, test } from 'vitest';
import { platform } from '../../src/platform/browser/index.ts';
import { memorySource } from '../memory.ts';

const jpeg = await platform.encodeJpeg(renderShapes(0, 3).pixels, 95);

const firstSample = async (dataset: Dataset) => {
  const { file, annotations, pixels } = await dataset.at(0);
  return { file, boxes: annotations.map(({ box }) => box), size: [pixels.width, pixels.height] };
};

test('PASCAL VOC: the list of the split names the files; Latin-1 where the file says so', async () => {
  const xml = `<?xml version="1.0" encoding="ISO-8859-1"?><annotation><filename>caf\u00e9.jpg</filename>
    <object><name>caf\u00e9</name><bndbox><xmin>3</xmin><ymin>4</ymin><xmax>12</xmax><ymax>16</ymax></bndbox></object></annotation>`;
  const files = {
    'VOC2007/ImageSets/Main/train.txt': 'a\r\n',
    'VOC2007/Annotations/a.xml': Uint8Array.from(xml, (character) => character.charCodeAt(0)),
    'VOC2007/JPEGImages/a.jpg': jpeg,
  };
  const dataset = await openVoc(memorySource(files, { canList: false }), { split: 'train', years: [2007] });
  expect(dataset.classes).toEqual(['caf\u00e9']);
  expect(await firstSample(dataset)).toEqual({
    file: 'VOC2007/a.jpg',
    boxes: [[2, 3, 12, 16]],
    size: [128, 128],
  });
});

test('WiderFace: the annotation file is named, sizes come from the first pieces of the pictures', async () => {
  const annotations = 'wider_face_split/wider_face_val_bbx_gt.txt';
  const files = {
    [annotations]: '0--Parade/a.jpg\n1\n4 5 12 10 0 0 0 0 0 0\n',
    'WIDER_val/images/0--Parade/a.jpg': jpeg,
  };
  const source = memorySource(files, { canList: false, pieceLength: 1024 });
  expect(await firstSample(await openWiderFace(source, { annotations }))).toEqual({
    file: '0--Parade/a.jpg',
    boxes: [[4, 5, 16, 15]],
    size: [128, 128],
  });
});
