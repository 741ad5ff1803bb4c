// Name tags of boxes: where they go so that they can be read, and how they look.
import { textColourOn } from './colours.ts';
import { drawText, textWidth } from './glyphs.ts';
import type { Box } from './pictures.ts';
import type { Point, SvgElement } from './svg.ts';
import { element } from './svg.ts';

/** A tag to place: its words, its colour and the box it belongs to, in screen pixels. */
export interface Label {
  readonly text: string;
  readonly colour: string;
  readonly box: Box;
}

const letterSize = 8;
const padding = 3;
const labelHeight = letterSize + 2 * padding + 1;

/** The area that two boxes share. */
function overlap(a: Box, b: Box): number {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  return Math.max(0, width) * Math.max(0, height);
}

/** Places for a tag of the given size around its box, the best first. */
function candidates([left, top, right, bottom]: Box, width: number): readonly Point[] {
  return [
    [left, top - labelHeight],
    [left, bottom],
    [right - width, top - labelHeight],
    [right - width, bottom],
    [left, top],
    [left, bottom - labelHeight],
    [right, top],
    [left - width, top],
    [right, bottom - labelHeight],
    [left - width, bottom - labelHeight],
  ];
}

/**
 * The place of every label: inside the picture, and clear of the labels before it wherever that can be.
 *
 * Units    screen pixels
 */
export function placeLabels(
  labels: readonly Label[],
  picture: { readonly width: number; readonly height: number },
): readonly Box[] {
  const placed: Box[] = [];
  for (const { text, box } of labels) {
    const width = textWidth(text, letterSize) + 2 * padding;
    const boxes = candidates(box, width).map(([x, y]): Box => {
      const left = Math.max(0, Math.min(x, picture.width - width));
      const top = Math.max(0, Math.min(y, picture.height - labelHeight));
      return [left, top, left + width, top + labelHeight];
    });
    const hidden = (candidate: Box): number =>
      placed.reduce((sum, other) => sum + overlap(candidate, other), 0);
    const best = boxes.reduce((chosen, candidate) =>
      hidden(candidate) < hidden(chosen) ? candidate : chosen,
    );
    placed.push(best);
  }
  return placed;
}

/** The labels drawn at the places that `placeLabels` finds for them. */
export function drawLabels(
  labels: readonly Label[],
  picture: { readonly width: number; readonly height: number },
): readonly SvgElement[] {
  const places = placeLabels(labels, picture);
  return labels.map(({ text, colour }, index) => {
    const [left, top, right, bottom] = places[index] ?? [0, 0, 0, 0];
    const tag = { x: left, y: top, width: right - left, height: bottom - top, rx: 2, fill: colour };
    const letters = { size: letterSize, colour: textColourOn(colour) };
    return element('g', {}, [
      element('rect', { ...tag, 'fill-opacity': 0.88 }),
      drawText(text, left + padding, bottom - padding - 0.5, letters),
    ]);
  });
}
