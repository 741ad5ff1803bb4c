// The box of a VOC object: 1-based inclusive corners in the file, half-open edges from here on.
import { type Fault, isFault } from '../fault.ts';
import { childOf, numberOf } from './fields.ts';
import type { XmlElement } from './xml.ts';

/** A box in pixels, from its upper left corner. */
export interface BoxNumbers {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/**
 * The box of an `<object>`, or what is wrong with its numbers.
 *
 * The pixels xmin .. xmax, counted from 1 and both inside, are [xmin - 1, xmax) with half-open edges. A box of one pixel
 * would have xmax = xmin; but such files mean a click without a drag, so that counts as a box of zero size.
 *
 * Units    pixels, half-open edges, origin 0
 * Example  boxOf(object, 'object[3]')
 */
export const boxOf = (object: XmlElement, place: string): BoxNumbers | Fault => {
  const numbers = fourNumbers(object, 'bndbox', ['xmin', 'ymin', 'xmax', 'ymax'], place);
  if (isFault(numbers)) return numbers;
  const [xmin, ymin, xmax, ymax] = numbers;
  const exact = exactBox(object, numbers, place);
  if (exact !== undefined) return exact;
  const fault = (kind: Fault['kind'], needs: string): Fault => ({
    kind,
    place: `${place}.bndbox`,
    sentence: `needs ${needs}, got a ${kind}: xmin ${xmin}, ymin ${ymin}, xmax ${xmax}, ymax ${ymax}. Correct or remove the object.`,
  });
  if (!numbers.every(Number.isFinite)) return fault('box not finite', 'four finite numbers');
  const needs = 'xmin below xmax and ymin below ymax';
  if (xmax < xmin || ymax < ymin) return fault('box of negative size', needs);
  if (xmax === xmin || ymax === ymin) return fault('box of zero size', needs);
  const x = xmin - 1;
  const y = ymin - 1;
  return { x, y, width: xmax - x, height: ymax - y };
};

/**
 * The numbers of `<box>`, an addition that keeps boxes whose numbers the corners cannot give back exactly; undefined when
 * there is none, or when it does not mean the same box as the corners, as after an edit by a program that knows only those.
 */
const exactBox = (
  object: XmlElement,
  [xmin, ymin, xmax, ymax]: FourNumbers,
  place: string,
): BoxNumbers | undefined => {
  const numbers = fourNumbers(object, 'box', ['x', 'y', 'width', 'height'], place);
  if (isFault(numbers)) return undefined;
  const [x, y, width, height] = numbers;
  const isSame = x + 1 === xmin && y + 1 === ymin && x + width === xmax && y + height === ymax;
  return isSame && width > 0 && height > 0 ? { x, y, width, height } : undefined;
};

type FourNumbers = readonly [number, number, number, number];

const fourNumbers = (
  object: XmlElement,
  element: string,
  names: readonly string[],
  place: string,
): FourNumbers | Fault => {
  const box = childOf(object, element);
  const numbers: number[] = [];
  for (const name of names) {
    const number = box && numberOf(box, name, `${place}.${element}`);
    if (isFault(number)) return number;
    if (number === undefined)
      return {
        kind: 'wrong field',
        place: `${place}.${element}`,
        sentence: `needs the number ${name}, got nothing. Correct or remove the object.`,
      };
    numbers.push(number);
  }
  return numbers as unknown as FourNumbers;
};
