// The suite `gpu`: options as JSON in the first argument, the rows as a message to the parent.
import type { GpuOptions } from './suite.ts';
import { gpuSuite } from './suite.ts';

const result = await gpuSuite(JSON.parse(process.argv[2]!) as GpuOptions);
// a GPU device keeps a process alive: end when the message is out
process.send!(result, () => process.exit(0));
