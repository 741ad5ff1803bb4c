// Annotation files as large as real ones: COCO with its segmentations, and Objects365, which is longer than the longest string.
import { closeSync, openSync, statSync, writeSync } from 'node:fs';
import { type Sums, sumsOf } from './sums.ts';

/** What a generated file is like. */
export interface FileSizes {
  readonly format: 'coco' | 'objects365';
  readonly images: number;
  readonly objects: number;
  readonly seed: number;
}

/** A file that was generated. */
export interface GeneratedFile {
  readonly bytes: number;
  /** What a reader has to find in it. */
  readonly sums: Sums;
}

type Random = (below: number) => number;

/** Integers that repeat for a seed: a counter, its bits mixed. */
const randomNumbers = (seed: number): Random => {
  let state = (seed + 0x9e3779b9) | 0;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
};

/** The id of image `i`: in no order, as in COCO. */
const imageId = (i: number): number => (i * 7919) % 1_000_003;

/** The name of picture `i` in its file. */
export const pictureName = (i: number, format: FileSizes['format']): string => {
  const digits = String(imageId(i)).padStart(format === 'coco' ? 12 : 8, '0');
  return format === 'coco' ? `${digits}.jpg` : `images/v1/patch${i % 51}/objects365_v1_${digits}.jpg`;
};

const [imageWidth, imageHeight] = [640, 480];

const imageText = (i: number, format: FileSizes['format']): string => {
  const name = pictureName(i, format);
  const size = `"height": ${imageHeight},"width": ${imageWidth}`;
  return format === 'coco'
    ? `{"license": ${i % 8},"file_name": "${name}","coco_url": "http://images.cocodataset.org/train2017/${name}",${size},"date_captured": "2013-11-14 11:18:45","flickr_url": "http://farm9.staticflickr.com/8186/${i}_z.jpg","id": ${imageId(i)}}`
    : `{${size},"id": ${imageId(i)}, "license": 5, "file_name": "${name}", "url": ""}`;
};

/** One object: its text, and the numbers in it. */
const object = (
  i: number,
  { format, images }: FileSizes,
  random: Random,
): [text: string, numbers: number[]] => {
  const image = imageId(random(images));
  const [x, y] = [random(50_000) / 100, random(40_000) / 100];
  const [width, height] = [1 + random(13_000) / 100, 1 + random(7_000) / 100];
  const crowd = random(100) === 0 ? 1 : 0;
  if (format === 'objects365') {
    const [area, category] = [width * height, 1 + random(365)];
    const text = `{"id": ${i + 1}, "iscrowd": ${crowd}, "isfake": ${random(99) === 0 ? 1 : 0}, "area": ${area}, "isreflected": 0, "bbox": [${x}, ${y}, ${width}, ${height}], "image_id": ${image}, "category_id": ${category}}`;
    return [text, [i + 1, image, category, x, y, width, height, area, crowd]];
  }
  const corners = Array.from(
    { length: 4 + random(28) },
    () => `${(x + random(10_000) / 100).toFixed(2)},${(y + random(10_000) / 100).toFixed(2)}`,
  );
  const [area, category] = [width * height * 0.7, 1 + random(80)];
  const text = `{"segmentation": [[${corners.join(',')}]],"area": ${area},"iscrowd": ${crowd},"image_id": ${image},"bbox": [${x},${y},${width},${height}],"category_id": ${category},"id": ${i + 1}}`;
  return [text, [i + 1, image, category, x, y, width, height, area, crowd]];
};

/** Text that is written in large pieces. */
const pieceWriter = (path: string) => {
  const file = openSync(path, 'w');
  let pending: string[] = [];
  let length = 0;
  const flush = (): void => {
    writeSync(file, pending.join(''));
    pending = [];
    length = 0;
  };
  return {
    add: (text: string): void => {
      pending.push(text);
      length += text.length;
      if (length > 1 << 22) flush();
    },
    end: (): void => {
      flush();
      closeSync(file);
    },
  };
};

/** Writes a file, and tells what is in it. */
export const generateFile = (path: string, sizes: FileSizes): GeneratedFile => {
  const { format, images, objects, seed } = sizes;
  const random = randomNumbers(seed);
  const sums = sumsOf();
  const { add, end } = pieceWriter(path);
  const section = (name: string, count: number, entry: (i: number) => string): void => {
    add(`"${name}": [`);
    for (let i = 0; i < count; i++) add(i === 0 ? entry(i) : `, ${entry(i)}`);
    add(']');
  };
  add('{"info": {"description": "generated"}, ');
  section('images', images, (i) => {
    sums.addImage(imageId(i), imageWidth, imageHeight, pictureName(i, format));
    return imageText(i, format);
  });
  add(', ');
  section('annotations', objects, (i) => {
    const [text, numbers] = object(i, sizes, random);
    sums.addObject(numbers);
    return text;
  });
  add(', ');
  section(
    'categories',
    format === 'coco' ? 80 : 365,
    (i) => `{"supercategory": "thing","id": ${i + 1},"name": "class ${i + 1}"}`,
  );
  add('}');
  end();
  return { bytes: statSync(path).size, sums: sums.all() };
};
