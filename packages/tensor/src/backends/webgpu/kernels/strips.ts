// How an operand of a product is copied into workgroup memory, strip by strip along k: as vectors of four rows or columns.
//
// A strip is an array<vec4f>, [k within the strip][row or column / 4]. No two threads write components of one vector, which would be a race.
import { toHalf } from './halves.ts';
import type { TileSizes } from './tiles.ts';
import { stripDepth, threadsOf } from './tiles.ts';

/**
 * How elements of an operand are read. Texts use `batch`, `m` (a row of A) or `n` (a column of B), `step` (the first k of the strip), `k` and
 * `d` (k - step), all i32.
 */
export type Source =
  | {
      /** One element by itself. */
      readonly kind: 'element';
      readonly value: string;
    }
  | {
      /** Four elements that lie together, from k or from the row or column on: the input is then one of `vec4f`. */
      readonly kind: 'vector';
      readonly along: 'k' | 'line';
      readonly value: string;
    }
  | LaneSource;

/**
 * Elements of four rows or columns that a thread reads all along k: what belongs to one of them is worked out once per thread, what belongs
 * to a strip once per strip. Texts hold `$` for the number of the lane; `m$` or `n$` is its row or column.
 */
export interface LaneSource {
  readonly kind: 'lanes';
  /** Statements that name what a row or column needs. */
  readonly line: readonly string[];
  /** Statements per strip and lane. */
  readonly strip?: readonly string[];
  /** Statements per k that all lanes share. */
  readonly depth?: readonly string[];
  /** Whether the lane reads anything there; always without it. */
  readonly isInside?: string;
  readonly value: string;
}

/** One operand of a product with a tile. */
export interface Operand {
  readonly source: Source;
  /** The name of its strip. */
  readonly strip: string;
  /** The name of its rows or columns, and of the first one of the tile. */
  readonly index: 'm' | 'n';
  readonly first: string;
  /** How many there are, and how many a tile has. */
  readonly extent: number;
  readonly size: number;
  readonly k: number;
  readonly form: StripForm;
}

const lanes = [0, 1, 2, 3] as const;

/** How a strip holds its elements: its declared type, and a statement that stores vector `at`. */
export interface StripForm {
  readonly type: (vectors: number) => string;
  readonly store: (strip: string, at: string, value: string) => string;
}

/** A form whose vectors threads load one by one. */
export interface VectorForm extends StripForm {
  readonly load: (strip: string, at: string) => string;
  readonly declarations: readonly string[];
}

const vectorForm = (
  type: string,
  stored: string,
  loaded: string,
  declarations: readonly string[] = [],
): VectorForm => ({
  declarations,
  type: (count) => `array<${type}, ${count}>`,
  store: (strip, at, value) => `${strip}[${at}] = ${stored}(${value});`,
  load: (strip, at) => `${loaded}(${strip}[${at}])`,
});

/** The forms that threads multiply. */
export const vectorForms: Readonly<Record<'single' | 'half' | 'emulated half', VectorForm>> = {
  single: vectorForm('vec4f', '', ''),
  half: vectorForm('vec4h', 'vec4h', 'vec4f'),
  'emulated half': vectorForm('vec4f', 'toHalf', '', [toHalf]),
};

/** Single elements: matrix units load no others. */
export const unitForm: StripForm = {
  type: (count) => `array<f16, ${4 * count}>`,
  store: (strip, at, value) => {
    const elements = lanes.map((lane) => `${strip}[first + ${lane}] = four.${'xyzw'[lane]};`);
    return `{ let four = vec4h(${value}); let first = (${at}) * 4; ${elements.join(' ')} }`;
  },
};

const forLane = (text: string, lane: number): string => text.replaceAll('$', String(lane));
const perLane = (lines: readonly string[] = []): readonly string[] =>
  lanes.flatMap((lane) => lines.map((line) => forLane(line, lane)));

/** Sets a variable under conditions, which are joined by `&`: what `&&` would spare is less than its branches cost. */
const setWithin = (target: string, value: string, conditions: readonly string[]): string =>
  conditions.length === 0
    ? `${target} = ${value};`
    : `if (${conditions.join(' & ')}) { ${target} = ${value}; }`;

const lineBounds = ({ extent, size }: Operand, line: string): readonly string[] =>
  extent % size === 0 ? [] : [`(${line} < ${extent})`];

const depthBounds = ({ k }: Operand): readonly string[] => (k % stripDepth === 0 ? [] : [`(k < ${k})`]);

