// Pictures as plain data: photographs placed on a sheet with drawings over them. Put together by pure
// functions, turned into PNG or JPEG at the very end.
import sharp from 'sharp';
import { drawText } from './glyphs.ts';
import type { Point, SvgNode } from './svg.ts';
import { element, formatNumber, svgDocument } from './svg.ts';

/** Pixels in rows of red, green and blue. */
export interface RasterImage {
  readonly width: number;
  readonly height: number;
  readonly channels: 3;
  readonly data: Uint8Array;
}

/** Corners of a box in pixels of its image: left, top, right, bottom. */
export type Box = readonly [left: number, top: number, right: number, bottom: number];

/** A photograph on a sheet: where its top left corner is and how large it is shown. */
interface PlacedImage {
  readonly image: RasterImage;
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** A sheet of the given size: photographs below, drawings above. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly images: readonly PlacedImage[];
  readonly overlay: readonly SvgNode[];
}

/** The dark ground of every sheet: photographs stand out on it, on light pages and on dark ones. */
export const sheetColour = '#16191d';
/** Titles and figures on a sheet. */
export const inkColour = '#e6e9ee';
/** Captions and keys on a sheet. */
export const faintInkColour = '#9aa4b2';

/** How many screen pixels an image pixel gets: a whole number for small images, a fraction for large ones. */
export function displayScale(image: RasterImage, target: number): number {
  const ratio = target / Math.max(image.width, image.height);
  return ratio >= 1 ? Math.floor(ratio) : ratio;
}

/** An image drawn at its display scale with a drawing over it, which is clipped at the image's edge. */
export function drawnImage(image: RasterImage, scale: number, drawing: readonly SvgNode[]): Picture {
  const [width, height] = [
    Math.max(1, Math.round(image.width * scale)),
    Math.max(1, Math.round(image.height * scale)),
  ];
  const clipped = element('svg', { x: 0, y: 0, width, height, overflow: 'hidden' }, drawing);
  return { width, height, images: [{ image, left: 0, top: 0, width, height }], overlay: [clipped] };
}

/** One sheet of the given size that holds pictures, each with its top left corner at its place. */
export function collage(
  width: number,
  height: number,
  parts: readonly { readonly picture: Picture; readonly at: Point }[],
  drawing: readonly SvgNode[] = [],
): Picture {
  return {
    width,
    height,
    images: parts.flatMap(({ picture, at: [left, top] }) =>
      picture.images.map((placed) => ({ ...placed, left: placed.left + left, top: placed.top + top })),
    ),
    overlay: [
      ...parts.map(({ picture, at: [left, top] }) =>
        element('g', { transform: `translate(${formatNumber(left)} ${formatNumber(top)})` }, picture.overlay),
      ),
      ...drawing,
    ],
  };
}

/** A sheet with a title line over a grid of pictures, as wide as `columns` of them. */
export function contactSheet(
  pictures: readonly Picture[],
  { columns, title, gap = 12 }: { readonly columns: number; readonly title: string; readonly gap?: number },
): Picture {
  const used = Math.max(1, Math.min(columns, pictures.length));
  const cellWidth = Math.max(1, ...pictures.map(({ width }) => width));
  const rows = Array.from({ length: Math.ceil(pictures.length / used) }, (_, row) =>
    pictures.slice(row * used, (row + 1) * used),
  );
  const titleHeight = 40;
  let top = titleHeight;
  const parts = rows.flatMap((row) => {
    const placed = row.map((picture, column) => ({
      picture,
      at: [gap + column * (cellWidth + gap), top] as const,
    }));
    top += Math.max(...row.map(({ height }) => height)) + gap;
    return placed;
  });
  const heading = drawText(title, gap, 26, { size: 12, colour: inkColour });
  return collage(gap + used * (cellWidth + gap), top, parts, [heading]);
}

/** The bytes of an image at another size: pixels stay sharp squares when it grows, are averaged when it shrinks. */
async function resized({ image, width, height }: PlacedImage): Promise<Buffer> {
  const { width: from, height: rows, channels } = image;
  const source = sharp(image.data, { raw: { width: from, height: rows, channels } });
  return source
    .resize(width, height, { fit: 'fill', kernel: width >= from ? 'nearest' : 'lanczos3' })
    .raw()
    .toBuffer();
}

/**
 * The bytes of a picture as a PNG or JPEG file.
 *
 * Example  await writeFileAtomic('detections.png', await renderPicture(sheet, 'png'))
 */
export async function renderPicture(picture: Picture, format: 'png' | 'jpeg'): Promise<Uint8Array> {
  const { width, height, images } = picture;
  const photographs = await Promise.all(
    images.map(async (placed) => ({
      input: await resized(placed),
      raw: { width: placed.width, height: placed.height, channels: 3 as const },
      left: placed.left,
      top: placed.top,
    })),
  );
  const drawing = Buffer.from(svgDocument(width, height, picture.overlay));
  const sheet = sharp({ create: { width, height, channels: 3, background: sheetColour } })
    .composite([...photographs, { input: drawing, left: 0, top: 0 }])
    .removeAlpha();
  return format === 'png'
    ? sheet.png().toBuffer()
    : sheet.jpeg({ quality: 90, chromaSubsampling: '4:4:4' }).toBuffer();
}
