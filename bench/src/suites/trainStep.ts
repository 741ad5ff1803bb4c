// One whole training step of the demo detector: forward, AutoAssign loss, gradients, update; and its forward pass alone.
import type { Backend } from '@autoassign/tensor';
import { prepareOfDetector } from '../cpu/libraries/oursDetector.ts';
import { detectorWork } from '../cpu/trainingWork.ts';
import type { Task } from '../measure.ts';

/** The tasks of the suite on a backend. */
export const stepTasks = (backend: Backend, seed: number): Promise<Task[]> =>
  Promise.all(
    detectorWork(seed)
      .filter(({ name }) => name.startsWith('demo '))
      .map(async ({ name, flops, make }): Promise<Task> => {
        const { run } = await prepareOfDetector({ backend }, await make());
        return { name, flops, run };
      }),
  );
