// Pickles that name Python objects or ask for too much: nothing is ever executed, and every refusal says what it refuses.
import { describe, expect, it } from 'vitest';
import { WeightsError } from '../../../src/errors.ts';
import { readTorch } from '../../../src/weights/torch/readTorch.ts';
import { zipArchive } from '../../../src/weights/torch/zipArchive.ts';
import {
  call,
  dictionary,
  floats,
  global,
  legacyOf,
  number,
  tensorIn,
  text,
  tuple,
  zipOf,
} from './pickles.ts';
import { expectRefusal, readAll } from './refusals.ts';

const bytesOf = (value: string): Uint8Array => new TextEncoder().encode(value);

describe('Python objects', () => {
  const attack = call(global('os', 'system'), tuple(text('touch attacked')));
  it.each<[string, Uint8Array, string]>([
    ['a call', zipOf(attack), "'os.system'"],
    ['a call in a state dictionary', zipOf(dictionary([text('w'), attack])), "'os.system'"],
    ['a call in a legacy file', legacyOf(attack), "'os.system'"],
    ['the name alone', zipOf(global('posix', 'system')), "'posix.system'"],
    ['a class of protocol 4', zipOf([...text('builtins'), ...text('eval'), 0x93]), "'builtins.eval'"],
    ['an instance', zipOf([0x28, 0x69, ...bytesOf('subprocess\nPopen\n')]), "'subprocess.Popen'"],
    ['an object', zipOf([0x28, ...global('shutil', 'rmtree'), ...text('/'), 0x6f]), "'shutil.rmtree'"],
    ['a new object', zipOf([...global('torch.nn', 'Linear'), 0x29, 0x81]), "'torch.nn.Linear'"],
    ['an attribute through a known module', zipOf(global('torch', 'os.system')), "'torch.os.system'"],
    [
      'a name like a known one',
      zipOf(global('torch._utils', '_rebuild_tensor_v2x')),
      "'torch._utils._rebuild_tensor_v2x'",
    ],
    ['the reader itself', zipOf(call(global('torch', 'load'), tuple(text('x')))), "'torch.load'"],
  ])('%s is refused by name', async (_, bytes, message) => {
    await expectRefusal(bytes, `needs tensors and plain values only, got the Python object ${message}`);
  });

  const weights = [text('state_dict'), dictionary([text('w'), tensorIn(4, 0, [4], [1])])] as const;
  const history = call(global('mmengine.logging', 'HistoryBuffer'), tuple(attack));
  const training = zipOf(
    dictionary(
      weights,
      [text('optimizer'), dictionary([text('state'), attack])],
      [text('message_hub'), [...history, ...dictionary([text('x'), number(1)]), 0x62]],
    ),
    { 0: floats(1, 2, 3, 4) },
  );

  it('beside the weights are left opaque and named where that is asked for', async () => {
    const file = await readTorch(training, { foreign: 'opaque' });
    expect(file.foreign).toEqual(['os.system', 'mmengine.logging.HistoryBuffer']);
    expect((file.value as Map<string, unknown>).get('message_hub')).toEqual({
      kind: 'opaque',
      name: 'mmengine.logging.HistoryBuffer',
    });
    expect(await readAll(training, { foreign: 'opaque' })).toEqual([[1, 2, 3, 4]]);
    await expectRefusal(training, "'os.system'");
  });

  it.each<[string, Uint8Array]>([
    ['as an entry', zipOf(dictionary([text('state_dict'), dictionary([text('w'), attack])]))],
    ['as the dictionary', zipOf(dictionary([text('state_dict'), attack]))],
    ['as the file', zipOf(attack)],
    [
      'around the dictionary',
      zipOf(call(global('os', 'system'), tuple(dictionary(weights))), { 0: floats(1, 2, 3, 4) }),
    ],
    ['as a parameter', zipOf(dictionary([text('w'), [...attack, ...dictionary(), 0x62]]))],
  ])('within the weights are refused all the same: %s', async (_, bytes) => {
    await expectRefusal(bytes, "'os.system'", { foreign: 'opaque' });
  });

  it.each<[string, readonly number[]]>([
    [
      'with a tensor of it',
      call(global('torch._utils', '_rebuild_tensor_v2'), tuple(attack, number(0), tuple(), tuple())),
    ],
    ['with a storage of it', [...tuple(text('storage'), attack, text('0'), text('cpu'), number(4)), 0x51]],
    ['with a parameter of it', call(global('torch._utils', '_rebuild_parameter'), tuple(attack, [0x88]))],
    ['with a dictionary of it', call(global('collections', 'OrderedDict'), tuple(attack))],
    [
      'with a function of it',
      call(global('torch._tensor', '_rebuild_from_type_v2'), tuple(number(1), attack, tuple())),
    ],
  ])('are not made into what is known: %s', async (_, code) => {
    await expect(readTorch(zipOf(code), { foreign: 'opaque' })).rejects.toThrow(WeightsError);
  });
});

