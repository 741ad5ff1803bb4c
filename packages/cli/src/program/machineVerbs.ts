// The verbs about the machine that the program runs on, as data: `doctor`.
import type { DoctorOptions } from '../options.ts';
import type { VerbSpec } from './specification.ts';
import { verbSpec } from './specification.ts';

const doctor = verbSpec<DoctorOptions>({
  name: 'doctor',
  description: 'say which backends run on this machine, and why others do not',
  options: [
    { flags: '--json', description: 'a JSON line per backend on standard output, nothing else there' },
    {
      flags: '--tune',
      description: 'try tile sizes of matrix products on the GPU, and keep the fastest for --backend webgpu',
    },
  ],
  examples: [
    { words: 'doctor', meaning: 'which backends run here' },
    { words: 'doctor --tune', meaning: 'on a machine with a GPU, once' },
  ],
  run: (verbs) => verbs.doctor,
});

/** `doctor`. */
export const machineVerbs: readonly VerbSpec[] = [doctor];
