// Where the time of a program goes: a stopwatch around every step, there only when it is asked for.
import type { Graph, Step } from '../graph/graph.ts';
import { isLoop } from '../graph/print.ts';
import type { Attrs } from '../primitive.ts';
import type { Shape } from '../tensor.ts';
import type { KernelChoice } from './backend.ts';

/** What one step of a program has cost so far. */
export interface StepProfile {
  /** The op, or for fused loops what they do in the main. */
  readonly op: string;
  readonly label?: string;
  readonly attrs: Attrs;
  readonly inputs: readonly Shape[];
  readonly output: Shape;
  readonly tier: KernelChoice['tier'];
  readonly calls: number;
  /** Of all calls together. */
  readonly milliseconds: number;
}

/** Runners that are timed, and the times so far. */
export interface Stopwatch<Arguments extends readonly unknown[]> {
  readonly runners: readonly ((...args: Arguments) => void)[];
  readonly profile: () => readonly StepProfile[];
}

/** The runners of a graph's steps with a stopwatch around each. */
export const stopwatch = <Arguments extends readonly unknown[]>(
  { steps, specs }: Graph,
  choices: readonly KernelChoice[],
  runners: readonly ((...args: Arguments) => void)[],
): Stopwatch<Arguments> => {
  const calls = new Float64Array(steps.length);
  const milliseconds = new Float64Array(steps.length);
  const timed = runners.map((run, i) => (...args: Arguments): void => {
    const start = performance.now();
    run(...args);
    milliseconds[i]! += performance.now() - start;
    calls[i]!++;
  });
  const profile = (): StepProfile[] =>
    steps.map((step, i) => ({
      op: nameOf(step),
      ...(step.label === undefined ? {} : { label: step.label }),
      attrs: step.attrs,
      inputs: step.inputs.map((slot) => specs[slot]!.shape),
      output: specs[step.output]!.shape,
      tier: choices[i]!.tier,
      calls: calls[i]!,
      milliseconds: milliseconds[i]!,
    }));
  return { runners: timed, profile };
};

/** The op's name; of a fused loop `loop` and whether it folds, computes, or only moves elements. */
const nameOf = ({ op, attrs }: Step): string => {
  if (!isLoop(attrs)) return op.name;
  const { reduction, expression } = attrs.loop;
  if (reduction !== undefined) return 'loop (reduction)';
  return expression.kind === 'input' ? 'loop (movement)' : 'loop (elementwise)';
};
