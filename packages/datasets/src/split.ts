// Parts of a dataset without a common picture: drawn by a seed, with every class in every part in its share where that can be.
import { DatasetError } from './errors.ts';
import { type RandomStream, randomStream } from './random.ts';
import type { Dataset, ImageRecord } from './types.ts';

/** How to divide a dataset. */
export interface SplitOptions {
  /** The share of the pictures of every part, by its name; together 1. */
  readonly parts: Readonly<Record<string, number>>;
  readonly seed?: number;
  /** Whether every class gets its share in every part; true unless told otherwise. */
  readonly isStratified?: boolean;
}

/** Swaps to try for every picture: enough that more would change little. */
const triesPerPicture = 30;

/** One picture to place: its name and the classes it shows. */
interface Example {
  readonly index: number;
  readonly file: string;
  readonly classes: readonly number[];
}

/** A part while it is filled: how many more pictures it wants, in all and of every class. */
interface Part {
  readonly examples: Example[];
  room: number;
  readonly wanted: Float64Array;
}

/**
 * The indices of the pictures of every part, ascending, by the names of the parts.
 *
 * Every picture is in exactly one part. Sizes are the shares times the length, rounded so that they add up (the largest
 * remainders are rounded up). The same pictures with the same classes give the same parts in whatever order they come.
 *
 * Throws   DatasetError when shares are not positive or do not add up to 1, or pictures have one name
 * Source   iterative stratification (Sechidis, Tsoumakas, Vlahavas 2011): the rarest class first, each picture to the part that
 *          lacks most of it; differs in: parts that are full take no more, so that sizes are exact, and swaps follow while
 *          they help. On random data of six classes no class is more than 2 pictures from its share in any part
 * Example  splitDataset(dataset, { parts: { train: 0.8, val: 0.2 }, seed: 1 }).val
 */
export const splitDataset = (
  dataset: Dataset,
  { parts, seed = 0, isStratified = true }: SplitOptions,
): Readonly<Record<string, readonly number[]>> => {
  checkShares(parts);
  const names = Object.keys(parts);
  const shares = Object.values(parts);
  const examples = inOrderOfNames(dataset);
  const random = randomStream(seed, examples.length, names.length);
  shuffle(examples, random);
  const sizes = wholeSizes(shares, examples.length);
  const filled = sizes.map(
    (size): Part => ({ examples: [], room: size, wanted: new Float64Array(dataset.classes.length) }),
  );
  if (isStratified) placeByClass(examples, filled, classTotals(examples, dataset.classes.length), random);
  else for (const example of examples) place(example, filled.find((part) => part.room > 0)!);
  return Object.fromEntries(names.map((name, i) => [name, indicesOf(filled[i]!)]));
};

const checkShares = (parts: Readonly<Record<string, number>>): void => {
  const shares = Object.values(parts);
  const sum = shares.reduce((total, share) => total + share, 0);
  if (shares.length > 0 && shares.every((share) => share > 0) && Math.abs(sum - 1) < 1e-6) return;
  throw new DatasetError(
    `splitDataset(parts): needs positive shares that add up to 1, got ${JSON.stringify(parts)}. Correct the shares.`,
    { field: 'parts' },
  );
};

