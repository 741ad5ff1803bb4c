// What label assignment is about, for one object: the positive weight of every location on every FPN level,
// and the centre prior of the object's class where there is one.
import { viridis } from './colours.ts';
import { drawText } from './glyphs.ts';
import type { Box, Picture, RasterImage } from './pictures.ts';
import { collage, displayScale, drawnImage, faintInkColour, inkColour } from './pictures.ts';
import type { Point, SvgElement, SvgNode } from './svg.ts';
import { element } from './svg.ts';

/** The positive weights of one object on one FPN level: location (row, column) is the pixel (column, row) · stride. */
export interface LevelWeights {
  readonly stride: number;
  readonly rows: number;
  readonly columns: number;
  /** Row by row. */
  readonly weights: Float32Array;
}

/** One object and how its locations were weighted. */
export interface AssignmentScene {
  readonly image: RasterImage;
  readonly box: Box;
  readonly label: number;
  readonly className: string;
  /** The object's weighted confidence r, the sum of weight times confidence over all locations. */
  readonly confidence: number;
  /** Finest level first; the weights of all levels together add up to 1. */
  readonly levels: readonly LevelWeights[];
  /** The centre prior of the object's class, in strides of whichever level it is used on; absent where locations are not weighted by one. */
  readonly prior?: { readonly mean: Point; readonly sigma: Point };
}

const margin = 14;
const headingHeight = 46;
const captionHeight = 46;
const priorColour = '#ff5c8a';
const boxColour = '#ffffff';

/** An image in grey at half its brightness, so that colours drawn over it can be read. */
export function fade(image: RasterImage): RasterImage {
  const data = new Uint8Array(image.data.length);
  for (let at = 0; at + 2 < data.length; at += 3) {
    const [red = 0, green = 0, blue = 0] = image.data.subarray(at, at + 3);
    data.fill(Math.round(0.55 * (0.299 * red + 0.587 * green + 0.114 * blue)), at, at + 3);
  }
  return { ...image, data };
}

function sumOf({ weights }: LevelWeights): number {
  return weights.reduce((sum, weight) => sum + weight, 0);
}

/** The cells of a level, one stride wide around their location; colour and strength grow with the weight. */
function drawCells(level: LevelWeights, scale: number): readonly SvgElement[] {
  const { stride, rows, columns, weights } = level;
  const most = weights.reduce((largest, weight) => Math.max(largest, weight), 0);
  const side = stride * scale;
  const cells: SvgElement[] = [];
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      const weight = weights[row * columns + column] ?? 0;
      if (!(weight > 0)) continue;
      const share = weight / most;
      cells.push(
        element('rect', {
          x: (column - 0.5) * side + 0.5,
          y: (row - 0.5) * side + 0.5,
          width: side - 1,
          height: side - 1,
          fill: viridis(share),
          'fill-opacity': 0.45 + 0.45 * share,
        }),
      );
    }
  }
  return cells;
}

/** A line drawn twice: dark and wide below, so that it shows on every ground. */
function lined(
  name: string,
  shape: Record<string, string | number>,
  stroke: string,
  dashes = '',
): SvgElement[] {
  const dash = dashes === '' ? {} : { 'stroke-dasharray': dashes };
  return [
    element(name, { ...shape, fill: 'none', stroke: '#000000', 'stroke-opacity': 0.6, 'stroke-width': 3.6 }),
    element(name, { ...shape, fill: 'none', stroke, 'stroke-width': 1.8, ...dash }),
  ];
}

function drawBox([left, top, right, bottom]: Box, scale: number): readonly SvgElement[] {
  const shape = {
    x: left * scale,
    y: top * scale,
    width: (right - left) * scale,
    height: (bottom - top) * scale,
  };
  return lined('rect', shape, boxColour);
}

/** The prior on one level: contours at 1 and 2 sigma around the box's centre moved by the mean, and a cross there. */
function drawPrior({ box, prior }: AssignmentScene, stride: number, scale: number): readonly SvgElement[] {
  if (prior === undefined) return [];
  const cx = ((box[0] + box[2]) / 2 + prior.mean[0] * stride) * scale;
  const cy = ((box[1] + box[3]) / 2 + prior.mean[1] * stride) * scale;
  const contour = (sigmas: number, dashes = ''): readonly SvgElement[] => {
    const [rx, ry] = prior.sigma.map((sigma) => Math.abs(sigma) * sigmas * stride * scale);
    return lined('ellipse', { cx, cy, rx: rx ?? 0, ry: ry ?? 0 }, priorColour, dashes);
  };
  const arm = 4;
  const cross = { d: `M${cx - arm} ${cy}H${cx + arm}M${cx} ${cy - arm}V${cy + arm}` };
  return [...contour(2, '5 4'), ...contour(1), ...lined('path', cross, priorColour)];
}

