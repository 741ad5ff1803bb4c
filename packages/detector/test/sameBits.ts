// A short training run and the bits it must give everywhere: WebAssembly computes the same in every engine.
import type { Backend } from '@autoassign/tensor';
import { leaves, read, scalar } from '@autoassign/tensor';
import { batchTensors, trainStep } from '../src/index.ts';
import { freshState, optimizer, squareBatch, tinyConfig, wasm } from './tiny.ts';

/** What a run gives: the loss before every step, and one number that stands for all bits of the final parameters. */
export interface ShortRun {
  readonly losses: readonly number[];
  readonly parameterBits: number;
}

/** Recorded on Node 20 (x64); to be recorded anew when a kernel sums in another order. */
export const recordedRun: ShortRun = {
  losses: [1.8965198993682861, 1.7232989072799683, 1.7160685062408447, 1.6359856128692627],
  parameterBits: 1480380521,
};

/** Four steps of the tiny detector on a wasm backend, which is destroyed. */
export const shortRun = async (given?: Backend): Promise<ShortRun> => {
  const backend = given ?? (await wasm());
  const step = trainStep({ config: tinyConfig, optimizer, backend });
  let state = await freshState();
  const losses: number[] = [];
  for (let i = 0; i < 4; i++) {
    const result = await step(state, batchTensors(squareBatch(i, 2)), scalar(2e-3));
    state = result.state;
    losses.push((await read(result.losses.total))[0]!);
  }
  let bits = 0;
  for (const leaf of leaves(state.params)) {
    const data = (await read(leaf)) as Float32Array;
    for (const word of new Int32Array(data.buffer, data.byteOffset, data.length))
      bits = Math.imul(bits ^ word, 0x01000193);
  }
  await backend.destroy();
  return { losses, parameterBits: bits };
};
