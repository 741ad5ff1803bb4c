// Our engine as a library of the suite `gpu`: on a backend that is opened for every piece of work.
import type { Backend, BackendName, BackendOptions } from '@autoassign/tensor';
import { createBackend, evaluate, read, release, scalar } from '@autoassign/tensor';
import { prepareWork } from '../cpu/libraries/ours.ts';
import type { Library } from '../cpu/library.ts';

/** Our engine on a backend; every piece of work gets its own, whose statistics are then those of the work. */
const oursOn = (name: string, open: () => Promise<Backend>): Library => ({
  name,
  version: 'this commit',
  isThreaded: true,
  compilesFirst: true,
  prepare: async (work) => {
    const backend = await open();
    const prepared = await prepareWork({ backend }, work);
    // runs resolve when they are queued; what is read after them has waited for them
    const marker = await evaluate(scalar(0), { backend });
    return {
      run: async () => {
        await prepared.run();
        await read(marker);
      },
      outputs: prepared.outputs,
      usage: () => {
        const { launches, peakBytes } = backend.stats();
        return { launches, peakBytes };
      },
      free: () => {
        prepared.free();
        release(marker);
        void backend.destroy();
      },
    };
  },
});

/** Our engine on a backend of the given name, for the table under a label. */
export const oursNamed = <Name extends BackendName>(
  label: string,
  name: Name,
  options?: BackendOptions[Name],
): Library => oursOn(label, () => createBackend(name, options));
