// The colours of charts and pictures: one palette that colour-blind readers can tell apart, and viridis.

/** Lines of charts, in the order they are used; readable on a light background. */
export const lineColours: readonly string[] = [
  '#0072b2',
  '#d55e00',
  '#009e73',
  '#cc79a7',
  '#8a6d00',
  '#56b4e9',
  '#444444',
];

/** Boxes on photographs, one per class; bright, so that they show on dark and on light pictures. */
const boxColours: readonly string[] = [
  '#ffb000',
  '#56b4e9',
  '#2bd0a0',
  '#f5ea5a',
  '#5b8cff',
  '#ff6f3c',
  '#f08bd0',
  '#c8c8d0',
];

/** A colour as `#rrggbb` from channels in 0..255. */
function hex(red: number, green: number, blue: number): string {
  return `#${[red, green, blue].map((channel) => Math.round(channel).toString(16).padStart(2, '0')).join('')}`;
}

/** The colour of a class, the same in every picture; classes beyond the eighth start over. */
export function classColour(label: number): string {
  return boxColours[label % boxColours.length] ?? '#ffffff';
}

/** Black or white, whichever reads better on the given `#rrggbb` colour. */
export function textColourOn(background: string): string {
  const channel = (at: number): number => Number.parseInt(background.slice(at, at + 2), 16);
  return 0.299 * channel(1) + 0.587 * channel(3) + 0.114 * channel(5) > 128 ? '#000000' : '#ffffff';
}

// Source: viridis by Nathaniel Smith, Stefan van der Walt and Eric Firing (CC0): every 32nd of its 256 colours.
const viridisTable: readonly (readonly [red: number, green: number, blue: number])[] = [
  [68, 1, 84],
  [71, 45, 123],
  [59, 82, 139],
  [44, 114, 142],
  [33, 145, 140],
  [40, 174, 128],
  [94, 201, 98],
  [173, 220, 48],
  [253, 231, 37],
];

/** The colour of a share in 0..1 on the perceptually even scale from dark violet to yellow. */
export function viridis(share: number): string {
  const last = viridisTable.length - 1;
  const at = Math.min(1, Math.max(0, Number.isNaN(share) ? 0 : share)) * last;
  const below = Math.min(Math.floor(at), last - 1);
  const [from = [0, 0, 0], to = [0, 0, 0]] = viridisTable.slice(below, below + 2);
  const mix = (channel: 0 | 1 | 2): number => from[channel] + (at - below) * (to[channel] - from[channel]);
  return hex(mix(0), mix(1), mix(2));
}
