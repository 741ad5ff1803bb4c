// How steps that move or look up elements are divided between threads: along the dimensions before the one that they are about,
// taken as a single one, the rows.
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

/** The spec with its first dimensions taken as one. */
const withRows = (spec: Spec, dimensions: number): Spec => ({
  ...spec,
  shape: [sizeOf(spec.shape.slice(0, dimensions)), ...spec.shape.slice(dimensions)],
});

const splitConcat: Splitter = (step, division) => {
  const { axis } = step.attrs as ConcatAttrs;
  if (axis === 0 || !isEnough([step.output], division)) return undefined;
  const attrs: ConcatAttrs = { axis: 1 };
  const inputs = step.inputs.map((spec) => withRows(spec, axis));
  return splitRows({ ...step, inputs, output: withRows(step.output, axis), attrs }, division, () => true);
};

const splitPad: Splitter = (step, division) => {
  const { before, afterwards, value } = step.attrs as PadAttrs;
  const rows = before.findIndex((count, d) => count > 0 || afterwards[d]! > 0);
  if (rows < 1 || !isEnough([step.output], division)) return undefined;
  const inner = (counts: readonly number[]): readonly number[] => [0, ...counts.slice(rows)];
  const attrs: PadAttrs = { before: inner(before), afterwards: inner(afterwards), value };
  const inputs = step.inputs.map((spec) => withRows(spec, rows));
  return splitRows({ ...step, inputs, output: withRows(step.output, rows), attrs }, division, () => true);
};

/** Gather and its adjoint: rows have indices of their own where there are batches, else all have the same. */
const splitIndexed = (step: WholeStep, division: Division): readonly StepPart[] => {
  const { batch, axis } = step.attrs as GatherAttrs;
  const rows = batch > 0 ? batch : axis;
  const attrs = { ...step.attrs, axis: axis - rows + 1, batch: batch > 0 ? 1 : 0 };
  const [moved, indices] = step.inputs as readonly [Spec, Spec];
  const inputs = [withRows(moved, rows), batch > 0 ? withRows(indices, rows) : indices];
  const whole = { ...step, inputs, output: withRows(step.output, rows), attrs };
  return splitRows(whole, division, (input) => input === 0 || batch > 0);
};

const splitGather: Splitter = (step, division) => {
  if (!isEnough([step.output], division)) return undefined;
  const { axis } = step.attrs as GatherAttrs;
  if (axis > 0) return splitIndexed(step, division);
  // the first dimension of the indices is that of the output; a single index leaves nothing to divide
  return step.inputs[1]!.shape.length > 0 ? splitRows(step, division, (input) => input === 1) : undefined;
};

/** Updates of one place are added in their order by one thread: only rows with places of their own are divided. */
const splitScatterAdd: Splitter = (step, division) => {
  const { axis } = step.attrs as ScatterAttrs;
  const isWhole = axis === 0 || !isEnough([step.inputs[0]!, step.output], division);
  return isWhole ? undefined : splitIndexed(step, division);
};

const splitArgMax: Splitter = (step, division) => {
  const { axis } = step.attrs as ArgMaxAttrs;
  if (axis === 0 || !isEnough(step.inputs, division)) return undefined;
  const attrs: ArgMaxAttrs = { axis: 1 };
  const inputs = step.inputs.map((spec) => withRows(spec, axis));
  return splitRows({ ...step, inputs, output: withRows(step.output, axis), attrs }, division, () => true);
};

/** By the op's name. */
export const moveSplitters: Readonly<Record<string, Splitter>> = {
  concat: splitConcat,
  pad: splitPad,
  gather: splitGather,
  scatterAdd: splitScatterAdd,
  argMax: splitArgMax,
};
