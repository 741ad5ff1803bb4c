// Writes files of the size and structure of the published R-50 checkpoint, with numbers of our own. It runs in a process of its own: the
// most memory that a process held counts for those that it starts, too.
import { writeFileSync } from 'node:fs';
import {
  checkpointLayout,
  resnet50Config,
  type StoredTensor,
  writeSafetensors,
  writeTorch,
} from '@autoassign/detector';
import { fileClasses } from './classes.ts';

/** Numbers between -1 and 1 that a few bits of their place decide. */
const numbers = (count: number, first: number): Float32Array => {
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++)
    values[i] = ((Math.imul(first + i, 0x9e3779b1) >>> 8) & 0xffff) / 2 ** 15 - 1;
  return values;
};

/** Every array of the checkpoint. */
const arraysOf = (seed: number): Record<string, StoredTensor> => {
  let first = seed;
  const entries = checkpointLayout(resnet50Config(fileClasses)).map(
    ({ name, shape }): [string, StoredTensor] => {
      if (name.endsWith('num_batches_tracked'))
        return [name, { dtype: 'I64', shape, data: new BigInt64Array(1) }];
      const count = shape.reduce((product, n) => product * n, 1);
      const data = numbers(count, first);
      first += count;
      return [name, { dtype: 'F32', shape, data }];
    },
  );
  return Object.fromEntries(entries);
};

/** What to write. */
export interface GenerateOptions {
  readonly path: string;
  readonly seed: number;
  readonly kind: 'torch' | 'safetensors';
}

/** What was written, and what a reader has to find in it. */
export interface GeneratedCheckpoint {
  readonly bytes: number;
  /** The sum of all elements. */
  readonly sum: number;
}

const generate = ({ path, seed, kind }: GenerateOptions): GeneratedCheckpoint => {
  const arrays = arraysOf(seed);
  const meta = { CLASSES: fileClasses, epoch: 12 };
  const file = kind === 'torch' ? writeTorch(arrays, { meta }) : writeSafetensors(arrays);
  writeFileSync(path, file);
  let sum = 0;
  for (const { dtype, data } of Object.values(arrays))
    if (dtype === 'F32') for (const value of data as Float32Array) sum += value;
  return { bytes: file.length, sum };
};

const result: GeneratedCheckpoint = generate(JSON.parse(process.argv[2]!) as GenerateOptions);
process.send!(result, () => process.exit(0));
