// Files that PyTorch itself writes, where there is one: what a program saves is what we read, in both containers and all protocols.
import { describe, expect, it } from 'vitest';
import type { StoredTensor } from '../../../src/weights/safetensors.ts';
import { readTorch, type TorchFile } from '../../../src/weights/torch/readTorch.ts';
import { stateDictOf } from '../../../src/weights/torch/stateDict.ts';
import { openWeights } from '../../../src/weights/weightsFile.ts';
import { bytesOf } from '../storedArrays.ts';
import { python, runPython } from './python.ts';

/** Programs that leave a value in `content`, and what it holds as `expected`: a dictionary of tensors. */
const programs: Readonly<Record<string, string>> = {
  module: `
module = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.BatchNorm2d(8), torch.nn.GroupNorm(2, 8))
content = expected = module.state_dict()`,
  'data-parallel module': `
module = torch.nn.DataParallel(torch.nn.Linear(3, 2))
expected = module.state_dict()
content = {'state_dict': expected, 'epoch': 3}`,
  'training with an optimiser': `
module = torch.nn.Linear(3, 2)
optimizer = torch.optim.SGD(module.parameters(), lr=0.1, momentum=0.9)
module(torch.ones(1, 3)).sum().backward()
optimizer.step()
expected = module.state_dict()
content = {'model': expected, 'optimizer': optimizer.state_dict(), 'time': time.time()}`,
  'objects beside the weights': `
class History: pass
history = History()
history.values = [1, 2, np.arange(3) if np else 3]
expected = {'w': torch.randn(3)}
content = {'meta': {'path': pathlib.PurePosixPath('a/b'), 'when': datetime.datetime.now(), 'seen': {1, 2}}, 'message_hub': history, 'state_dict': expected}`,
  views: `
base = torch.arange(24, dtype=torch.int32).reshape(2, 3, 4)
expected = dict(base=base, t=base.permute(2, 0, 1), sub=base[:, 1:, ::2], one=base[1, 2, 3], wide=base[0, :1].expand(5, 4), flat=base.view(-1)[5:9])
content = expected`,
  'every type': `
expected = {str(dtype): (torch.randn(2, 3) * 50).to(dtype) for dtype in (torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool)}
content = expected`,
  'parameters and gradients': `
expected = {'p': torch.nn.Parameter(torch.randn(2)), 'g': torch.randn(3, requires_grad=True), 'tied': None}
expected['tied'] = expected['p']
content = expected`,
  'empty and scalar': `
expected = {'empty': torch.empty(0, 3), 'scalar': torch.tensor(3.5), 'counter': torch.tensor(7)}
content = expected`,
  'many tensors': `
expected = {f'layer{i}.weight': torch.randn(3) for i in range(1000)}
content = {'state_dict': collections.OrderedDict(expected)}`,
};

const script = (saving: string): string => `
import collections, datetime, json, pathlib, time, torch
try: import numpy as np
except ImportError: np = None
torch.manual_seed(0)
types = {torch.float64: 'F64', torch.float32: 'F32', torch.float16: 'F16', torch.bfloat16: 'BF16', torch.int64: 'I64', torch.int32: 'I32', torch.int16: 'I16', torch.int8: 'I8', torch.uint8: 'U8', torch.bool: 'BOOL'}
def described(t):
    flat = t.detach().contiguous().reshape(-1)
    return [types[t.dtype], list(t.shape), flat.view(torch.uint8).numpy().tobytes().hex() if flat.numel() else '']
${saving}
torch.save(content, 'zip.pth')
torch.save(content, 'zip4.pth', pickle_protocol=4)
torch.save(content, 'legacy.pth', _use_new_zipfile_serialization=False)
torch.save(content, 'legacy3.pth', _use_new_zipfile_serialization=False, pickle_protocol=3)
torch.save(content, 'legacy4.pth', _use_new_zipfile_serialization=False, pickle_protocol=4)
print(json.dumps([[name, *described(t)] for name, t in expected.items()]))
`;

const names = ['zip.pth', 'zip4.pth', 'legacy.pth', 'legacy3.pth', 'legacy4.pth'];

const arraysOf = async (file: TorchFile): Promise<readonly unknown[]> => {
  const found: unknown[] = [];
  for (const [name, tensor] of stateDictOf(file).tensors) {
    const stored: StoredTensor = await file.arrayOf(tensor);
    found.push([name, stored.dtype, stored.shape, Buffer.from(bytesOf(stored)).toString('hex')]);
  }
  return found;
};

describe.runIf(python !== undefined)('PyTorch saves', () => {
  it.each(Object.entries(programs))('%s', async (_, program) => {
    const { printed, files } = runPython(script(program), {}, names);
    const expected = JSON.parse(printed) as readonly unknown[];
    for (const name of names) {
      const file = await readTorch(files[name]!, { label: name, foreign: 'opaque' });
      expect(await arraysOf(file), name).toEqual(expected);
      expect((await openWeights(files[name]!)).arrays.size).toBe(expected.length);
    }
  });

  it('objects that would be executed, which we name instead', async () => {
    const attack = `
class Attack:
    def __reduce__(self): return (eval, ("open('attacked', 'w')",))
content = {'state_dict': {'w': torch.zeros(2)}, 'evil': Attack()}
expected = content['state_dict']`;
    const { files } = runPython(script(attack), {}, names);
    for (const name of names) {
      await expect(readTorch(files[name]!)).rejects.toThrow(
        /the Python object '(__builtin__|builtins)\.eval'/,
      );
      const beside = await readTorch(files[name]!, { foreign: 'opaque' });
      expect(beside.foreign[0]).toMatch(/^(__builtin__|builtins)\.eval$/);
      expect(await arraysOf(beside)).toEqual([['w', 'F32', [2], '0'.repeat(16)]]);
    }
  });
});
