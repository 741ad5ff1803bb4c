// The eight outlines of the shapes dataset, and how much of each pixel an outline covers.

/** Class names by label. */
export const shapeClasses: readonly string[] = [
  'disc',
  'square',
  'triangle',
  'ring',
  'crescent',
  'L',
  'T',
  'star',
];

/** Largest rotation to either side, in degrees, by label: where more would turn one class into another, it is small. */
export const largestTurn: readonly number[] = [180, 45, 15, 180, 20, 15, 15, 180];

/** Where an outline lies: its own coordinates are u = (cos dx + sin dy) / halfWidth, v = (-sin dx + cos dy) / halfHeight. */
export interface Placement {
  readonly label: number;
  readonly x: number;
  readonly y: number;
  /** Geometric mean of the full width and height before turning, in pixels. */
  readonly size: number;
  readonly halfWidth: number;
  readonly halfHeight: number;
  /** Radians, clockwise on the screen. */
  readonly rotation: number;
  /** Inner radius of a ring, as a part of the outer one. */
  readonly hole: number;
}

/** A rectangle of pixels, possibly reaching out of the image, with the number of covered sub-samples (0 to 9) of each. */
export interface Coverage {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly counts: Uint8Array;
}

/**
 * How many of the 3 x 3 sub-samples of every pixel around a placed outline lie inside it.
 *
 * Units    pixel (i, j) covers [i, i + 1) x [j, j + 1); sub-samples at 1/6, 1/2 and 5/6
 * Example  coverageOf(placement).counts[0] / 9
 */
export const coverageOf = (placement: Placement): Coverage => {
  const { label, x, y, halfWidth, halfHeight, rotation, hole } = placement;
  const cos = Math.cos(rotation);
  const sin = Math.sin(rotation);
  // Every outline lies in |u| <= 1, |v| <= 1.
  const reachX = Math.abs(cos) * halfWidth + Math.abs(sin) * halfHeight;
  const reachY = Math.abs(sin) * halfWidth + Math.abs(cos) * halfHeight;
  const left = Math.floor(x - reachX);
  const top = Math.floor(y - reachY);
  const width = Math.ceil(x + reachX) - left;
  const height = Math.ceil(y + reachY) - top;
  const counts = new Uint8Array(width * height);
  // u and v are sums of a part that depends on the column alone and one that depends on the row alone.
  const columnU = new Float64Array(width * 3);
  const columnV = new Float64Array(width * 3);
  for (let column = 0; column < width * 3; column++) {
    const dx = left + (column + 0.5) / 3 - x;
    columnU[column] = (cos * dx) / halfWidth;
    columnV[column] = (-sin * dx) / halfHeight;
  }
  for (let row = 0; row < height * 3; row++) {
    const dy = top + (row + 0.5) / 3 - y;
    const rowU = (sin * dy) / halfWidth;
    const rowV = (cos * dy) / halfHeight;
    const pixelRow = Math.floor(row / 3) * width;
    for (let column = 0; column < width * 3; column++) {
      if (!isInside(label, columnU[column]! + rowU, columnV[column]! + rowV, hole)) continue;
      counts[pixelRow + ((column / 3) | 0)]! += 1;
    }
  }
  return { left, top, width, height, counts };
};

/** Whether a point of the outline's own coordinates (v points down) is inside. */
const isInside = (label: number, u: number, v: number, hole: number): boolean => {
  if (u < -1 || u > 1 || v < -1 || v > 1) return false;
  switch (label) {
    case 0:
      return u * u + v * v <= 1;
    case 1:
      return isInSquare(u, v);
    case 2:
      return v <= 0.9 && Math.abs(u) <= (v + 1) / 1.9;
    case 3:
      return u * u + v * v <= 1 && u * u + v * v >= hole * hole;
    case 4:
      return u * u + v * v <= 1 && (u - 0.55) * (u - 0.55) + v * v > 0.64;
    case 5:
      return isInSquare(u, v) && (u <= -0.3 || v >= 0.3);
    case 6:
      return isInSquare(u, v) && (v <= -0.3 || Math.abs(u) <= 0.3);
    default:
      return isInStar(u, v);
  }
};

const isInSquare = (u: number, v: number): boolean => Math.abs(u) <= 0.9 && Math.abs(v) <= 0.9;

const cos36: number = Math.cos(Math.PI / 5);
const sin36: number = Math.sin(Math.PI / 5);
const cos72: number = Math.cos(Math.PI / 2.5);
const sin72: number = Math.sin(Math.PI / 2.5);
const innerRadius = 0.45;

/** A star with five points, one of them up: folded into one tenth, it is what lies on the near side of one edge. */
const isInStar = (u: number, v: number): boolean => {
  let along = -v;
  let across = Math.abs(u);
  // Two reflections in the line at 36 degrees bring every angle from 0 to 180 degrees into 0 to 36.
  for (let fold = 0; fold < 2; fold++) {
    if (across * cos36 <= along * sin36) break;
    const mirrored = along * cos72 + across * sin72;
    across = Math.abs(along * sin72 - across * cos72);
    along = mirrored;
  }
  // The edge from the tip (1, 0) to the inner corner at 36 degrees.
  const edgeX = innerRadius * cos36 - 1;
  const edgeY = innerRadius * sin36;
  return edgeX * across - edgeY * (along - 1) >= 0;
};
