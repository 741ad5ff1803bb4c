// Golden cases: finding them in the folder of AUTOASSIGN_GOLDEN or in the committed fixtures, reading them, comparing arrays.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import type { StoredTensor } from '../../src/weights/safetensors.ts';
import { readSafetensors } from '../../src/weights/safetensors.ts';

const fixtures = fileURLToPath(new URL('../fixtures/golden', import.meta.url));

/** One case: its description, and its arrays by name. */
export interface GoldenCase<Description> {
  readonly name: string;
  readonly description: Description;
  readonly arrays: Readonly<Record<string, StoredTensor>>;
}

/** The folder of all cases; a mistyped AUTOASSIGN_GOLDEN must not look like one without cases. */
const goldenRoot = (): string => {
  const folder = process.env.AUTOASSIGN_GOLDEN ?? fixtures;
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return folder;
  throw new Error(
    `AUTOASSIGN_GOLDEN: needs a folder, got "${folder}". Correct the path, or unset the variable.`,
  );
};

/** The folder of a kind of case, or undefined where there is none. */
export const goldenFolder = (kind: string): string | undefined => {
  const folder = join(goldenRoot(), kind);
  return existsSync(folder) ? folder : undefined;
};

/** The names of the cases of a kind whose name begins with a prefix, found by listing. */
export const goldenNames = (kind: string, isWanted: (name: string) => boolean): readonly string[] => {
  const folder = goldenFolder(kind);
  if (folder === undefined) return [];
  return readdirSync(folder)
    .filter((file) => file.endsWith('.safetensors'))
    .map((file) => file.slice(0, -'.safetensors'.length))
    .filter(isWanted)
    .sort();
};

export const readGolden = <Description>(kind: string, name: string): GoldenCase<Description> => {
  const path = join(goldenFolder(kind)!, name);
  return {
    name,
    description: JSON.parse(readFileSync(`${path}.json`, 'utf8')) as Description,
    arrays: readSafetensors(readFileSync(`${path}.safetensors`)).tensors,
  };
};

/** The numbers of a stored array. */
export const numbersOf = (stored: StoredTensor): Float64Array => Float64Array.from(stored.data, Number);

/** An array of a case. */
export const arrayOf = (golden: GoldenCase<unknown>, name: string): StoredTensor => {
  const stored = golden.arrays[name];
  if (stored === undefined) throw new Error(`${golden.name}: no array ${name}`);
  return stored;
};

export interface Tolerance {
  readonly relative: number;
  readonly absolute: number;
}

/** Expects |actual - expected| <= absolute + relative |expected| everywhere; names the worst element otherwise. */
export const expectClose = (
  what: string,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  { relative, absolute }: Tolerance,
): void => {
  expect(actual.length, `${what}: number of elements`).toBe(expected.length);
  let worst = 0;
  let at = 0;
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i]! - expected[i]!) / (absolute + relative * Math.abs(expected[i]!));
    if (error > worst || Number.isNaN(error)) [worst, at] = [error, i];
    if (Number.isNaN(error)) break;
  }
  expect(worst, `${what}[${at}]: ${actual[at]} for ${expected[at]}, in tolerances`).toBeLessThanOrEqual(1);
};

/** |actual - expected| / |expected| as vectors; 0 when both are 0. */
export const relativeDistance = (actual: ArrayLike<number>, expected: ArrayLike<number>): number => {
  let [difference, size] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    difference += (actual[i]! - expected[i]!) ** 2;
    size += expected[i]! ** 2;
  }
  return difference === 0 ? 0 : Math.sqrt(difference / size);
};