/** The declaration of the strip. */
export const stripDeclaration = ({ strip, size, form }: Operand): string =>
  `var<workgroup> ${strip}: ${form.type((size * stripDepth) / 4)};`;

/** Statements before the first strip. */
export const beforeStrips = ({ source, index, first, size }: Operand): readonly string[] =>
  source.kind === 'lanes'
    ? perLane([`let ${index}$ = ${first} + thread % ${size / 4} * 4 + $;`, ...source.line])
    : [];

/** Statements that copy one strip. */
export const copyStrip = (operand: Operand, tile: TileSizes): readonly string[] => {
  const { source } = operand;
  const threads = threadsOf(tile);
  if (source.kind === 'lanes') return copyLanes(operand, source, threads);
  if (source.kind === 'element') return copyElements(operand, source.value, threads);
  return source.along === 'k'
    ? copyAlongDepth(operand, source.value, threads)
    : copyAlongLine(operand, source.value, threads);
};

const indented = (lines: readonly string[]): readonly string[] => lines.map((line) => `  ${line}`);

/** A loop in which the threads share turns `at` from 0 to `count`. */
const sharedLoop = (count: number, threads: number, body: readonly string[]): readonly string[] =>
  count === threads
    ? ['{', '  let at = thread;', ...indented(body), '}']
    : [`for (var at = thread; at < ${count}; at += ${threads}) {`, ...indented(body), '}'];

/** Vectors of four rows or columns, as they lie in memory. */
const copyAlongLine = (operand: Operand, value: string, threads: number): readonly string[] => {
  const { strip, index, first, size, form } = operand;
  return sharedLoop((size * stripDepth) / 4, threads, [
    `let k = step + at / ${size / 4};`,
    `let ${index} = ${first} + at % ${size / 4} * 4;`,
    'var value = vec4f();',
    setWithin('value', value, [...lineBounds(operand, index), ...depthBounds(operand)]),
    form.store(strip, 'at', 'value'),
  ]);
};

/** Squares of four vectors along k, turned. */
const copyAlongDepth = (operand: Operand, value: string, threads: number): readonly string[] => {
  const { strip, index, first, size, form } = operand;
  return sharedLoop((size * stripDepth) / 16, threads, [
    `let d = at % ${stripDepth / 4} * 4;`,
    `let group = at / ${stripDepth / 4};`,
    'let k = step + d;',
    ...lanes.flatMap((lane) => [
      `var value${lane} = vec4f();`,
      `{ let ${index} = ${first} + group * 4 + ${lane}; ${setWithin(`value${lane}`, value, [...lineBounds(operand, index), ...depthBounds(operand)])} }`,
    ]),
    ...lanes.map((at) => {
      const turned = lanes.map((lane) => `value${lane}.${'xyzw'[at]}`).join(', ');
      return form.store(strip, `(d + ${at}) * ${size / 4} + group`, `vec4f(${turned})`);
    }),
  ]);
};

/** Four elements one by one; neighbouring threads read along k, where most matrices lie together. */
const copyElements = (operand: Operand, value: string, threads: number): readonly string[] => {
  const { strip, index, first, size, form } = operand;
  return sharedLoop((size * stripDepth) / 4, threads, [
    `let d = at % ${stripDepth};`,
    `let group = at / ${stripDepth};`,
    'let k = step + d;',
    'var value = vec4f();',
    ...lanes.map((lane) => {
      const set = setWithin(`value.${'xyzw'[lane]}`, value, [
        ...lineBounds(operand, index),
        ...depthBounds(operand),
      ]);
      return `{ let ${index} = ${first} + group * 4 + ${lane}; ${set} }`;
    }),
    form.store(strip, `d * ${size / 4} + group`, 'value'),
  ]);
};

/** Four elements of the thread's own rows or columns. */
const copyLanes = (operand: Operand, source: LaneSource, threads: number): readonly string[] => {
  const { strip, index, size, form } = operand;
  const groups = size / 4;
  const inside = source.isInside === undefined ? [] : [source.isInside];
  const conditions = [...lineBounds(operand, `${index}$`), ...depthBounds(operand), ...inside];
  return [
    ...perLane(source.strip),
    `for (var d = thread / ${groups}; d < ${stripDepth}; d += ${threads / groups}) {`,
    '  let k = step + d;',
    '  var value = vec4f();',
    ...indented(source.depth ?? []),
    ...lanes.map((lane) =>
      forLane(`  ${setWithin(`value.${'xyzw'[lane]}`, source.value, conditions)}`, lane),
    ),
    `  ${form.store(strip, `d * ${groups} + thread % ${groups}`, 'value')}`,
    '}',
  ];
};
