// Files of torch.save in a browser: from a Blob, as from a file that was dropped on a page.
import { expect, it } from 'vitest';
import { sourceOfBlob } from '../../src/weights/byteSource.ts';
import type { StoredTensor } from '../../src/weights/safetensors.ts';
import { writeTorch } from '../../src/weights/torch/writeTorch.ts';
import { openWeights } from '../../src/weights/weightsFile.ts';

it('are read where they are, and say what they are', async () => {
  const stored: StoredTensor = { dtype: 'F32', shape: [2, 2], data: Float32Array.of(1, -0, Number.NaN, 4) };
  const bytes = writeTorch(
    { 'module.bbox_head.conv_cls.weight': stored },
    { meta: { CLASSES: ['Größe', 'b'] } },
  );
  const file = await openWeights(sourceOfBlob(new Blob([bytes as BlobPart])), { label: 'a.pth' });
  expect(file.report).toMatchObject({ container: 'torch zip', prefix: 'module.', classes: ['Größe', 'b'] });
  expect(await file.read('bbox_head.conv_cls.weight')).toEqual(stored);
  const cut = openWeights(sourceOfBlob(new Blob([bytes.slice(0, 500) as BlobPart])), { label: 'a.pth' });
  await expect(cut).rejects.toThrow('readTorch(a.pth): needs the directory of a ZIP archive');
});
