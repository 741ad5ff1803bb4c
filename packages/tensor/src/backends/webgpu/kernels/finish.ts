// The epilogue of a convolution's kernel as a function of WGSL: what is done to every element before it is stored.
import type { Epilogue } from '../../../graph/epilogues.ts';
import type { Spec } from '../../../tensor.ts';
import { expressionText } from '../expressionText.ts';
import type { FunctionName } from '../functions.ts';
import { declarationsOf } from '../functions.ts';
import { storedType } from '../kernel.ts';

/** An epilogue, its operands (the last inputs of the step), and the channel of an element as text. */
export interface Finish {
  readonly epilogue: Epilogue;
  readonly operands: readonly Spec[];
  readonly channel: string;
}

/** How the operands are stored; none without an epilogue. */
export const operandTypes = (finish: Finish | undefined): readonly string[] =>
  finish?.operands.map(({ dtype }) => storedType(dtype)) ?? [];

/** The function `finish(sum, place, channel)` and what it calls; `nameOf` gives the variable of an operand. */
export const finishTexts = ({ epilogue }: Finish, nameOf: (operand: number) => string): readonly string[] => {
  const used = new Set<FunctionName>();
  const { statements, value } = expressionText(
    epilogue.expression,
    (input) => {
      const read = epilogue.reads[input]!;
      if (read.kind === 'result') return 'sum';
      if (read.kind === 'alike') return `${nameOf(read.operand)}[place]`;
      return `${nameOf(read.operand)}[channel * ${read.stride} + ${read.offset}]`;
    },
    (name) => used.add(name),
  );
  const lines = [...statements, `return ${value};`].map((line) => `  ${line}`);
  return [
    ...declarationsOf(used),
    ['fn finish(sum: f32, place: i32, channel: i32) -> f32 {', ...lines, '}'].join('\n'),
  ];
};
