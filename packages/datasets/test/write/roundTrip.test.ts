// What is written reads back the same: through PASCAL VOC, and through COCO.
import type { Dataset } from '@autoassign/datasets';
import { openCoco, openObjects365, openVoc, openWiderFace, writeCoco, writeVoc } from '@autoassign/datasets';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { folderWith, jpegOf } from '../samples.ts';
import { widerFiles } from '../widerface/samples.ts';
import { anyDataset, withoutIds } from './datasets.ts';
import { memoryFolder, textOf } from './memory.ts';

const picture = new Uint8Array([1]);

test('through VOC and back, every record is the same but for its ids', async () => {
  await fc.assert(
    fc.asyncProperty(anyDataset, async (dataset) => {
      const folder = memoryFolder();
      const { pictures } = await writeVoc(folder.writer, { train: dataset });
      for (const { path } of pictures) folder.files.set(path, picture);
      const opened = await openVoc(folder.source, { split: 'train' });
      expect(opened.report.problems).toEqual([]);
      expect(withoutIds(opened)).toEqual(withoutIds(dataset));
    }),
    { numRuns: 40 },
  );
});

test('from VOC to COCO and back to VOC, every record is the same but for its ids', async () => {
  await fc.assert(
    fc.asyncProperty(anyDataset, async (dataset) => {
      const [voc, coco, again] = [memoryFolder(), memoryFolder(), memoryFolder()];
      for (const { path } of (await writeVoc(voc.writer, { a: dataset })).pictures)
        voc.files.set(path, picture);
      const opened = await openVoc(voc.source);
      for (const { path } of (await writeCoco(coco.writer, { a: opened })).pictures)
        coco.files.set(path, picture);
      const between = await openCoco(coco.source);
      expect(between.report.problems).toEqual([]);
      expect(withoutIds(between)).toEqual(withoutIds(dataset));
      for (const { path } of (await writeVoc(again.writer, { a: between })).pictures)
        again.files.set(path, picture);
      expect(withoutIds(await openVoc(again.source))).toEqual(withoutIds(dataset));
    }),
    { numRuns: 40 },
  );
});

const objects365 = async (): Promise<Dataset> => {
  const file_name = 'images/v2/patch16/objects365_v2_00908726.jpg';
  const flags = { iscrowd: 0, isfake: 1, isreflected: 0 };
  const folder = await folderWith({
    'zhiyuan_objv2_val.json': {
      images: [{ id: 5, file_name, width: 40, height: 32 }],
      categories: [
        { id: 1, name: 'Person' },
        { id: 2, name: 'Sneakers' },
      ],
      annotations: [
        { id: 9, image_id: 5, category_id: 2, bbox: [1.0625, 2.3, 10.1, 12.7], area: 128.27, ...flags },
      ],
    },
    'val/patch16/objects365_v2_00908726.jpg': await jpegOf(40, 32),
  });
  return openObjects365(folder);
};

const widerFace = async (): Promise<Dataset> =>
  openWiderFace(await folderWith(await widerFiles()), { split: 'val' });

test.each([
  ['Objects365', objects365],
  ['WiderFace', widerFace],
])('%s is the same in VOC and in COCO, but for its ids', async (_, open) => {
  const dataset = await open();
  const [voc, coco] = [memoryFolder(), memoryFolder()];
  for (const { path } of (await writeVoc(voc.writer, { a: dataset })).pictures) voc.files.set(path, picture);
  for (const { path } of (await writeCoco(coco.writer, { a: dataset })).pictures)
    coco.files.set(path, picture);
  expect(dataset.record(0).annotations[0]?.attributes).toBeDefined();
  expect(withoutIds(await openVoc(voc.source))).toEqual(withoutIds(dataset));
  expect(withoutIds(await openCoco(coco.source))).toEqual(withoutIds(dataset));
});

test('a COCO file says everything that a record says', async () => {
  await fc.assert(
    fc.asyncProperty(anyDataset, async (dataset) => {
      const folder = memoryFolder();
      await writeCoco(folder.writer, { train: dataset });
      const { images, annotations, categories } = JSON.parse(
        textOf(folder, 'annotations/instances_train.json'),
      );
      expect(categories.map(({ name }: { name: string }) => name)).toEqual(dataset.classes);
      for (let index = 0; index < dataset.length; index++) {
        const { id, file, width, height, annotations: objects } = dataset.record(index);
        expect(images[index]).toEqual({ id, file_name: file, width, height });
        const own = annotations.filter((one: { image_id: number }) => one.image_id === id);
        expect(own).toEqual(
          objects.map((object) => ({
            id: object.id,
            image_id: id,
            category_id: object.label + 1,
            bbox: [object.box[0], object.box[1], ...object.size],
            area: object.area,
            iscrowd: Number(object.isCrowd),
            ...(object.isIgnored && { ignore: 1 }),
            ...(object.isDifficult && { difficult: 1 }),
            ...(object.isTruncated && { truncated: 1 }),
            ...(object.attributes && { attributes: object.attributes }),
          })),
        );
      }
    }),
    { numRuns: 50 },
  );
});
