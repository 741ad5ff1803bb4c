// Every file of torch.save among the golden ones, value by value and number by number.
import { describe, expect, it } from 'vitest';
import { readTorch, type TorchFile } from '../../src/weights/torch/readTorch.ts';
import type { TorchTensor, TorchValue } from '../../src/weights/torch/values.ts';
import { isKind } from '../../src/weights/torch/values.ts';
import { floatsOf } from '../../src/weights/values.ts';
import { type Expected, type ExpectedTensor, pthCases } from './pth.ts';

const dtypes: Readonly<Record<string, string>> = {
  float64: 'F64',
  float32: 'F32',
  float16: 'F16',
  bfloat16: 'BF16',
  int64: 'I64',
  int32: 'I32',
  int16: 'I16',
  int8: 'I8',
  uint8: 'U8',
  bool: 'BOOL',
};

const numberOf = (value: number | string | boolean): number | bigint => {
  if (typeof value !== 'string') return Number(value);
  if (/^-?\d+$/.test(value)) return BigInt(value);
  return value === 'nan' ? Number.NaN : value === 'inf' ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
};

const expectTensor = async (
  file: TorchFile,
  tensor: TorchTensor,
  expected: ExpectedTensor,
): Promise<void> => {
  expect(tensor).toMatchObject({
    dtype: dtypes[expected.dtype],
    shape: expected.shape,
    stride: expected.stride,
    offset: expected.storage_offset,
  });
  const stored = await file.arrayOf(tensor);
  expect([stored.dtype, stored.shape]).toEqual([tensor.dtype, tensor.shape]);
  const isFloat = expected.dtype.includes('float');
  const found = [...(isFloat ? floatsOf('', stored) : stored.data)];
  const wanted = expected.values.map(numberOf);
  expect(isFloat ? found : found.map(BigInt)).toStrictEqual(isFloat ? wanted : wanted.map(BigInt));
};

const expectValue = async (file: TorchFile, value: TorchValue, expected: Expected): Promise<void> => {
  switch (expected.type) {
    case 'none':
      return expect(value).toBeNull();
    case 'tensor':
      if (!isKind(value, 'tensor')) throw new Error(`a tensor expected, ${JSON.stringify(value)} found`);
      return expectTensor(file, value, expected);
    case 'parameter':
      expect(value).toMatchObject({ isParameter: true, requiresGrad: expected.requires_grad });
      return expectValue(file, value, expected.data);
    case 'list':
    case 'tuple': {
      const items = value as TorchValue[];
      expect(items).toHaveLength(expected.items.length);
      for (const [i, item] of expected.items.entries()) await expectValue(file, items[i]!, item);
      return;
    }
    case 'dict':
    case 'OrderedDict': {
      const entries = [...(value as Map<TorchValue, TorchValue>)];
      expect(entries).toHaveLength(expected.items.length);
      for (const [i, [name, item]] of expected.items.entries()) {
        await expectValue(file, entries[i]![0], name);
        await expectValue(file, entries[i]![1], item);
      }
      return;
    }
    case 'int':
      return expect(BigInt(value as number | bigint)).toBe(BigInt(expected.value));
    default:
      return expect(value).toBe(expected.value);
  }
};

describe.each(pthCases())('$file', ({ bytes, format, content, file: label }) => {
  it('is read as PyTorch reads it', async () => {
    const file = await readTorch(bytes, { label });
    expect(file.container).toBe(format.startsWith('zip') ? 'zip' : 'legacy');
    expect(file.foreign).toEqual([]);
    await expectValue(file, file.value, content);
  });
});