/** The share of all weight that a level holds, as a bar with words under its panel. */
function drawShare(level: LevelWeights, left: number, top: number, width: number): readonly SvgNode[] {
  const share = sumOf(level);
  const track = { x: left, y: top + 8, width, height: 6, rx: 3, fill: '#30363d' };
  const filled = Math.max(0, Math.min(1, share)) * width;
  const percent = `${(100 * share).toFixed(share > 0 && share < 0.0995 ? 1 : 0)}% of the weight`;
  return [
    element('rect', track),
    ...(filled > 0 ? [element('rect', { ...track, width: filled, fill: viridis(0.85) })] : []),
    drawText(`stride ${level.stride}`, left, top + 34, { size: 9.5, colour: inkColour }),
    drawText(percent, left + width, top + 34, { size: 9.5, colour: inkColour, anchor: 'end' }),
  ];
}

/** The scale from no weight to the level's largest weight, with its words; `right` is where it ends. */
function drawScale(right: number, y: number): readonly SvgNode[] {
  const [steps, width] = [24, 96];
  const words = { size: 8, colour: faintInkColour };
  const left = right - width - 74;
  return [
    drawText('weight 0', left - 6, y + 9, { ...words, anchor: 'end' }),
    ...Array.from({ length: steps }, (_, step) =>
      element('rect', {
        x: left + (step * width) / steps,
        y,
        width: width / steps + 0.5,
        height: 10,
        fill: viridis(step / (steps - 1)),
      }),
    ),
    drawText('level maximum', right, y + 9, { ...words, size: 7.4, anchor: 'end' }),
  ];
}

function drawKey({ prior }: AssignmentScene, left: number, y: number): readonly SvgNode[] {
  const words = { size: 8, colour: faintInkColour };
  const line = (x: number, stroke: string, dashes = ''): readonly SvgElement[] =>
    lined('path', { d: `M${x} ${y + 5}h20` }, stroke, dashes);
  const object = [...line(left, boxColour), drawText('object', left + 26, y + 9, words)];
  if (prior === undefined) return object;
  return [
    ...object,
    ...line(left + 84, priorColour),
    drawText('centre prior at 1 σ', left + 110, y + 9, words),
    ...line(left + 222, priorColour, '5 4'),
    drawText('and 2 σ', left + 248, y + 9, words),
  ];
}

/** Confidence and prior in numbers. */
function numbersOf({ confidence, prior }: AssignmentScene): string {
  const weighted = `r = ${confidence.toFixed(3)}`;
  if (prior === undefined) return weighted;
  const [meanX, meanY] = prior.mean;
  const [sigmaX, sigmaY] = prior.sigma.map(Math.abs);
  return `${weighted}     μ (${meanX.toFixed(2)}, ${meanY.toFixed(2)})  σ (${sigmaX?.toFixed(2)}, ${sigmaY?.toFixed(2)}) strides`;
}

/**
 * The picture of one object's assignment: the image with its box, then one panel per FPN level.
 *
 * Units    `target` is the length in screen pixels that the longer side of the image is brought near to
 * Example  await renderPicture(assignmentPicture(scene), 'png')
 */
export function assignmentPicture(
  scene: AssignmentScene,
  { target = 288 }: { readonly target?: number } = {},
): Picture {
  const scale = displayScale(scene.image, target);
  const faded = fade(scene.image);
  const panels = [
    drawnImage(scene.image, scale, drawBox(scene.box, scale)),
    ...scene.levels.map((level) =>
      drawnImage(faded, scale, [
        ...drawCells(level, scale),
        ...drawBox(scene.box, scale),
        ...drawPrior(scene, level.stride, scale),
      ]),
    ),
  ];
  const { width, height } = panels[0] ?? { width: 1, height: 1 };
  const parts = panels.map((picture, index) => ({
    picture,
    at: [margin + index * (width + margin), headingHeight] as const,
  }));
  const below = headingHeight + height;
  const sheetWidth = margin + panels.length * (width + margin);
  const drawing = [
    drawText(scene.className, margin, 30, { size: 14, colour: inkColour }),
    drawText(numbersOf(scene), sheetWidth - margin, 29, {
      size: 10,
      colour: inkColour,
      anchor: 'end',
    }),
    ...scene.levels.flatMap((level, index) =>
      drawShare(level, margin + (index + 1) * (width + margin), below, width),
    ),
    drawText('image', margin, below + 34, { size: 9.5, colour: inkColour }),
    ...drawKey(scene, margin, below + captionHeight + 6),
    ...drawScale(sheetWidth - margin, below + captionHeight + 6),
  ];
  return collage(sheetWidth, below + captionHeight + 28, parts, drawing);
}
