// A small stroke font, drawn as SVG paths: pictures carry their own letters, because a machine without fonts
// would show boxes instead of text. Units: capitals are 10 high, lower case 6.5, the baseline is at y = 10.
import type { SvgElement } from './svg.ts';
import { element, formatNumber } from './svg.ts';

/** How a run of text is drawn: its size is the height of the capitals in pixels. */
export interface TextStyle {
  readonly size: number;
  readonly colour: string;
  readonly anchor?: 'start' | 'middle' | 'end';
  /** Colour of an outline that keeps the text readable on any background. */
  readonly halo?: string;
}

type Glyph = readonly [width: number, path: string];

const capitalHeight = 10;
const gap = 2.4;
const strokeWidth = 1.25;

const bowlLeft = 'M5 6.75C5 4.9 4 3.5 2.5 3.5S0 4.9 0 6.75S1 10 2.5 10S5 8.6 5 6.75';
const bowlRight = 'M0 6.75C0 4.9 1 3.5 2.5 3.5S5 4.9 5 6.75S4 10 2.5 10S0 8.6 0 6.75';
const roundO = 'M3.6 0C1.4 0 0 2 0 5S1.4 10 3.6 10S7.2 8 7.2 5S5.8 0 3.6 0Z';
const headP = 'M0 10V0H3.2C4.9 0 6 1 6 2.8S4.9 5.6 3.2 5.6H0';

