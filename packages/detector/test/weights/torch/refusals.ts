// Reading whole files in tests, and expecting that they are refused.
import { expect } from 'vitest';
import { WeightsError } from '../../../src/errors.ts';
import { readTorch, type TorchOptions } from '../../../src/weights/torch/readTorch.ts';
import { stateDictOf } from '../../../src/weights/torch/stateDict.ts';

/** The numbers of every tensor of a file's state dictionary. */
export const readAll = async (bytes: Uint8Array, options: TorchOptions = {}): Promise<number[][]> => {
  const file = await readTorch(bytes, { label: 'x.pth', ...options });
  const { tensors } = stateDictOf(file, { label: 'x.pth' });
  const arrays: number[][] = [];
  for (const tensor of tensors.values()) arrays.push(Array.from((await file.arrayOf(tensor)).data, Number));
  return arrays;
};

/** Expects one typed error of one line with a certain text. */
export const expectRefusal = async (
  bytes: Uint8Array,
  message: string,
  options?: TorchOptions,
): Promise<void> => {
  const reading = readAll(bytes, options);
  await expect(reading).rejects.toThrow(WeightsError);
  await expect(reading).rejects.toThrow(message);
  await expect(reading).rejects.toThrow(/^(readTorch|stateDictOf)\(x\.pth\): needs .*\.$/s);
};
