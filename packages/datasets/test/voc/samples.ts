// PASCAL VOC folders for the tests: annotation files written from plain values, lists and small pictures.
import { folderWith, jpegOf } from '../samples.ts';

/** One object as an annotation file gives it: corners counted from 1, both inside. */
export interface WrittenObject {
  readonly name: string;
  readonly corners: readonly [
    xmin: number | string,
    ymin: number | string,
    xmax: number | string,
    ymax: number | string,
  ];
  /** Further elements, written as they are. */
  readonly more?: string;
}

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

const objectXml = ({ name, corners, more = '' }: WrittenObject): string => {
  const [xmin, ymin, xmax, ymax] = corners;
  return `  <object>
    <name>${escaped(name)}</name>${more}
    <bndbox><xmin>${xmin}</xmin><ymin>${ymin}</ymin><xmax>${xmax}</xmax><ymax>${ymax}</ymax></bndbox>
  </object>
`;
};

/** An annotation file of a picture of 40x32 pixels, unless `size` says otherwise. */
export const annotationXml = (
  filename: string,
  objects: readonly WrittenObject[],
  size = '<size><width>40</width><height>32</height><depth>3</depth></size>',
): string => `<annotation>
  <folder>VOC2007</folder>
  <filename>${escaped(filename)}</filename>
  ${size}
${objects.map(objectXml).join('')}</annotation>
`;

/** A folder of two pictures, one of them with two objects, in the splits train (both) and test (the second). */
export const vocFiles = async (): Promise<Record<string, Uint8Array | string>> => {
  const jpeg = await jpegOf(40, 32);
  const dog: WrittenObject = {
    name: 'dog',
    corners: [3, 4, 12, 16],
    more: '<pose>Left</pose><truncated>1</truncated><occluded>0</occluded><difficult>1</difficult>',
  };
  return {
    'Annotations/a.xml': annotationXml('a.jpg', [dog, { name: 'cat', corners: [1, 1, 40, 32] }]),
    'Annotations/b.xml': annotationXml('b.jpg', []),
    'ImageSets/Main/train.txt': 'b\na\n',
    'ImageSets/Main/test.txt': 'b\n',
    'ImageSets/Main/dog_train.txt': 'b -1\na  1\n',
    'JPEGImages/a.jpg': jpeg,
    'JPEGImages/b.jpg': jpeg,
  };
};

/** The same files below a folder. */
export const below = (
  folder: string,
  files: Readonly<Record<string, Uint8Array | string>>,
): Record<string, Uint8Array | string> =>
  Object.fromEntries(Object.entries(files).map(([path, content]) => [`${folder}/${path}`, content]));

/** A folder on disk of those files, changed by `spoil`. */
export const vocFolder = async (
  spoil: (files: Record<string, Uint8Array | string>) => void = () => undefined,
): Promise<string> => {
  const files = await vocFiles();
  spoil(files);
  return folderWith(files);
};
