// Links that lead out of a dataset's folder: refused one by one where that is possible, and named.
import { DatasetError, openVoc, openWiderFace } from '@autoassign/datasets';
import { expect, test } from 'vitest';
import { failureOf } from './failure.ts';
import { type Files, memorySource } from './memory.ts';
import { vocFiles } from './voc/samples.ts';
import { parade, widerFiles } from './widerface/samples.ts';

/** A source in which some paths are links that lead elsewhere. */
const withLinks = (files: Files, links: readonly string[]) => {
  const source = memorySource(files);
  const refuse = async (path: string): Promise<void> => {
    if (links.includes(path))
      throw new DatasetError(
        `openFolder(memory): needs files inside the folder, got ${path}, a link to /etc. Put the files into the folder.`,
        { file: path },
      );
  };
  return {
    ...source,
    read: (path: string) => refuse(path).then(() => source.read(path)),
    list: (path: string) => refuse(path).then(() => source.list(path)),
  };
};

test('an annotation, a picture, a folder of pictures', async () => {
  const files = await vocFiles();
  const annotation = withLinks(files, ['Annotations/a.xml']);
  expect((await openVoc(annotation, { split: 'train' })).report.problems).toMatchObject([
    {
      kind: 'unsafe path',
      message:
        'openVoc(memory/Annotations/a.xml): needs files inside the folder, got Annotations/a.xml, a link to /etc. Put the files into the folder.',
    },
  ]);
  const dataset = await openVoc(withLinks(files, ['JPEGImages/a.jpg']), { split: 'train' });
  expect((await failureOf(() => dataset.at(1))).message).toMatch(/a link to \/etc/);
  const folder = withLinks(files, ['JPEGImages']);
  expect((await failureOf(() => openVoc(folder, { split: 'train' }))).message).toMatch(
    /2 problems.*a link to \/etc/,
  );
  const wider = withLinks(await widerFiles(), [`WIDER_val/images/${parade}`]);
  expect((await openWiderFace(wider, { split: 'val' })).report.problems).toMatchObject([
    { kind: 'unsafe path', image: parade },
  ]);
});
