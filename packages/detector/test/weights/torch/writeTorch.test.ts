// Files that we write: read back by ourselves, and by PyTorch where there is one.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WeightsError } from '../../../src/errors.ts';
import type { StoredTensor } from '../../../src/weights/safetensors.ts';
import { writeSafetensors } from '../../../src/weights/safetensors.ts';
import { readTorch } from '../../../src/weights/torch/readTorch.ts';
import { stateDictOf } from '../../../src/weights/torch/stateDict.ts';
import { writeTorch } from '../../../src/weights/torch/writeTorch.ts';
import { zipArchive } from '../../../src/weights/torch/zipArchive.ts';
import { bytesOf, storedArray, torchTypes } from '../storedArrays.ts';
import { python, runPython } from './python.ts';

const names = fc.string({ unit: 'grapheme', maxLength: 12 });
const entries = fc.array(fc.tuple(names, storedArray(torchTypes)), { minLength: 1, maxLength: 6 });
const meta = fc.dictionary(
  names,
  fc.oneof(fc.string({ unit: 'grapheme' }), fc.double(), fc.maxSafeInteger(), fc.array(names)),
  { maxKeys: 3 },
);

describe('writeTorch', () => {
  it('loses no name, type, shape, byte or text on the way through a file', async () => {
    await fc.assert(
      fc.asyncProperty(entries, meta, async (pairs, texts) => {
        const tensors = Object.fromEntries(pairs);
        const file = await readTorch(writeTorch(tensors, { meta: texts }));
        const found = stateDictOf(file);
        expect([file.container, found.place, [...found.tensors.keys()]]).toEqual([
          'zip',
          'state_dict',
          Object.keys(tensors),
        ]);
        for (const [name, expected] of Object.entries(tensors)) {
          const actual = await file.arrayOf(found.tensors.get(name)!);
          expect([actual.dtype, actual.shape]).toEqual([expected.dtype, expected.shape]);
          expect(bytesOf(actual)).toEqual(bytesOf(expected));
        }
        const read = (file.value as Map<string, Map<string, unknown>>).get('meta')!;
        expect([...read]).toStrictEqual(Object.entries(texts));
      }),
      { seed: 3, numRuns: 100 },
    );
  });

  it('refuses more members than an archive has numbers for', () => {
    const parts = Array.from({ length: 2 ** 16 }, (_, i) => ({ name: `a${i}`, bytes: new Uint8Array(0) }));
    expect(() => zipArchive(parts)).toThrow('and 65534 members, got');
  });

  it('refuses types that PyTorch does not store, and data that does not fill its shape', () => {
    const data = new Uint32Array(2);
    expect(() => writeTorch({ a: { dtype: 'U32', shape: [2], data } })).toThrow(WeightsError);
    expect(() => writeTorch({ a: { dtype: 'U32', shape: [2], data } })).toThrow('needs an element type');
    expect(() => writeTorch({ a: { dtype: 'F32', shape: [2], data } })).toThrow(
      'writeTorch(a): needs 2 elements',
    );
  });
});

/** Prints names, types, shapes and bytes of a state dictionary; halves of 16 bits are no types of NumPy. */
const printState = `
import torch, json
def described(t):
    raw = t.contiguous().view(torch.uint8).numpy().tobytes().hex() if t.dim() and t.numel() else b''.hex() if t.numel() == 0 else t.reshape(1).view(torch.uint8).numpy().tobytes().hex()
    return [str(t.dtype), list(t.shape), raw]
`;

const torchNames: Readonly<Record<string, string>> = {
  F64: 'torch.float64',
  F32: 'torch.float32',
  F16: 'torch.float16',
  BF16: 'torch.bfloat16',
  I64: 'torch.int64',
  I32: 'torch.int32',
  I16: 'torch.int16',
  I8: 'torch.int8',
  U8: 'torch.uint8',
  BOOL: 'torch.bool',
};

const expectedOf = ({ dtype, shape, ...stored }: StoredTensor): unknown => [
  torchNames[dtype],
  shape,
  Buffer.from(bytesOf({ dtype, shape, ...stored })).toString('hex'),
];

describe.runIf(python !== undefined)('PyTorch', () => {
  const samples = fc.sample(entries, { seed: 4, numRuns: 20 }).map((pairs) => Object.fromEntries(pairs));

  it('reads our files with weights_only', () => {
    const files = Object.fromEntries(
      samples.map((tensors, i) => [`${i}.pth`, writeTorch(tensors, { meta: { epoch: 12 } })]),
    );
    const { printed } = runPython(
      `${printState}
for i in range(${samples.length}):
    content = torch.load(f'{i}.pth', weights_only=True)
    assert content['meta'] == {'epoch': 12}
    print(json.dumps({name: described(t) for name, t in content['state_dict'].items()}))
`,
      files,
    );
    const lines = printed.trim().split('\n');
    expect(lines).toHaveLength(samples.length);
    for (const [i, tensors] of samples.entries())
      expect(JSON.parse(lines[i]!)).toEqual(
        Object.fromEntries(Object.entries(tensors).map(([name, stored]) => [name, expectedOf(stored)])),
      );
  });

  it('has the arrays of our safetensors files, read as their format says', () => {
    const files = Object.fromEntries(
      samples.map((tensors, i) => [`${i}.safetensors`, writeSafetensors(tensors)]),
    );
    const { printed } = runPython(
      `${printState}
types = dict(F64=torch.float64, F32=torch.float32, F16=torch.float16, BF16=torch.bfloat16, I64=torch.int64, I32=torch.int32, I16=torch.int16, I8=torch.int8, U8=torch.uint8, BOOL=torch.bool)
def load(path):
    with open(path, 'rb') as file: content = file.read()
    start = 8 + int.from_bytes(content[:8], 'little')
    header = json.loads(content[8:start])
    header.pop('__metadata__', None)
    state = {}
    for name, entry in header.items():
        begin, end = entry['data_offsets']
        raw = bytearray(content[start + begin:start + end])
        dtype = types[entry['dtype']]
        state[name] = (torch.frombuffer(raw, dtype=dtype) if raw else torch.empty(0, dtype=dtype)).reshape(entry['shape'])
    return state
for i in range(${samples.length}): print(json.dumps({name: described(t) for name, t in load(f'{i}.safetensors').items()}))
`,
      files,
    );
    for (const [i, line] of printed.trim().split('\n').entries())
      expect(JSON.parse(line)).toEqual(
        Object.fromEntries(Object.entries(samples[i]!).map(([name, stored]) => [name, expectedOf(stored)])),
      );
  });
});
