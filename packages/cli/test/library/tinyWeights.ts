// A file of weights of a small detector that knows nothing, made anywhere: in Node and in browsers.
import {
  createDetector,
  type DetectorConfig,
  demoConfig,
  type StoredTensor,
  writeSafetensors,
} from '@autoassign/detector';
import { key, leavesWithPaths, read } from '@autoassign/tensor';

const demo = demoConfig(['block', 'other']);

export const tinyConfig: DetectorConfig = {
  ...demo,
  backbone: { ...demo.backbone, stem: { kind: 'plain', widths: [8, 8] }, planes: [8, 8, 8, 8] },
  neck: { ...demo.neck, channels: 8 },
  head: { ...demo.head, convs: 1, groups: 1 },
  test: { ...demo.test, scoreThreshold: 0.001 },
};

/** What a file says besides its arrays: the configuration, and that pictures are at most 64 pixels long. */
const notes = {
  images: JSON.stringify({ test: { shortSide: 64, longSide: 64, enlarge: false } }),
};

/** The arrays of a network that knows nothing, as a file with what is said of them and nothing else. */
export async function bareWeights(
  config: DetectorConfig,
  metadata: Readonly<Record<string, string>> = {},
): Promise<Uint8Array> {
  const params = await createDetector(config).init(key(7));
  const tensors: Record<string, StoredTensor> = {};
  for (const [name, leaf] of leavesWithPaths(params))
    tensors[name] = { dtype: 'F32', shape: leaf.shape, data: Float32Array.from(await read(leaf)) };
  return writeSafetensors(tensors, metadata);
}

export const tinyWeights = (): Promise<Uint8Array> =>
  bareWeights(tinyConfig, { config: JSON.stringify(tinyConfig), notes: JSON.stringify(notes) });