const glyphs: ReadonlyMap<string, Glyph> = new Map<string, Glyph>([
  [' ', [2.4, '']],
  ['0', [6, 'M3 0C1 0 0 2 0 5S1 10 3 10S6 8 6 5S5 0 3 0Z']],
  ['1', [6, 'M1 2L3.4 0V10M1 10H5.8']],
  ['2', [6, 'M.2 2.8C.2 1 1.4 0 3 0S5.8 1 5.8 2.8C5.8 5 0 7.4 0 10H6']],
  [
    '3',
    [
      6,
      'M.4 1.4C1 .5 1.8 0 3 0C4.6 0 5.6 1 5.6 2.4S4.6 4.7 3 4.7H2.2M3 4.7C4.8 4.7 6 5.7 6 7.4S4.7 10 3 10C1.7 10 .6 9.4 0 8.4',
    ],
  ],
  ['4', [6, 'M4.6 10V0L0 7H6.2']],
  ['5', [6, 'M5.5 0H1L.5 4.6C1.2 4 2 3.7 3 3.7C4.8 3.7 6 5 6 6.8S4.8 10 3 10C1.7 10 .6 9.5 0 8.5']],
  [
    '6',
    [
      6,
      'M5.3 .9C4.6 .3 4 0 3.2 0C1.2 0 0 2.2 0 5.8C0 8.6 1.2 10 3 10S6 8.7 6 6.8S4.8 3.8 3.1 3.8S.2 5 0 6.5',
    ],
  ],
  ['7', [6, 'M0 0H6L2 10']],
  [
    '8',
    [
      6,
      'M3 4.7C1.5 4.7 .5 3.8 .5 2.4S1.5 0 3 0S5.5 1 5.5 2.4S4.5 4.7 3 4.7C1.2 4.7 0 5.7 0 7.4S1.2 10 3 10S6 9 6 7.4S4.8 4.7 3 4.7Z',
    ],
  ],
  [
    '9',
    [
      6,
      'M.7 9.1C1.4 9.7 2 10 2.8 10C4.8 10 6 7.8 6 4.2C6 1.4 4.8 0 3 0S0 1.3 0 3.2S1.2 6.2 2.9 6.2S5.8 5 6 3.5',
    ],
  ],
  ['A', [6.6, 'M0 10L3.3 0L6.6 10M1.2 6.6H5.4']],
  ['B', [6, 'M0 4.7H3C4.5 4.7 5.5 3.8 5.5 2.4S4.5 0 3 0H0V10H3.2C4.9 10 6 9 6 7.4S4.9 4.7 3 4.7']],
  ['C', [6.6, 'M6.6 1.7C5.8 .6 4.9 0 3.6 0C1.4 0 0 2 0 5S1.4 10 3.6 10C4.9 10 5.8 9.4 6.6 8.3']],
  ['D', [6.4, 'M0 0V10H2.6C5.1 10 6.4 8.2 6.4 5S5.1 0 2.6 0Z']],
  ['E', [5.2, 'M5.2 0H0V10H5.2M0 4.8H4.6']],
  ['F', [5, 'M5 0H0V10M0 4.8H4.4']],
  ['G', [6.6, 'M6.5 1.7C5.8 .6 4.9 0 3.6 0C1.4 0 0 2 0 5S1.4 10 3.6 10C5.4 10 6.6 9 6.6 7V5.4H4']],
  ['H', [6, 'M0 0V10M6 0V10M0 4.8H6']],
  ['I', [1, 'M.5 0V10']],
  ['J', [4, 'M4 0V7C4 9 3.2 10 1.8 10C1 10 .4 9.7 0 9.2']],
  ['K', [6, 'M0 0V10M5.8 0L0 6M2.2 3.9L6.1 10']],
  ['L', [5, 'M0 0V10H5']],
  ['M', [7.6, 'M0 10V0L3.8 7L7.6 0V10']],
  ['N', [6, 'M0 10V0L6 10V0']],
  ['O', [7.2, roundO]],
  ['P', [6, headP]],
  ['Q', [7.2, `${roundO}M4.6 7.6L7 10.6`]],
  ['R', [6, `${headP}M3 5.6L6 10`]],
  [
    'S',
    [6, 'M5.6 1.6C5 .6 4.2 0 3 0C1.4 0 .3 .9 .3 2.4C.3 5.6 6 4 6 7.4C6 9 4.8 10 3 10C1.6 10 .6 9.4 0 8.3'],
  ],
  ['T', [6.4, 'M0 0H6.4M3.2 0V10']],
  ['U', [6, 'M0 0V6.4C0 8.8 1.1 10 3 10S6 8.8 6 6.4V0']],
  ['V', [6.4, 'M0 0L3.2 10L6.4 0']],
  ['W', [9.2, 'M0 0L2.3 10L4.6 1L6.9 10L9.2 0']],
  ['X', [6, 'M0 0L6 10M6 0L0 10']],
  ['Y', [6.2, 'M0 0L3.1 5L6.2 0M3.1 5V10']],
  ['Z', [6, 'M0 0H6L0 10H6']],
  ['a', [5, `M5 3.5V10${bowlLeft}`]],
  ['b', [5, `M0 0V10${bowlRight}`]],
  ['c', [4.6, 'M4.6 4.6C4.1 3.9 3.4 3.5 2.5 3.5C1 3.5 0 4.9 0 6.75S1 10 2.5 10C3.4 10 4.1 9.6 4.6 8.9']],
  ['d', [5, `M5 0V10${bowlLeft}`]],
  ['e', [5, 'M0 6.6H5C5 4.8 4.1 3.5 2.5 3.5S0 4.9 0 6.75S1 10 2.6 10C3.5 10 4.2 9.7 4.7 9']],
  ['f', [3.6, 'M3.8 .3C3.5 .1 3.2 0 2.9 0C1.9 0 1.3 .7 1.3 2V10M0 3.5H3.5']],
  ['g', [5, `${bowlLeft}M5 3.5V10.4C5 12.2 4 13.2 2.5 13.2C1.6 13.2 .9 12.9 .4 12.4`]],
  ['h', [4.7, 'M0 0V10M0 6C0 4.5 1.1 3.5 2.5 3.5S4.7 4.4 4.7 6V10']],
  ['i', [1, 'M.5 3.5V10M.5 .8V1']],
  ['j', [2, 'M1.6 3.5V11.5C1.6 12.6 1 13.2 0 13.2M1.6 .8V1']],
  ['k', [4.6, 'M0 0V10M4.3 3.5L0 7.5M1.7 6L4.6 10']],
  ['l', [1, 'M.5 0V10']],
  [
    'm',
    [
      7.6,
      'M0 3.5V10M0 5.8C0 4.4 .9 3.5 2 3.5S3.8 4.3 3.8 5.8V10M3.8 5.8C3.8 4.4 4.7 3.5 5.8 3.5S7.6 4.3 7.6 5.8V10',
    ],
  ],
  ['n', [4.7, 'M0 3.5V10M0 6C0 4.5 1.1 3.5 2.5 3.5S4.7 4.4 4.7 6V10']],
  ['o', [5.2, 'M2.6 3.5C1 3.5 0 4.9 0 6.75S1 10 2.6 10S5.2 8.6 5.2 6.75S4.2 3.5 2.6 3.5Z']],
  ['p', [5, `M0 3.5V13.2${bowlRight}`]],
  ['q', [5, `M5 3.5V13.2${bowlLeft}`]],
  ['r', [3, 'M0 3.5V10M0 6.2C0 4.5 .9 3.5 2.2 3.5C2.6 3.5 2.8 3.5 3.1 3.6']],
  [
    's',
    [
      4.4,
      'M4.2 4.6C3.8 3.9 3.1 3.5 2.2 3.5C1 3.5 .2 4.1 .2 5.1C.2 7.3 4.4 6 4.4 8.2C4.4 9.3 3.5 10 2.2 10C1.2 10 .4 9.6 0 8.8',
    ],
  ],
  ['t', [3.8, 'M1.3 1V8C1.3 9.3 1.9 10 2.9 10C3.3 10 3.6 9.9 3.8 9.8M0 3.5H3.6']],
  ['u', [4.7, 'M0 3.5V7.5C0 9.1 .8 10 2.2 10S4.7 9 4.7 7.5M4.7 3.5V10']],
  ['v', [5, 'M0 3.5L2.5 10L5 3.5']],
  ['w', [7.6, 'M0 3.5L1.9 10L3.8 4L5.7 10L7.6 3.5']],
  ['x', [4.7, 'M0 3.5L4.7 10M4.7 3.5L0 10']],
  ['y', [5, 'M0 3.5L2.5 10M5 3.5L2.3 10.8C1.7 12.5 1.2 13.2 .2 13.2']],
  ['z', [4.5, 'M0 3.5H4.5L0 10H4.5']],
  ['.', [1, 'M.5 9.7V10']],
  [',', [1.2, 'M.9 9.7V10.2L.2 11.8']],
  [':', [1, 'M.5 4.2V4.5M.5 9.7V10']],
  [';', [1.2, 'M.9 4.2V4.5M.9 9.7V10.2L.2 11.8']],
  ['!', [1, 'M.5 0V6.6M.5 9.7V10']],
  ['?', [5, 'M0 2.4C0 .9 1 0 2.5 0S5 .9 5 2.5C5 4.4 2.5 4.6 2.5 6.8M2.5 9.7V10']],
  ['-', [3.2, 'M0 6H3.2']],
  ['–', [5, 'M0 6H5']],
  ['_', [6, 'M0 11.6H6']],
  ['+', [5.4, 'M0 6H5.4M2.7 3.3V8.7']],
  ['=', [5.4, 'M0 4.6H5.4M0 7.4H5.4']],
  ['/', [4, 'M0 11.2L4 -.6']],
  ['\\', [4, 'M4 11.2L0 -.6']],
  ['|', [1, 'M.5 -.6V12']],
  ['(', [2.2, 'M2.2 -.6C-.6 2.6 -.6 8.6 2.2 11.8']],
  [')', [2.2, 'M0 -.6C2.8 2.6 2.8 8.6 0 11.8']],
  ['[', [2.2, 'M2.2 -.6H0V11.8H2.2']],
  [']', [2.2, 'M0 -.6H2.2V11.8H0']],
  ['{', [2.6, 'M2.6 -.6C1 -.6 1.2 .6 1.2 2.4S1.2 5.6 0 5.6C1.2 5.6 1.2 7 1.2 8.8S1 11.8 2.6 11.8']],
  ['}', [2.6, 'M0 -.6C1.6 -.6 1.4 .6 1.4 2.4S1.4 5.6 2.6 5.6C1.4 5.6 1.4 7 1.4 8.8S1.6 11.8 0 11.8']],
  ['<', [5, 'M5 2.8L0 6L5 9.2']],
  ['>', [5, 'M0 2.8L5 6L0 9.2']],
  ['≤', [5, 'M5 1.8L0 4.8L5 7.8M0 10H5']],
  ['≥', [5, 'M0 1.8L5 4.8L0 7.8M0 10H5']],
  [
    '%',
    [
      7,
      'M1.6 0C.6 0 0 .9 0 2.2S.6 4.4 1.6 4.4S3.2 3.5 3.2 2.2S2.6 0 1.6 0ZM5.4 5.6C4.4 5.6 3.8 6.5 3.8 7.8S4.4 10 5.4 10S7 9.1 7 7.8S6.4 5.6 5.4 5.6ZM6 0L1 10',
    ],
  ],
  ['#', [6, 'M1.8 0L1 10M5 0L4.2 10M.2 3.2H6M0 6.8H5.8']],
  ['&', [6.6, 'M6.6 10L1.3 3.4C.7 2.4 .8 0 2.7 0S4.6 2.6 3 3.8L1.6 4.7C-1.2 6.6 0 10 2.8 10S6 8 6.2 5.6']],
  ['*', [4, 'M2 0V4.6M0 1.2L4 3.4M4 1.2L0 3.4']],
  ["'", [1, 'M.5 0V2.6']],
  ['`', [2, 'M0 0L1.8 2.2']],
  ['"', [2.6, 'M.4 0V2.6M2.4 0V2.6']],
  ['~', [5, 'M0 6.6C.4 5.4 1.4 5 2.4 5.8S4.6 6.6 5 5.2']],
  ['^', [4, 'M0 3L2 0L4 3']],
  [
    '@',
    [
      8,
      'M5.6 3.4V6.4C5.6 8 8 8 8 5C8 2 6.4 0 4 0S0 2 0 5S1.6 10 4.2 10C5 10 5.8 9.8 6.4 9.4M5.6 5C5.6 4 5 3.2 4 3.2S2.4 4 2.4 5S3 6.8 4 6.8S5.6 6 5.6 5',
    ],
  ],
  [
    '$',
    [
      6,
      'M5.6 2.2C5 1.4 4.2 1 3 1C1.4 1 .3 1.8 .3 3C.3 5.4 6 4.4 6 7C6 8.3 4.8 9 3 9C1.6 9 .6 8.6 0 7.7M3 -.6V10.6',
    ],
  ],
  ['·', [1, 'M.5 5.9V6.2']],
  ['×', [4.4, 'M0 3.8L4.4 8.2M4.4 3.8L0 8.2']],
  ['±', [5.4, 'M0 5H5.4M2.7 2.3V7.7M0 10H5.4']],
  ['°', [2.6, 'M1.3 0C.5 0 0 .6 0 1.3S.5 2.6 1.3 2.6S2.6 2 2.6 1.3S2.1 0 1.3 0Z']],
  ['…', [6, 'M.5 9.7V10M3 9.7V10M5.5 9.7V10']],
  ['→', [7, 'M0 6H7M4.6 3.6L7 6L4.6 8.4']],
  ['μ', [4.7, 'M0 3.5V13.2M0 7.5C0 9.1 .8 10 2.2 10S4.7 9 4.7 7.5M4.7 3.5V10']],
  ['σ', [6, 'M6.2 3.5H2.6C1 3.5 0 4.9 0 6.75S1 10 2.6 10S5.2 8.6 5.2 6.75C5.2 5.2 4.5 4 3.2 3.5']],
  ['Σ', [5.6, 'M5.6 0H0L3.4 5L0 10H5.6']],
]);

