// Writes files that torch.load reads, also with weights_only: a ZIP archive with a pickle and a member per tensor.
import { sentence } from '@autoassign/tensor';
import { WeightsError } from '../../errors.ts';
import { checkStored, type StoredTensor } from '../safetensors.ts';
import { storageClassOf } from './globals.ts';
import { type PickledValue, pickle } from './pickle.ts';
import { type ZipPart, zipArchive } from './zipArchive.ts';

/** What a file says besides its arrays. */
export interface TorchContent {
  /** Texts and numbers for the entry `meta`, such as the names of the classes under CLASSES. */
  readonly meta?: Readonly<Record<string, string | number | readonly string[]>>;
}

const bytesOf = ({ data }: StoredTensor): Uint8Array =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

/**
 * The bytes of a file of torch.save with a state dictionary, as training programs write them: `{ meta, state_dict }`.
 *
 * Throws   WeightsError when the data of an array does not have its dtype or fill its shape, or PyTorch has no such dtype
 * Example  await writeFile('model.pth', writeTorch({ w: { dtype: 'F32', shape: [2], data: new Float32Array(2) } }))
 */
export const writeTorch = (
  tensors: Readonly<Record<string, StoredTensor>>,
  { meta = {} }: TorchContent = {},
): Uint8Array => {
  const named = Object.entries(tensors);
  for (const [name, stored] of named) requireWritable(name, stored);
  const state = named.map(([name, { dtype, shape }], i): [string, PickledValue] => [
    name,
    { kind: 'tensor', dtype, shape, key: String(i) },
  ]);
  const value: PickledValue = {
    kind: 'dictionary',
    entries: [
      ['meta', { kind: 'dictionary', entries: Object.entries(meta) }],
      ['state_dict', { kind: 'ordered', entries: state }],
    ],
  };
  const text = (content: string): Uint8Array => new TextEncoder().encode(content);
  const parts: ZipPart[] = [
    { name: 'archive/data.pkl', bytes: pickle(value) },
    { name: 'archive/byteorder', bytes: text('little') },
    ...named.map(([, stored], i): ZipPart => ({ name: `archive/data/${i}`, bytes: bytesOf(stored) })),
    { name: 'archive/version', bytes: text('3\n') },
  ];
  return zipArchive(parts);
};

const requireWritable = (name: string, stored: StoredTensor): void => {
  checkStored('writeTorch', name, stored);
  if (storageClassOf(stored.dtype) !== undefined) return;
  throw new WeightsError(
    sentence({
      where: 'writeTorch',
      label: name,
      needs: 'an element type that PyTorch stores',
      got: stored.dtype,
      advice: 'Convert the array to a signed type.',
    }),
  );
};
