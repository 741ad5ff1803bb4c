// The program of a worker thread, as JavaScript text: it is started from a string, so that bundlers need no second entry.
import { spinMilliseconds, word } from './control.ts';

/**
 * The source of a worker. It waits for messages (`start`, `load` and `drop` of programs) and between them serves
 * jobs from shared memory; new mail makes it leave them, for a thread that sleeps on memory hears no messages.
 *
 * Order matters: it reads the bell before it looks for tasks, and the caller rings after it has opened them, so
 * either the tasks are seen or the bell differs.
 */
export const workerSource: string = `
const node = globalThis.process?.getBuiltinModule?.('node:worker_threads');
const port = node ? node.parentPort : globalThis;
const programs = new Map();
let memory, control, thread, read = 0;

const take = () => {
  for (;;) {
    const open = Atomics.load(control, ${word.open});
    if (open <= 0) return -1;
    if (Atomics.compareExchange(control, ${word.open}, open, open - 1) === open) return open - 1;
  }
};

const execute = (task) => {
  const arity = control[${word.arity}];
  const at = ${word.tasks} + task * (arity + 1);
  const scratch = control[${word.scratch}] + thread * control[${word.scratchStride}];
  try {
    programs.get(control[${word.program}])[control[at]](...control.subarray(at + 1, at + 1 + arity), scratch);
  } catch (error) {
    Atomics.store(control, ${word.failed}, 1);
    port.postMessage({ failure: String(error) });
  }
  Atomics.add(control, ${word.done}, 1);
  if (Atomics.load(control, ${word.waiting}) === 1) Atomics.notify(control, ${word.done});
};

const serve = () => {
  for (;;) {
    const bell = Atomics.load(control, ${word.bell});
    if (Atomics.load(control, ${word.mail}) !== read) return;
    for (let task = take(); task >= 0; task = take()) execute(task);
    const end = performance.now() + ${spinMilliseconds};
    for (let turn = 1; Atomics.load(control, ${word.bell}) === bell; turn++) {
      if (turn % 64 !== 0 || performance.now() < end) continue;
      Atomics.add(control, ${word.sleepers}, 1);
      Atomics.wait(control, ${word.bell}, bell);
      Atomics.sub(control, ${word.sleepers}, 1);
    }
  }
};

const obey = (message) => {
  if (message.kind === 'start') {
    ({ memory, thread } = message);
    control = new Int32Array(memory.buffer, message.control, message.words);
  } else if (message.kind === 'load') {
    const { exports } = new WebAssembly.Instance(message.module, { env: { memory }, math: { pow: Math.pow } });
    programs.set(message.program, message.functions.map((name) => exports[name]));
  } else programs.delete(message.program);
};

const receive = (message) => {
  let failure;
  try {
    obey(message);
  } catch (error) {
    failure = String(error);
  }
  read = message.mail;
  port.postMessage({ mail: read, failure });
  if (control) serve();
};

if (node) port.on('message', receive);
else globalThis.onmessage = (event) => receive(event.data);
`;