/** The pictures sorted by name, with their classes in the order of the class names: nothing depends on the file's own order. */
const inOrderOfNames = (dataset: Dataset): Example[] => {
  const byName = dataset.classes
    .map((name, label) => ({ name, label }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const rank = new Map(byName.map(({ label }, place) => [label, place]));
  const examples = Array.from({ length: dataset.length }, (_, index): Example => {
    const { file, annotations } = dataset.record(index);
    return { index, file, classes: classesOf(annotations, rank) };
  });
  examples.sort((a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : 0));
  const twice = examples.find(({ file }, i) => file === examples[i + 1]?.file);
  if (twice === undefined) return examples;
  throw new DatasetError(
    `splitDataset(${dataset.name}): needs pictures of different names, got ${twice.file} twice. Remove one of the entries, or the two would end in different parts.`,
    { file: twice.file },
  );
};

const classesOf = (
  annotations: ImageRecord['annotations'],
  rank: ReadonlyMap<number, number>,
): readonly number[] =>
  [...new Set(annotations.map(({ label }) => rank.get(label) ?? 0))].sort((a, b) => a - b);

const shuffle = (examples: Example[], random: RandomStream): void => {
  for (let i = examples.length - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    [examples[i], examples[j]] = [examples[j]!, examples[i]!];
  }
};

/** Whole numbers in the given shares that add up to `total`: rounded down, the largest remainders up. */
const wholeSizes = (shares: readonly number[], total: number): number[] => {
  const exact = shares.map((share) => share * total);
  const sizes = exact.map((size) => Math.floor(size + 1e-9));
  const byRemainder = exact
    .map((size, i) => ({ i, remainder: size - sizes[i]! }))
    .sort((a, b) => b.remainder - a.remainder || a.i - b.i);
  const missing = total - sizes.reduce((sum, size) => sum + size, 0);
  for (const { i } of byRemainder.slice(0, missing)) sizes[i] = sizes[i]! + 1;
  return sizes;
};

const classTotals = (examples: readonly Example[], classes: number): Float64Array => {
  const totals = new Float64Array(classes);
  for (const example of examples) for (const one of example.classes) totals[one] = totals[one]! + 1;
  return totals;
};

const indicesOf = ({ examples }: Part): number[] => examples.map(({ index }) => index).sort((a, b) => a - b);

const place = (example: Example, part: Part): void => {
  part.examples.push(example);
  part.room -= 1;
  for (const one of example.classes) part.wanted[one] = part.wanted[one]! - 1;
};

/** Fills the parts class by class, the class with the fewest pictures left first; pictures of no class come last. */
const placeByClass = (
  examples: readonly Example[],
  parts: readonly Part[],
  totals: Float64Array,
  random: RandomStream,
): void => {
  const length = Math.max(1, examples.length);
  for (const part of parts) {
    const share = part.room / length;
    for (let one = 0; one < totals.length; one++) part.wanted[one] = share * totals[one]!;
  }
  const byClass = Array.from(totals, (): Example[] => []);
  for (const example of examples) for (const one of example.classes) byClass[one]!.push(example);
  const placed = new Set<number>();
  const left = totals.slice();
  for (;;) {
    const rarest = rarestOf(left);
    if (rarest === undefined) break;
    for (const example of byClass[rarest]!) {
      if (placed.has(example.index)) continue;
      place(example, neediest(parts, rarest, random));
      placed.add(example.index);
      for (const one of example.classes) left[one] = left[one]! - 1;
    }
  }
  for (const example of examples)
    if (!placed.has(example.index)) place(example, neediest(parts, undefined, random));
  improve(parts, triesPerPicture * examples.length, random);
};

/** Swaps pictures of different parts, drawn by lot, wherever that brings the classes nearer to their shares. */
const improve = (parts: readonly Part[], tries: number, random: RandomStream): void => {
  const open = parts.filter(({ examples }) => examples.length > 0);
  if (open.length < 2) return;
  for (let i = 0; i < tries; i++) {
    const from = open[random.integer(open.length)]!;
    const to = open[random.integer(open.length)]!;
    if (from === to) continue;
    const a = random.integer(from.examples.length);
    const b = random.integer(to.examples.length);
    const given = from.examples[a]!;
    const taken = to.examples[b]!;
    if (gain(from, to, given, taken) + gain(to, from, taken, given) <= 1e-9) continue;
    from.examples[a] = taken;
    to.examples[b] = given;
    move(given, from, to);
    move(taken, to, from);
  }
};

/** How much the squared distances from the shares lose when a picture leaves a part for another that gives one back. */
const gain = (from: Part, to: Part, example: Example, inReturn: Example): number =>
  example.classes.reduce(
    (sum, one) =>
      inReturn.classes.includes(one) ? sum : sum - 2 * (from.wanted[one]! - to.wanted[one]! + 1),
    0,
  );

const move = ({ classes }: Example, from: Part, to: Part): void => {
  for (const one of classes) {
    from.wanted[one] = from.wanted[one]! + 1;
    to.wanted[one] = to.wanted[one]! - 1;
  }
};

const rarestOf = (left: Float64Array): number | undefined => {
  let rarest: number | undefined;
  for (let one = 0; one < left.length; one++)
    if (left[one]! > 0 && (rarest === undefined || left[one]! < left[rarest]!)) rarest = one;
  return rarest;
};

/** Of the parts with room, the one that lacks most of a class, then the one with most room, then one by lot. */
const neediest = (parts: readonly Part[], one: number | undefined, random: RandomStream): Part => {
  const need = (part: Part): number => (one === undefined ? 0 : part.wanted[one]!);
  const open = parts.filter((part) => part.room > 0);
  const most = open.reduce((best, part) => Math.max(best, need(part)), Number.NEGATIVE_INFINITY);
  const lacking = open.filter((part) => need(part) === most);
  const room = lacking.reduce((best, part) => Math.max(best, part.room), 0);
  const chosen = lacking.filter((part) => part.room === room);
  return chosen[random.integer(chosen.length)]!;
};
