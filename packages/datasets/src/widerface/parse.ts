// The text files of WiderFace: pictures by event, each with the number of its faces and one line for every face.
import { type Fault, quoted } from '../fault.ts';
import { numberIn } from '../numberText.ts';
import { staysInside } from '../paths.ts';
import type { Attributes } from '../types.ts';

/** One picture of an annotation file. */
export interface WiderEntry {
  /** Path below the folder of pictures, such as `0--Parade/0_Parade_marchingband_1_849.jpg`. */
  readonly path: string;
  /** The line that names it, counted from 1. */
  readonly line: number;
  /** Faces and what is wrong with those that cannot be used, in the order of the file. */
  readonly faces: readonly (WiderFace | Fault)[];
}

/** One face. */
export interface WiderFace {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** Whether the file calls it invalid: too small or blurred to be judged. */
  readonly isInvalid: boolean;
  readonly attributes: Attributes;
  /** Where in the file, as in `Problem.place`. */
  readonly place: string;
}

/**
 * The pictures of an annotation file in its order, and what is wrong where one cannot be used.
 *
 * After a count of 0 the published files have one line of zeros; files without it are read as well.
 *
 * Units    x, y, width and height in pixels
 * Source   the readme of wider_face_split
 * Example  parseWiderFace(text)
 */
export const parseWiderFace = (text: string): (WiderEntry | Fault)[] => {
  const found: (WiderEntry | Fault)[] = [];
  const lineOfPath = new Map<string, number>();
  for (const block of blocksOf(text)) {
    const { path, line } = block;
    const first = lineOfPath.get(path);
    lineOfPath.set(path, first ?? line);
    found.push(path === '' ? noPath(block) : (pathFault(path, line, first) ?? readBlock(block)));
  }
  return found;
};

/**
 * The pictures of a list of paths, which has no faces: the test split is published so.
 *
 * Example  parseFileList('0--Parade/0_Parade_marchingband_1_737.jpg')
 */
export const parseFileList = (text: string): (WiderEntry | Fault)[] => {
  const lineOfPath = new Map<string, number>();
  return linesOf(text).map(({ content, line }) => {
    const first = lineOfPath.get(content);
    lineOfPath.set(content, first ?? line);
    return pathFault(content, line, first) ?? { path: content, line, faces: [] };
  });
};

interface Line {
  readonly content: string;
  /** Counted from 1. */
  readonly line: number;
}

/** A path and the lines up to the next one; '' for lines before the first path. */
interface Block {
  readonly path: string;
  readonly line: number;
  readonly rest: Line[];
}

const linesOf = (text: string): Line[] =>
  text
    .split('\n')
    .map((content, index) => ({ content: content.trim(), line: index + 1 }))
    .filter(({ content }) => content !== '');

const blocksOf = (text: string): Block[] => {
  const blocks: Block[] = [];
  for (const { content, line } of linesOf(text))
    if (/\.(?:jpe?g|png|webp)$/i.test(content)) blocks.push({ path: content, line, rest: [] });
    else if (blocks.length > 0) blocks[blocks.length - 1]!.rest.push({ content, line });
    else blocks.push({ path: '', line, rest: [{ content, line }] });
  return blocks;
};

const noPath = ({ line, rest }: Block): Fault => ({
  kind: 'malformed file',
  place: `line ${line}`,
  sentence: `needs the path of a picture, got ${quoted(rest[0]!.content)}. Repair the file, or download it again.`,
});

const pathFault = (path: string, line: number, first: number | undefined): Fault | undefined => {
  const place = `line ${line}`;
  if (!staysInside(path))
    return {
      kind: 'unsafe path',
      place,
      sentence: `needs a path inside the folder of pictures, got ${quoted(path)}. Use paths without "..".`,
    };
  if (first === undefined) return undefined;
  return {
    kind: 'duplicate id',
    place,
    sentence: `needs every picture once, got ${quoted(path)} also in line ${first}. Remove one of the two.`,
  };
};

const readBlock = ({ path, line, rest }: Block): WiderEntry | Fault => {
  const [counted, ...rows] = rest;
  const malformed = (at: number, needs: string, got: string): Fault => ({
    kind: 'malformed file',
    place: `line ${at}`,
    sentence: `needs ${needs} of ${path}, got ${got}. Repair the file, or download it again.`,
  });
  if (counted === undefined || !/^\d{1,7}$/.test(counted.content))
    return malformed(
      line,
      'the number of faces in the line after the path',
      counted ? quoted(counted.content) : 'nothing',
    );
  const count = Number(counted.content);
  const isPlaceholder = count === 0 && rows.length === 1 && /^0(?:\s+0)*$/.test(rows[0]!.content);
  if (isPlaceholder) return { path, line, faces: [] };
  if (rows.length !== count)
    return malformed(counted.line, `as many lines as faces are counted (${count})`, `${rows.length}`);
  return { path, line, faces: rows.map(readFace) };
};

/** The flags after the box, and the largest value of each. */
const flagNames = ['blur', 'expression', 'illumination', 'invalid', 'occlusion', 'pose'] as const;
const largestFlags = [2, 1, 1, 1, 2, 1];

const readFace = ({ content, line }: Line): WiderFace | Fault => {
  const place = `line ${line}`;
  const numbers = content.split(/\s+/).map(numberIn);
  const [x, y, width, height] = numbers as [number, number, number, number];
  const flags = numbers.slice(4);
  const isRead = numbers.length === 10 && numbers.every((number) => number !== undefined);
  if (!isRead || !flags.every((flag, i) => Number.isInteger(flag) && flag! >= 0 && flag! <= largestFlags[i]!))
    return {
      kind: 'wrong field',
      place,
      sentence: `needs x, y, width, height, blur 0 to 2, expression, illumination and invalid 0 or 1, occlusion 0 to 2, pose 0 or 1, got ${quoted(content)}. Correct the line.`,
    };
  const kind = kindOf([x, y, width, height]);
  if (kind !== undefined)
    return {
      kind,
      place,
      sentence: `needs a box with a width and a height, got a ${kind}: [${[x, y, width, height].join(', ')}]. Correct or remove the face.`,
    };
  const named = flagNames.map((name, i): [string, number] => [name, flags[i]!]);
  const attributes = Object.fromEntries(named.filter(([name]) => name !== 'invalid'));
  return { x, y, width, height, isInvalid: flags[3] === 1, attributes, place };
};

const kindOf = (box: readonly [number, number, number, number]): Fault['kind'] | undefined => {
  const [, , width, height] = box;
  if (!box.every(Number.isFinite)) return 'box not finite';
  if (width < 0 || height < 0) return 'box of negative size';
  return width === 0 || height === 0 ? 'box of zero size' : undefined;
};
