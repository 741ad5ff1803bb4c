// One picture with its objects as the XML of a PASCAL VOC annotation file.
import { DatasetError } from '../errors.ts';
import type { Annotation, ImageRecord } from '../types.ts';

/** An element: its name, and its text or its elements. */
type Element = readonly [name: string, content: string | number | readonly Element[]];

/**
 * The annotation file of a picture that is kept as `JPEGImages/<name>`.
 *
 * Units    corners count pixels from 1 and include the last one: xmin = x1 + 1, xmax = x2
 * Throws   DatasetError when XML cannot hold a text
 */
export const vocXml = (record: ImageRecord, name: string, classes: readonly string[]): string => {
  const { width, height, annotations } = record;
  const size: Element[] = [
    ['width', width],
    ['height', height],
    ['depth', 3],
  ];
  const head: Element[] = [
    ['folder', 'JPEGImages'],
    ['filename', name],
    ['size', size],
    ['segmented', 0],
  ];
  const objects = annotations.map((annotation): Element => ['object', objectOf(annotation, classes)]);
  return rendered(['annotation', [...head, ...objects]], '', record.file);
};

const objectOf = (annotation: Annotation, classes: readonly string[]): Element[] => {
  const { label, size, area, isCrowd, isIgnored, isDifficult, isTruncated, attributes = {} } = annotation;
  const others = Object.entries(attributes).filter(([name, value]) => !hasOwnElement(name, value));
  const { pose, occluded } = attributes;
  return [
    ['name', classes[label] ?? ''],
    ...only(isPose(pose), ['pose', String(pose)]),
    ['truncated', Number(isTruncated)],
    ...only(typeof occluded === 'boolean', ['occluded', Number(occluded)]),
    ['difficult', Number(isDifficult)],
    ...only(isCrowd, ['iscrowd', 1]),
    ...only(isIgnored, ['ignore', 1]),
    ...only(area !== size[0] * size[1], ['area', area]),
    ...boxOf(annotation),
    ...only(others.length > 0, ['attributes', others.map((attribute) => attributeOf(...attribute))]),
  ];
};

const only = (isThere: boolean, element: Element): Element[] => (isThere ? [element] : []);

/** VOC has elements of its own for these two, in these types. */
const hasOwnElement = (name: string, value: string | number | boolean): boolean =>
  (name === 'pose' && isPose(value)) || (name === 'occluded' && typeof value === 'boolean');

/** In VOC, an empty pose and "Unspecified" say that there is none. */
const isPose = (value: unknown): boolean =>
  typeof value === 'string' && value !== '' && value !== 'Unspecified';

/** The corners, and the box as annotated where the corners do not give it back. */
const boxOf = ({ box: [x, y], size: [width, height] }: Annotation): Element[] => {
  const [xmin, ymin, xmax, ymax] = [x + 1, y + 1, x + width, y + height];
  const corners: Element = [
    'bndbox',
    [
      ['xmin', xmin],
      ['ymin', ymin],
      ['xmax', xmax],
      ['ymax', ymax],
    ],
  ];
  // In doubles, the two ways to the width may differ in the last bit; and corners that do not ascend are taken for a slip.
  const isSide = (side: number, least: number, most: number): boolean =>
    most > least && most - (least - 1) === side && most - least + 1 === side;
  const isExact = xmin - 1 === x && ymin - 1 === y && isSide(width, xmin, xmax) && isSide(height, ymin, ymax);
  if (isExact) return [corners];
  const annotated: Element[] = [
    ['x', x],
    ['y', y],
    ['width', width],
    ['height', height],
  ];
  return [corners, ['box', annotated]];
};

const attributeOf = (name: string, value: string | number | boolean): Element => {
  const elements: Element[] = [
    ['name', name],
    ['value', String(value)],
  ];
  if (typeof value !== 'string') elements.push(['type', typeof value]);
  return ['attribute', elements];
};

const rendered = ([name, content]: Element, indent: string, file: string): string => {
  if (typeof content === 'number') return `${indent}<${name}>${content}</${name}>\n`;
  if (typeof content !== 'string')
    return `${indent}<${name}>\n${content.map((child) => rendered(child, `${indent}\t`, file)).join('')}${indent}</${name}>\n`;
  checkXmlText(content, `${name} of ${file}`);
  return `${indent}<${name}>${escaped(content)}</${name}>\n`;
};

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => escapes[character]!);

/**
 * Nothing, when XML keeps a text as it is.
 *
 * Throws   DatasetError for control characters, line breaks, halves of surrogate pairs, and white space at the ends
 */
export const checkXmlText = (text: string, what: string): void => {
  const isKept = [...text].every((character) => {
    const code = character.codePointAt(0)!;
    return (
      code >= 0x20 && code !== 0x7f && code !== 0xfffe && code !== 0xffff && (code < 0xd800 || code > 0xdfff)
    );
  });
  if (isKept && text === text.trim()) return;
  throw new DatasetError(
    `writeVoc(${what}): needs a text without control characters and white space at its ends, got ${JSON.stringify(text)}. Rename it, or convert to COCO.`,
    { field: what },
  );
};
