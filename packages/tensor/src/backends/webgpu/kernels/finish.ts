// The epilogue of a convolution's kernel as a function of WGSL: what is done to every element before it is stored.
import type { Epilogue } from '../../../graph/epilogues.ts';
import type { Spec } from '../../../tensor.ts';
import { expressionText } from '../expressionText.ts';
import type { FunctionName } from '../functions.ts';
import { declarationsOf } from '../functions.ts';
import { storedType } from '../kernel.ts';
import { signReads } from './halves.ts';

/** An epilogue, its operands (the last inputs of the step), and the channel of an element as text. */
export interface Finish {
  readonly epilogue: Epilogue;
  readonly operands: readonly Spec[];
  readonly channel: string;
  /** Which operands are stored as halves: those of which only the sign is asked. None without it. */
  readonly halves?: readonly boolean[] | undefined;
}

/** How the operands are stored; none without an epilogue. */
export const operandTypes = (finish: Finish | undefined): readonly string[] =>
  finish?.operands.map(({ dtype }, operand) =>
    finish.halves?.[operand] === true ? signReads.type : storedType(dtype),
  ) ?? [];

/** The function `finish(sum, place, channel)` and what it calls; `nameOf` gives the variable of an operand. */
export const finishTexts = (
  { epilogue, halves = [] }: Finish,
  nameOf: (operand: number) => string,
): readonly string[] => {
  const used = new Set<FunctionName>();
  const { statements, value } = expressionText(
    epilogue.expression,
    (input) => {
      const read = epilogue.reads[input]!;
      if (read.kind === 'result') return 'sum';
      const place = read.kind === 'alike' ? 'place' : `channel * ${read.stride} + ${read.offset}`;
      const name = nameOf(read.operand);
      return halves[read.operand] === true ? signReads.element(name, place) : `${name}[${place}]`;
    },
    (name) => used.add(name),
  );
  const lines = [...statements, `return ${value};`].map((line) => `  ${line}`);
  return [
    ...declarationsOf(used),
    ...(halves.includes(true) ? signReads.declarations : []),
    ['fn finish(sum: f32, place: i32, channel: i32) -> f32 {', ...lines, '}'].join('\n'),
  ];
};
