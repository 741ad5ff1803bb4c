// Detections against ground truth on one image: dashed boxes are the truth, solid ones what was found.
import { classColour } from './colours.ts';
import { drawText } from './glyphs.ts';
import type { Label } from './labels.ts';
import { drawLabels } from './labels.ts';
import type { Box, Picture, RasterImage } from './pictures.ts';
import { collage, displayScale, drawnImage, faintInkColour } from './pictures.ts';
import type { SvgElement, SvgNode } from './svg.ts';
import { element } from './svg.ts';

/** An object that an annotation names. */
export interface TrueObject {
  readonly box: Box;
  readonly label: number;
}

/** An object that the detector found. */
export interface FoundObject extends TrueObject {
  readonly score: number;
}

/** What to draw: an image with its true and found objects; `classNames[label]` is the name of a class. */
export interface DetectionScene {
  readonly image: RasterImage;
  /** Absent where there are no annotations. */
  readonly truth?: readonly TrueObject[];
  readonly detections: readonly FoundObject[];
  readonly classNames: readonly string[];
  /** A line under the picture, such as the file's name. */
  readonly caption?: string;
}

/** How the truth is shown: beside the detections with its names, or under them as dashes. */
export type DetectionLayout = 'sideBySide' | 'overlaid';

const boxLine = 2;
const captionHeight = 22;
const panelGap = 4;

/** A box in pixels of the image as one in screen pixels. */
export function scaledBox(box: Box, scale: number): Box {
  return [box[0] * scale, box[1] * scale, box[2] * scale, box[3] * scale];
}

/** The box moved to the middle of pixels, where a line of one pixel is sharp. */
function onPixels(box: Box): Box {
  return [box[0] + 0.5, box[1] + 0.5, box[2] + 0.5, box[3] + 0.5];
}

function outline([left, top, right, bottom]: Box, attributes: Record<string, string | number>): SvgElement {
  const size = { x: left, y: top, width: Math.max(0, right - left), height: Math.max(0, bottom - top) };
  return element('rect', { ...size, fill: 'none', ...attributes });
}

/** A solid box in its class's colour, with a dark edge that sets it off from bright images. */
export function solidBox(box: Box, colour: string): readonly SvgElement[] {
  return [
    outline(box, { stroke: '#000000', 'stroke-opacity': 0.55, 'stroke-width': boxLine + 2 }),
    outline(box, { stroke: colour, 'stroke-width': boxLine }),
  ];
}

/** A dashed box: black under dashes of the colour, so that it shows on anything, a solid box included. */
export function dashedBox(box: Box, colour: string, width: number): readonly SvgElement[] {
  return [
    outline(box, { stroke: '#000000', 'stroke-opacity': 0.75, 'stroke-width': width }),
    outline(box, { stroke: colour, 'stroke-width': width, 'stroke-dasharray': '5 4' }),
  ];
}

function nameOf(label: number, classNames: readonly string[]): string {
  return classNames[label] ?? `class ${label}`;
}

function drawTruth(scene: DetectionScene, scale: number): readonly SvgNode[] {
  const truth = scene.truth ?? [];
  const labels = truth.map(
    ({ box, label }): Label => ({
      text: nameOf(label, scene.classNames),
      colour: classColour(label),
      box: scaledBox(box, scale),
    }),
  );
  return [
    ...truth.flatMap(({ box, label }) => dashedBox(scaledBox(box, scale), classColour(label), boxLine)),
    ...drawLabels(labels, sizeOf(scene.image, scale)),
  ];
}

function sizeOf(image: RasterImage, scale: number): { readonly width: number; readonly height: number } {
  return { width: image.width * scale, height: image.height * scale };
}

function drawDetections(scene: DetectionScene, scale: number, withTruth: boolean): readonly SvgNode[] {
  const weakestFirst = [...scene.detections].sort((a, b) => a.score - b.score);
  const labels = [...weakestFirst].reverse().map(
    ({ box, label, score }): Label => ({
      text: `${nameOf(label, scene.classNames)} ${score.toFixed(2)}`,
      colour: classColour(label),
      box: scaledBox(box, scale),
    }),
  );
  return [
    ...weakestFirst.flatMap(({ box, label }) => solidBox(scaledBox(box, scale), classColour(label))),
    ...(withTruth
      ? (scene.truth ?? []).flatMap(({ box }) => dashedBox(onPixels(scaledBox(box, scale)), '#ffffff', 1))
      : []),
    ...drawLabels(labels, sizeOf(scene.image, scale)),
  ];
}

/**
 * The picture of one image with its detections and, where known, its ground truth.
 *
 * Units    `target` is the length in screen pixels that the longer side of the image is brought near to
 */
export function detectionPicture(
  scene: DetectionScene,
  { layout, target = 384 }: { readonly layout: DetectionLayout; readonly target?: number },
): Picture {
  const scale = displayScale(scene.image, target);
  const isPair = layout === 'sideBySide' && scene.truth !== undefined;
  const found = drawnImage(scene.image, scale, drawDetections(scene, scale, !isPair));
  const panels = isPair ? [drawnImage(scene.image, scale, drawTruth(scene, scale)), found] : [found];
  const words = isPair ? [`truth (${scene.truth?.length ?? 0})`, `found (${scene.detections.length})`] : [''];
  const parts = panels.map((picture, index) => ({
    picture,
    at: [index * (found.width + panelGap), 0] as const,
  }));
  const captions = parts.map(({ at: [left] }, index) => {
    const caption = [index === 0 ? scene.caption : undefined, words[index]].filter(Boolean).join('  ·  ');
    return drawText(caption, left + 1, found.height + captionHeight - 8, { size: 8, colour: faintInkColour });
  });
  const width = panels.length * (found.width + panelGap) - panelGap;
  return collage(width, found.height + captionHeight, parts, captions);
}