/** The box that stands for a character the font does not have. */
const missing: Glyph = [5, 'M0 0H5V10H0Z'];

/** The glyphs of a text, accents dropped, so that `café` reads `cafe`. */
function glyphsOf(text: string): readonly Glyph[] {
  const plain = text.normalize('NFKD').replace(/\p{Mark}/gu, '');
  return Array.from(plain, (character) => glyphs.get(character) ?? missing);
}

/**
 * The width of a text as `drawText` draws it.
 *
 * Units    pixels
 */
export function textWidth(text: string, size: number): number {
  const widths = glyphsOf(text).map(([width]) => width);
  const units = widths.reduce((sum, width) => sum + width + gap, widths.length === 0 ? 0 : -gap);
  return (units * size) / capitalHeight;
}

/** A text whose baseline starts, is centred or ends at (x, y), as SVG paths that need no font. */
export function drawText(text: string, x: number, y: number, style: TextStyle): SvgElement {
  const { size, colour, anchor = 'start', halo } = style;
  const scale = size / capitalHeight;
  const width = textWidth(text, size);
  const left = anchor === 'start' ? x : anchor === 'middle' ? x - width / 2 : x - width;
  let advance = 0;
  const strokes = glyphsOf(text).flatMap(([glyphWidth, d]) => {
    const at = advance;
    advance += glyphWidth + gap;
    return d === '' ? [] : [element('path', { d, transform: `translate(${formatNumber(at)} 0)` })];
  });
  const line = (stroke: string, thickness: number): SvgElement =>
    element(
      'g',
      {
        transform: `translate(${formatNumber(left)} ${formatNumber(y - size)}) scale(${scale.toFixed(4)})`,
        fill: 'none',
        stroke,
        'stroke-width': thickness,
        'stroke-linecap': 'round',
        'stroke-linejoin': 'round',
      },
      strokes,
    );
  const letters = line(colour, strokeWidth);
  return element('g', {}, halo === undefined ? [letters] : [line(halo, strokeWidth * 3.4), letters]);
}
