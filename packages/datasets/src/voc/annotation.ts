// One annotation file of PASCAL VOC: the picture's size and its objects, every field checked where it stands.
import { type Fault, isFault, quoted } from '../fault.ts';
import type { Attributes } from '../types.ts';
import { type BoxNumbers, boxOf } from './box.ts';
import { childOf, flagOf, numberOf, textOf } from './fields.ts';
import { parseXml, type XmlElement } from './xml.ts';

/** What an annotation file says. */
export interface VocAnnotation {
  /** The name of the picture, where the file gives one. */
  readonly filename: string | undefined;
  /** Undefined where the file leaves it out or says 0: then the picture tells. */
  readonly size: readonly [width: number, height: number] | undefined;
  /** Objects and what is wrong with those that cannot be used, in the order of the file. */
  readonly objects: readonly (VocObject | Fault)[];
}

/** One object of an annotation file. */
export interface VocObject {
  readonly className: string;
  /** Where in the file, as in `Problem.place`. */
  readonly place: string;
  readonly box: BoxNumbers;
  readonly area: number | undefined;
  readonly isCrowd: boolean;
  readonly isIgnored: boolean;
  readonly isDifficult: boolean;
  readonly isTruncated: boolean;
  readonly attributes: Attributes | undefined;
}

/**
 * What an annotation file says, or what is wrong with the file as a whole.
 *
 * Units    boxes as x, y, width and height in pixels with half-open edges: the file's corners are 1-based and inclusive,
 *          so x = xmin - 1, y = ymin - 1, width = xmax - x, height = ymax - y
 * Source   the PASCAL VOC development kit; `iscrowd`, `ignore`, `area`, `box` and `attributes` are additions that
 *          keep what other formats know
 * Example  parseAnnotation(bytes)
 */
export const parseAnnotation = (bytes: Uint8Array): VocAnnotation | Fault => {
  const root = parseXml(bytes);
  if (isFault(root)) return root;
  if (root.name !== 'annotation')
    return {
      kind: 'malformed file',
      place: `line ${root.line}`,
      sentence: `needs <annotation> as the outermost element, got <${root.name}>. Choose a PASCAL VOC annotation file.`,
    };
  const size = readSize(root);
  if (isFault(size)) return size;
  return {
    filename: textOf(root, 'filename'),
    size: size === 'unknown' ? undefined : size,
    objects: root.children.filter(({ name }) => name === 'object').map(readObject),
  };
};

const readSize = (root: XmlElement): readonly [number, number] | Fault | 'unknown' => {
  const size = childOf(root, 'size');
  if (size === undefined) return 'unknown';
  const sides: number[] = [];
  for (const name of ['width', 'height']) {
    const side = textOf(size, name) ?? '0';
    if (!/^\d{1,9}$/.test(side))
      return {
        kind: 'wrong field',
        place: `line ${size.line}, size.${name}`,
        sentence: `needs a whole number of pixels, got ${quoted(side)}. Correct the file.`,
      };
    sides.push(Number(side));
  }
  const [width, height] = sides as [number, number];
  return width > 0 && height > 0 ? [width, height] : 'unknown';
};

const readObject = (element: XmlElement, index: number): VocObject | Fault => {
  const place = `line ${element.line}, object[${index}]`;
  const className = textOf(element, 'name');
  if (className === undefined)
    return {
      kind: 'wrong field',
      place: `${place}.name`,
      sentence: 'needs the name of a class, got nothing. Correct or remove the object.',
    };
  const flags = readFlags(element, place);
  if (isFault(flags)) return flags;
  const box = boxOf(element, place);
  if (isFault(box)) return box;
  const area = numberOf(element, 'area', place);
  if (isFault(area)) return area;
  const attributes = readAttributes(element, place);
  if (isFault(attributes)) return attributes;
  return { className, place, box, area, ...flags, attributes };
};

type Flags = Pick<VocObject, 'isCrowd' | 'isIgnored' | 'isDifficult' | 'isTruncated'>;

const readFlags = (element: XmlElement, place: string): Flags | Fault => {
  const isCrowd = flagOf(element, 'iscrowd', place);
  const isIgnored = flagOf(element, 'ignore', place);
  const isDifficult = flagOf(element, 'difficult', place);
  const isTruncated = flagOf(element, 'truncated', place);
  for (const flag of [isCrowd, isIgnored, isDifficult, isTruncated]) if (isFault(flag)) return flag;
  return {
    isCrowd: isCrowd === true,
    isIgnored: isIgnored === true,
    isDifficult: isDifficult === true,
    isTruncated: isTruncated === true,
  };
};

const readAttributes = (element: XmlElement, place: string): Attributes | undefined | Fault => {
  const found: [string, string | number | boolean][] = [];
  const pose = textOf(element, 'pose');
  if (pose !== undefined && pose !== 'Unspecified') found.push(['pose', pose]);
  const occluded = flagOf(element, 'occluded', place);
  if (isFault(occluded)) return occluded;
  if (occluded !== undefined) found.push(['occluded', occluded]);
  for (const entry of childOf(element, 'attributes')?.children ?? []) {
    const value = readAttribute(entry, place);
    if (isFault(value)) return value;
    found.push(value);
  }
  return found.length === 0 ? undefined : Object.fromEntries(found);
};

/** `<attribute>` with `<name>`, `<value>` and, where the value is no text, `<type>`. */
const readAttribute = (entry: XmlElement, place: string): [string, string | number | boolean] | Fault => {
  const name = textOf(entry, 'name');
  const value = textOf(entry, 'value') ?? '';
  if (name === undefined)
    return {
      kind: 'wrong field',
      place: `${place}.attributes`,
      sentence: 'needs a name for every attribute, got nothing. Correct the file.',
    };
  const type = textOf(entry, 'type');
  if (type === 'boolean') return [name, value === 'true'];
  if (type !== 'number') return [name, value];
  const number = numberOf(entry, 'value', `${place}.attributes.${name}`);
  return isFault(number) ? number : [name, number ?? 0];
};
