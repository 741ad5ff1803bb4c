// The sheet that charts are drawn on: its colours and fonts, its title, and its words.
import type { SvgElement, SvgNode } from './svg.ts';
import { element, svgDocument } from './svg.ts';

/** The colours of charts, readable on light and dark pages because the sheet brings its own paper. */
export const ink = '#24292f';
export const faintInk = '#57606a';
export const gridColour = '#e4e7eb';
export const paper = '#ffffff';
const fonts = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif";

/** Words at a point, faint unless the attributes say otherwise. */
export function text(
  words: string,
  x: number,
  y: number,
  attributes: Record<string, string | number> = {},
): SvgElement {
  return element('text', { x, y, fill: faintInk, 'font-size': 13, ...attributes }, [words]);
}

/** The size of a sheet in pixels, what it is called, and where its title begins. */
interface ChartSheet {
  readonly title: string;
  readonly width: number;
  readonly height: number;
  readonly left: number;
}

/** The SVG text of a sheet with its title and what is drawn on it. */
export function chartSheet({ title, width, height, left }: ChartSheet, drawn: readonly SvgNode[]): string {
  const edge = { fill: paper, stroke: '#d0d7de' };
  return svgDocument(
    width,
    height,
    [
      element('title', {}, [title]),
      element('rect', { x: 0.5, y: 0.5, width: width - 1, height: height - 1, rx: 8, ...edge }),
      text(title, left, 32, { fill: ink, 'font-size': 17, 'font-weight': 600 }),
      ...drawn,
    ],
    { role: 'img', 'aria-label': title, 'font-family': fonts },
  );
}
