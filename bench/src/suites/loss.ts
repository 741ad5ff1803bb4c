// The AutoAssign loss, forward and with gradients.
import type { Backend } from '@autoassign/tensor';
import { prepareLoss } from '../cpu/libraries/oursDetector.ts';
import { lossWork } from '../cpu/lossWork.ts';
import type { Task } from '../measure.ts';

/** The tasks of the suite on a backend. */
export const lossTasks = async (backend: Backend, seed: number): Promise<Task[]> => {
  const { works, total } = await lossWork(seed);
  return Promise.all(
    works.map(async ({ name, work }): Promise<Task> => {
      const { run, outputs } = await prepareLoss({ backend }, work);
      const check = async (): Promise<void> => {
        await run();
        const value = (await outputs())[0]![0]!;
        const isRight = Number.isFinite(value) && (total === undefined || Math.abs(value / total - 1) < 2e-5);
        if (!isRight) throw new Error(`loss: needs ${total ?? 'a finite value'}, got ${value}`);
      };
      return { name, check, run };
    }),
  );
};
