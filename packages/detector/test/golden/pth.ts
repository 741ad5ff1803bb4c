// Files of torch.save with what PyTorch sees in them, from the folder of AUTOASSIGN_GOLDEN or the committed fixtures.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { goldenFolder } from './cases.ts';

/** What PyTorch sees in a value. */
export type Expected =
  | { readonly type: 'none' }
  | { readonly type: 'bool' | 'int' | 'float' | 'str'; readonly value: boolean | number | string }
  | { readonly type: 'list' | 'tuple'; readonly items: readonly Expected[] }
  | { readonly type: 'dict' | 'OrderedDict'; readonly items: readonly (readonly [Expected, Expected])[] }
  | { readonly type: 'parameter'; readonly requires_grad: boolean; readonly data: Expected }
  | ExpectedTensor;

/** What PyTorch sees in a tensor; `values` row by row. */
export interface ExpectedTensor {
  readonly type: 'tensor';
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly stride: readonly number[];
  readonly storage_offset: number;
  readonly values: readonly (number | string | boolean)[];
}

/** A file and what is in it. */
export interface PthCase {
  readonly file: string;
  readonly format: string;
  readonly bytes: Uint8Array;
  readonly content: Expected;
}

interface IndexEntry {
  readonly file: string;
  readonly format: string;
  readonly expected: string;
}

/** All files of the folder's index. */
export const pthCases = (): readonly PthCase[] => {
  const folder = goldenFolder('pth')!;
  const json = (name: string): unknown => JSON.parse(readFileSync(join(folder, name), 'utf8'));
  return (json('index.json') as readonly IndexEntry[]).map(({ file, format, expected }) => ({
    file,
    format,
    bytes: new Uint8Array(readFileSync(join(folder, file))),
    content: (json(expected) as { readonly content: Expected }).content,
  }));
};
