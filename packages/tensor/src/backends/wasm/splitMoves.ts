// How steps that move or look up elements are divided between threads: along the outermost dimension of what they write.
import type { GatherAttrs, ScatterAttrs } from '../../ops/indexing.ts';
import type { ConcatAttrs, PadAttrs } from '../../ops/movement.ts';
import type { ArgMaxAttrs } from '../../ops/reduce.ts';
import { sizeOf } from '../../shape.ts';
import type { Spec } from '../../tensor.ts';
import type { Division, StepPart, WholeStep } from './split.ts';

type Splitter = (step: WholeStep, division: Division) => readonly StepPart[] | undefined;

/** Parts of rows of the output, two per thread; each needs the same rows of the inputs that `isByRow` names, and all of the others. */
const splitRows = (
  { inputs, output, attrs }: WholeStep,
  { threads }: Division,
  isByRow: (input: number) => boolean,
): readonly StepPart[] => {
  const rows = output.shape[0] ?? 0;
  const count = Math.min(rows, 2 * threads);
  const border = (part: number): number => Math.floor((part * rows) / count);
  const bytesBefore = (row: number, spec: Spec): number => 4 * row * sizeOf(spec.shape.slice(1));
  return Array.from({ length: count }, (_, part) => {
    const [from, to] = [border(part), border(part + 1)];
    const rowsOf = (spec: Spec): Spec => ({ ...spec, shape: [to - from, ...spec.shape.slice(1)] });
    return {
      inputs: inputs.map((spec, i) => (isByRow(i) ? rowsOf(spec) : spec)),
      output: rowsOf(output),
      attrs,
      offsets: [
        ...inputs.map((spec, i) => (isByRow(i) ? bytesBefore(from, spec) : 0)),
        bytesBefore(from, output),
      ],
    };
  });
};

const isEnough = (specs: readonly Spec[], { least }: Division): boolean =>
  Math.max(...specs.map(({ shape }) => sizeOf(shape))) >= least.elements;

const splitConcat: Splitter = (step, division) => {
  const { axis } = step.attrs as ConcatAttrs;
  return axis > 0 && isEnough([step.output], division) ? splitRows(step, division, () => true) : undefined;
};

const splitPad: Splitter = (step, division) => {
  const { before, afterwards } = step.attrs as PadAttrs;
  const isWhole = before[0] === 0 && afterwards[0] === 0;
  return isWhole && isEnough([step.output], division) ? splitRows(step, division, () => true) : undefined;
};

const splitGather: Splitter = (step, division) => {
  if (!isEnough([step.output], division)) return undefined;
  const { axis, batch } = step.attrs as GatherAttrs;
  if (batch > 0) return splitRows(step, division, () => true);
  if (axis > 0) return splitRows(step, division, (input) => input === 0);
  // the first dimension of the indices is that of the output; a single index leaves nothing to divide
  return step.inputs[1]!.shape.length > 0 ? splitRows(step, division, (input) => input === 1) : undefined;
};

/** Updates of one place are added in their order by one thread: only rows with places of their own are divided. */
const splitScatterAdd: Splitter = (step, division) => {
  const { axis, batch } = step.attrs as ScatterAttrs;
  if (axis === 0 || !isEnough([step.inputs[0]!, step.output], division)) return undefined;
  return splitRows(step, division, (input) => input === 0 || batch > 0);
};

const splitArgMax: Splitter = (step, division) => {
  const { axis } = step.attrs as ArgMaxAttrs;
  return axis > 0 && isEnough(step.inputs, division) ? splitRows(step, division, () => true) : undefined;
};

/** By the op's name. */
export const moveSplitters: Readonly<Record<string, Splitter>> = {
  concat: splitConcat,
  pad: splitPad,
  gather: splitGather,
  scatterAdd: splitScatterAdd,
  argMax: splitArgMax,
};
