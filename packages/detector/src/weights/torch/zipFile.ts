// PyTorch's files since version 1.6: a ZIP archive with a pickle and a member per storage.
import type { ByteSource } from '../byteSource.ts';
import { elementTypes, type StoredData } from '../safetensors.ts';
import { type PickleOptions, pickleLimits, ShortPickle } from './machine.ts';
import { type NamedStorage, namedStorages } from './persistentId.ts';
import { elementsOf } from './tensors.ts';
import type { Unpickled } from './unpickle.ts';
import { unpickle } from './unpickle.ts';
import type { Refuse } from './values.ts';
import { readMember, type ZipMember, zipMembers } from './zipDirectory.ts';

/** What both containers give. */
export interface TorchContainer extends Pick<Unpickled, 'value' | 'foreign'> {
  readonly storages: ReadonlyMap<string, NamedStorage>;
  readonly readStorage: (storage: Pick<NamedStorage, 'key' | 'dtype'>) => Promise<StoredData>;
}

/** The value in an archive, and how to read its storages. */
export const openZip = async (
  source: ByteSource,
  { refuse, foreign }: Pick<PickleOptions, 'refuse' | 'foreign'>,
): Promise<TorchContainer> => {
  const members = new Map((await zipMembers(source, refuse)).map((member) => [member.name, member]));
  const folder = folderOf([...members.keys()], refuse);
  const textIn = async (name: string): Promise<string | undefined> => {
    const member = members.get(`${folder}${name}`);
    if (member === undefined) return undefined;
    if (member.size > 100) refuse(`a short text in '${name}'`, `${member.size} bytes`);
    return new TextDecoder().decode(await readMember(source, member, refuse)).trim();
  };
  const isBigEndian = byteOrderOf((await textIn('byteorder')) ?? 'little', refuse) === 'big';
  const pickle = await readPickle(source, members.get(`${folder}data.pkl`)!, refuse);
  const { persistent, byKey } = namedStorages(refuse);
  const { value, end, foreign: names } = unpickleWhole(pickle, { refuse, foreign, persistent });
  if (end !== pickle.length) refuse(`a pickle of ${end} bytes`, `${pickle.length} bytes`);
  const memberOf = ({ key, dtype, total }: NamedStorage): ZipMember => {
    const member = members.get(`${folder}data/${key}`);
    const wanted = total * elementTypes[dtype].BYTES_PER_ELEMENT;
    if (member?.size === wanted) return member;
    const found = member === undefined ? 'none' : `${member.size} bytes`;
    return refuse(`${wanted} bytes in '${folder}data/${key}'`, found);
  };
  const places = new Map([...byKey.values()].map((storage) => [storage.key, memberOf(storage)]));
  return {
    value,
    foreign: names,
    storages: byKey,
    readStorage: async ({ key, dtype }) =>
      elementsOf(await readMember(source, places.get(key)!, refuse), { dtype, isBigEndian }),
  };
};

const unpickleWhole = (pickle: Uint8Array, options: PickleOptions): Unpickled => {
  try {
    return unpickle(pickle, 0, options);
  } catch (error) {
    if (error instanceof ShortPickle) return options.refuse('a whole pickle', 'one that was cut off');
    throw error;
  }
};

const readPickle = (source: ByteSource, member: ZipMember, refuse: Refuse): Promise<Uint8Array> =>
  member.size > pickleLimits.bytes
    ? refuse(`a pickle of at most ${pickleLimits.bytes} bytes`, `${member.size} bytes`)
    : readMember(source, member, refuse);

/** The one folder in which everything is, with its slash. */
const folderOf = (names: readonly string[], refuse: Refuse): string => {
  const pickles = names.filter((name) => /^([^/]*\/)?data\.pkl$/.test(name));
  if (pickles.length !== 1)
    refuse("one member 'data.pkl', as files of PyTorch have", pickles.length === 0 ? 'none' : 'several');
  const folder = pickles[0]!.slice(0, -'data.pkl'.length);
  if (names.includes(`${folder}constants.pkl`))
    refuse(
      'a file of torch.save',
      'a TorchScript program',
      "Save the module's state dictionary with torch.save.",
    );
  return folder;
};

const byteOrderOf = (text: string, refuse: Refuse): string =>
  text === 'little' || text === 'big' ? text : refuse("byte order 'little' or 'big'", `'${text}'`);
