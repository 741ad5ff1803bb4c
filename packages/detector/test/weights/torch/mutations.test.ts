// Random damage to the golden files: each is read as before, or is one typed error. AUTOASSIGN_MUTATIONS says how many are tried, 500 unless set.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { WeightsError } from '../../../src/errors.ts';
import type { StoredTensor } from '../../../src/weights/safetensors.ts';
import { readTorch } from '../../../src/weights/torch/readTorch.ts';
import { stateDictOf } from '../../../src/weights/torch/stateDict.ts';
import { type PthCase, pthCases } from '../../golden/pth.ts';
import { bytesOf } from '../storedArrays.ts';
import { python, runPython } from './python.ts';

const count = Number(process.env.AUTOASSIGN_MUTATIONS ?? 500);
const cases = pthCases();

/** A change of bytes; places are shares of the length, so that they fit whatever was changed before. */
type Change = (bytes: Uint8Array) => Uint8Array;

const place = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const at = (share: number, { length }: Uint8Array): number => Math.floor(share * length);

const joined = (...parts: readonly Uint8Array[]): Uint8Array =>
  Uint8Array.from(parts.flatMap((part) => [...part]));

const replaced = fc.tuple(place, fc.uint8Array({ minLength: 1, maxLength: 8 })).map(
  ([share, values]): Change =>
    (bytes) => {
      const from = at(share, bytes);
      return joined(bytes.subarray(0, from), values, bytes.subarray(from + values.length));
    },
);
const flipped = fc.tuple(place, fc.nat(7)).map(
  ([share, bit]): Change =>
    (bytes) =>
      bytes.map((value, i) => (i === at(share, bytes) ? value ^ (1 << bit) : value)),
);
const extreme = fc.tuple(place, fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.constantFrom(1, 2, 4, 8)).map(
  ([share, value, width]): Change =>
    (bytes) =>
      bytes.slice().fill(value, at(share, bytes), at(share, bytes) + width),
);
const moved = fc.tuple(place, place, fc.nat(40), fc.boolean()).map(
  ([from, to, length, isRemoved]): Change =>
    (bytes) => {
      const [source, target] = [at(from, bytes), at(to, bytes)];
      const part = bytes.slice(source, source + length);
      return isRemoved
        ? joined(bytes.subarray(0, source), bytes.subarray(source + length))
        : joined(bytes.subarray(0, target), part, bytes.subarray(target));
    },
);
const cut = place.map(
  (share): Change =>
    (bytes) =>
      bytes.slice(0, at(share, bytes)),
);
const changes = fc.array(fc.oneof(replaced, flipped, extreme, moved, cut), { minLength: 1, maxLength: 3 });
const mutation = fc.tuple(fc.nat(cases.length - 1), changes).map(([index, steps]) => ({
  original: cases[index]!,
  bytes: steps.reduce((bytes, change) => change(bytes), cases[index]!.bytes),
}));

type Arrays = ReadonlyMap<string, StoredTensor>;

/** All arrays of the state dictionary, or the error that says why there are none. */
const readAll = async (bytes: Uint8Array): Promise<Arrays | WeightsError> => {
  try {
    const file = await readTorch(bytes, { foreign: 'opaque' });
    const arrays = new Map<string, StoredTensor>();
    for (const [name, tensor] of stateDictOf(file).tensors) arrays.set(name, await file.arrayOf(tensor));
    return arrays;
  } catch (error) {
    expect(error).toBeInstanceOf(WeightsError);
    return error as WeightsError;
  }
};

const textOf = (arrays: Arrays): readonly unknown[] =>
  [...arrays].map(([name, stored]) => [
    name,
    stored.dtype,
    stored.shape,
    Buffer.from(bytesOf(stored)).toString('hex'),
  ]);

/** What the honest files hold. */
const originals = new Map<PthCase, readonly unknown[]>();
for (const golden of cases) originals.set(golden, textOf((await readAll(golden.bytes)) as Arrays));

const expectSound = (found: Arrays, { original, bytes }: { original: PthCase; bytes: Uint8Array }): void => {
  // archives have checksums: what is read from them is what was written
  if (original.format.startsWith('zip')) expect(textOf(found)).toEqual(originals.get(original));
  for (const { shape, data } of found.values()) {
    expect(data.length).toBe(shape.reduce((product, n) => product * n, 1));
    expect(data.byteLength).toBeLessThan(4 * bytes.length + 2 ** 24);
  }
};

it(`of ${count} damaged files none is misread, and none fails in another way`, {
  timeout: 600_000,
}, async () => {
  let read = 0;
  await fc.assert(
    fc.asyncProperty(mutation, async (damaged) => {
      const found = await readAll(damaged.bytes);
      if (found instanceof WeightsError) return;
      read += 1;
      expectSound(found, damaged);
    }),
    { seed: 5, numRuns: count },
  );
  // some damage hits what nobody reads, most of it does not
  expect(read).toBeGreaterThan(0);
  expect(read).toBeLessThan(count / 2);
});

it.runIf(python !== undefined)('PyTorch reads the same from damaged files that both can read', async () => {
  const samples = fc.sample(mutation, { seed: 6, numRuns: count }).map(({ bytes }) => bytes);
  const ours = new Map<string, readonly unknown[]>();
  for (const [i, bytes] of samples.entries()) {
    const found = await readAll(bytes);
    if (!(found instanceof WeightsError)) ours.set(String(i), textOf(found));
  }
  const files = [...ours.keys()].map((i) => [`${i}.pth`, samples[Number(i)]!] as const);
  const { printed } = runPython(
    `
import glob, json, torch
types = {torch.float64: 'F64', torch.float32: 'F32', torch.float16: 'F16', torch.bfloat16: 'BF16', torch.int64: 'I64', torch.int32: 'I32', torch.int16: 'I16', torch.int8: 'I8', torch.uint8: 'U8', torch.bool: 'BOOL'}
def described(t):
    flat = t.detach().contiguous().reshape(-1)
    return [types[t.dtype], list(t.shape), flat.view(torch.uint8).numpy().tobytes().hex() if flat.numel() else '']
found = {}
for path in glob.glob('*.pth'):
    try:
        content = torch.load(path, weights_only=True)
        for place in ('state_dict', 'model', 'state_dict_ema'):
            if isinstance(content.get(place), dict): content = content[place]; break
        found[path[:-4]] = [[name, *described(t)] for name, t in content.items() if isinstance(t, torch.Tensor)]
    except Exception: pass
print(json.dumps(found))
`,
    Object.fromEntries(files),
  );
  const theirs = Object.entries(JSON.parse(printed) as Record<string, readonly unknown[]>);
  expect(theirs.length).toBeGreaterThan(ours.size / 2);
  for (const [i, content] of theirs) expect(ours.get(i), `sample ${i}`).toEqual(content);
});
