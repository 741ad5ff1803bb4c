// The work of the suite `gpu`: that of the suite `cpu`, larger products, and a chain of elementwise operations.
import { wantedWork } from '../cpu/suite.ts';
import type { NamedWork } from '../cpu/work.ts';
import { chainWork, matmulWork } from '../cpu/work.ts';

/** Work that a software adapter does in seconds. */
const small: readonly RegExp[] = [
  /^matmul (256|512|1024)$/,
  /^3x3 256@40 /,
  /^(1x1 256->1024@20|3x3 64@56) forward$/,
  /^elementwise chain/,
  /^small-CNN/,
  /^AutoAssign loss forward and backward/,
  /^demo training step/,
];

/** All work, or what a software adapter does in seconds; only that whose name matches the regular expression, if there is one. */
export const gpuWork = async (
  seed: number,
  { large, only }: { readonly large: boolean; readonly only: string | undefined },
): Promise<NamedWork[]> => {
  const isChosen = ({ name }: { readonly name: string }): boolean =>
    (large || small.some((pattern) => pattern.test(name))) &&
    (only === undefined || new RegExp(only).test(name));
  const more = [...[2048, 4096].map((size) => matmulWork(size, seed)), chainWork(seed)];
  return [...(await wantedWork(seed, isChosen)), ...more.filter(isChosen)];
};
