// Reads one annotation file in a process of its own, whose memory tells what it took: options as an argument, the result as a message.
import { readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { performance } from 'node:perf_hooks';
import {
  type Dataset,
  type FileSource,
  openCoco,
  openObjects365,
  sourceOfFolder,
} from '@autoassign/datasets';
import { type FileSizes, pictureName } from './generate.ts';
import { type Sums, sumsOf } from './sums.ts';

/** What to read, and how. */
export interface ReadOptions extends Pick<FileSizes, 'format' | 'images'> {
  readonly path: string;
  /** JSON.parse, this package without its cache, or with it. */
  readonly how: 'JSON.parse' | 'open' | 'open with cache';
}

/** What reading took, and what was found. */
export interface ReadResult {
  readonly milliseconds: number;
  /** Time of the processor, over all threads. */
  readonly cpuMilliseconds: number;
  /** Most memory the process held while it read, in MiB. */
  readonly residentMiB: number;
  readonly sums: Sums;
}

interface CocoFile {
  readonly images: readonly { id: number; width: number; height: number; file_name: string }[];
  readonly annotations: readonly {
    id: number;
    image_id: number;
    category_id: number;
    bbox: readonly number[];
    area: number;
    iscrowd: number;
  }[];
}

const sumsOfFile = ({ images, annotations }: CocoFile): Sums => {
  const sums = sumsOf();
  for (const { id, width, height, file_name } of images) sums.addImage(id, width, height, file_name);
  for (const { id, image_id, category_id, bbox, area, iscrowd } of annotations)
    sums.addObject([id, image_id, category_id, ...bbox, area, iscrowd]);
  return sums.all();
};

const sumsOfDataset = (dataset: Dataset): Sums => {
  const sums = sumsOf();
  for (let i = 0; i < dataset.length; i++) {
    const { id: image, width, height, file, annotations } = dataset.record(i);
    sums.addImage(image, width, height, file);
    for (const { id, label, box, size, area, isCrowd } of annotations)
      sums.addObject([
        id,
        image,
        dataset.categoryIds[label]!,
        box[0],
        box[1],
        ...size,
        area,
        isCrowd ? 1 : 0,
      ]);
  }
  return sums.all();
};

/** The folder of the file, with a listing of pictures that are not there: reading annotations does not need them. */
const sourceWithPictures = ({ path, format, images }: ReadOptions): FileSource => {
  const listings = new Map<string, string[]>([['', [basename(path)]]]);
  const fill = (): void => {
    for (let i = 0; i < images; i++) {
      const file = `${format === 'coco' ? 'images/' : ''}${pictureName(i, format)}`;
      const names = listings.get(dirname(file)) ?? [];
      names.push(basename(file));
      listings.set(dirname(file), names);
    }
  };
  return {
    ...sourceOfFolder(dirname(path)),
    list: async (folder) => {
      if (listings.size === 1 && folder !== '') fill();
      return listings.get(folder) ?? [];
    },
  };
};

const options = JSON.parse(process.argv[2]!) as ReadOptions;
const open = options.format === 'coco' ? openCoco : openObjects365;
const cpuBefore = process.cpuUsage();
const start = performance.now();
const found =
  options.how === 'JSON.parse'
    ? (JSON.parse(readFileSync(options.path, 'utf8')) as CocoFile)
    : await open(sourceWithPictures(options), {
        annotations: basename(options.path),
        cache: options.how === 'open with cache',
      });
const milliseconds = performance.now() - start;
const cpu = process.cpuUsage(cpuBefore);
const cpuMilliseconds = (cpu.user + cpu.system) / 1e3;
const residentMiB = process.resourceUsage().maxRSS / 1024;
const sums = 'annotations' in found ? sumsOfFile(found) : sumsOfDataset(found);
const result: ReadResult = { milliseconds, cpuMilliseconds, residentMiB, sums };
process.send!(result, () => process.exit(0));
