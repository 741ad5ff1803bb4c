// The work of the suite `gpu`: that of the suite `cpu`, larger products, a chain of elementwise operations, and for a real GPU the detector at the paper's size.
import { wantedWork } from '../cpu/suite.ts';
import { paperSizedWork } from '../cpu/trainingWork.ts';
import type { NamedWork } from '../cpu/work.ts';
import { chainWork, matmulWork } from '../cpu/work.ts';

/** Work that a software adapter does in seconds. */
const small: readonly RegExp[] = [
  /^matmul (256|512|1024)$/,
  /^3x3 256@40 /,
  /^(1x1 256->1024@20|3x3 64@56) forward$/,
  /^elementwise chain/,
  /^small-CNN/,
  /^64 products/,
  /^AutoAssign loss forward and backward/,
  /^demo training step/,
];

/** Which work is wanted. */
export interface WantedWork {
  /** Also what takes a software adapter minutes. */
  readonly large: boolean;
  /** Also what only a real GPU has the memory and the speed for. */
  readonly paperSized: boolean;
  /** Only that whose name matches this regular expression; all without it. */
  readonly only: string | undefined;
}

/** The wanted work, drawn from a seed. */
export const gpuWork = async (
  seed: number,
  { large, paperSized, only }: WantedWork,
): Promise<NamedWork[]> => {
  const isChosen = ({ name }: { readonly name: string }): boolean =>
    (large || small.some((pattern) => pattern.test(name))) &&
    (only === undefined || new RegExp(only).test(name));
  const more = [...[2048, 4096].map((size) => matmulWork(size, seed)), chainWork(seed)];
  const entries = [...(await wantedWork(seed, isChosen)), ...more.filter(isChosen)];
  const { name, flops, make } = paperSizedWork(seed);
  if (paperSized && isChosen({ name }))
    entries.push({ name, flops, exceedsReference: true, work: await make() });
  return entries;
};