describe('pickles', () => {
  const repeat = (code: readonly number[], times: number): number[] =>
    Array.from({ length: times }, () => code).flat();
  /** A list of ten of the list before, thirty times. */
  const laughs = [0x5d, 0x71, 0, ...repeat([0x30, 0x5d, 0x28, ...repeat([0x68, 0], 10), 0x65, 0x71, 0], 30)];
  it.each<[string, readonly number[], string]>([
    ['that contain themselves', [0x5d, 0x71, 0, 0x68, 0, 0x61], 'one that contains itself'],
    ['that are deep', [0x4e, ...repeat([0x85], 2000)], 'deeper ones'],
    [
      'that are deep by memo',
      [0x4e, 0x71, 0, ...repeat([0x30, 0x68, 0, 0x85, 0x71, 0], 2000)],
      'deeper ones',
    ],
    ['with many marks', repeat([0x28], 2000), 'at most 1000 marks'],
    ['that are small and unfold', laughs, 'as parts of parts are repeated'],
    ['with many containers', repeat([0x5d, 0x30], 600_000), 'at most 500000 lists'],
    [
      'with an integer of megabytes',
      [0x8b, 0, 0, 0x10, 0],
      'integers of at most 64 bytes, got 1048576 bytes',
    ],
    ['with an integer of negative length', [0x8b, 0xff, 0xff, 0xff, 0xff], 'got -1 bytes'],
    [
      'with a text beyond the end',
      [0x58, 0xff, 0xff, 0xff, 0x7f],
      'a whole pickle, got one that was cut off',
    ],
    ['with a text beyond all memory', [0x8d, ...repeat([0xff], 8)], 'got one that was cut off'],
    ['with text that is none', [0x58, 2, 0, 0, 0, 0xff, 0xfe], 'text in UTF-8'],
    ['with a name without end', [0x63, ...repeat([0x61], 1000)], 'names of at most 500 bytes'],
    [
      'with a text of thousands as a name',
      [...text('os'), ...text('x'.repeat(1000)), 0x93],
      'names of at most 500',
    ],
    ['with nothing', [], 'one value in the end, got 0'],
    ['with two values', [0x4e, 0x4e], 'one value in the end, got 2'],
    ['that take from an empty stack', [0x30], 'a mark on the stack, got none'],
    ['that take below a mark', [0x4e, 0x28, 0x85, 0x74], 'a value on the stack'],
    ['without a mark', [0x75], 'a mark on the stack'],
    ['with a key without value', [0x7d, 0x28, 0x4e, 0x75], 'a key without one'],
    ['that add to a number', [0x4b, 1, 0x4e, 0x61], 'a Array to add items to, got 1'],
    ['that remember nothing', [0x68, 7], 'a value in the memo, got none at 7'],
    ['that call a number', [0x4b, 1, 0x29, 0x52], 'a function and a tuple to call it with, got 1'],
    ['that build on a number', [0x4b, 1, 0x7d, 0x62], 'an object with attributes'],
    ['with an extension of Python', [0x82, 1], 'protocols 2 to 4, got 0x82'],
    ['with a line of protocol 0', [0x49, 0x31, 0x0a], 'got 0x49'],
    ['of protocol 5', [0x80, 5, 0x4e], 'protocol 2, 3 or 4, got 5'],
  ])('%s', async (_, code, message) => {
    await expectRefusal(zipOf(code), message);
  });

  it('of many megabytes of instructions end soon', async () => {
    const pickle = new Uint8Array(4_500_000).fill(0x4e);
    pickle.set([0x80, 2]);
    await expectRefusal(zipArchive([{ name: 'a/data.pkl', bytes: pickle }]), 'at most 4000000 instructions');
  });
});
