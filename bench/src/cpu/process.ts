// The suite `cpu` with one number of threads: options as JSON in the first argument, the rows as a message to the parent.
import type { CpuOptions } from './suite.ts';
import { cpuSuite } from './suite.ts';

const result = await cpuSuite(JSON.parse(process.argv[2]!) as CpuOptions);
// libraries leave workers behind: end when the message is out
process.send!(result, () => process.exit(0));
