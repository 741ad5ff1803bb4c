// What memory is for, in words: for the error when there is none left.
import { describeSpec } from '../../errors.ts';
import type { Slot } from '../../graph/graph.ts';
import type { Executable } from './program.ts';

/** What the memory of a plan is for: the bytes of its peak, and the step that needs the most. */
export const planPurpose = ({ plan, stepBytes }: Executable): string => {
  const { graph, bytes } = plan;
  const at = stepBytes.reduce((most, needed, i) => (needed > stepBytes[most]! ? i : most), 0);
  const { op, label, output } = graph.steps[at]!;
  const name = label === undefined ? op.name : `${op.name}(${label})`;
  const step = `${name} with ${stepBytes[at]} bytes for ${describeSpec(graph.specs[output]!)} and scratch`;
  return `the plan of a program (${bytes} bytes at its peak; the largest step is ${step})`;
};

/** What the memory of a slot is for, as one of the program's results or constants. */
export const slotPurpose = ({ plan: { graph } }: Executable, slot: Slot, role: string): string => {
  const step = graph.steps.find(({ output }) => output === slot);
  const maker =
    step === undefined ? '' : ` of ${step.op.name}${step.label === undefined ? '' : `(${step.label})`}`;
  return `${role} ${describeSpec(graph.specs[slot]!)}${maker}`;
};
