// Where the time goes in whole programs: by kind of work, by step, and how much of it is spent in TypeScript.
import { performance } from 'node:perf_hooks';
import type { Backend, StepProfile } from '@autoassign/tensor';
import { prepareWork } from '../cpu/libraries/ours.ts';
import type { ProfiledWork } from '../cpu/libraries/oursDetector.ts';
import { detectorWork } from '../cpu/trainingWork.ts';
import type { Work } from '../cpu/work.ts';
import { allWork } from '../cpu/work.ts';
import type { MeasureOptions } from '../measure.ts';
import type { Part, Row } from '../record.ts';
import { spreadOf } from '../spread.ts';

/** Programs to look into, each made when its turn comes: a whole ResNet takes a while to draw. */
const programs = (seed: number): { readonly name: string; readonly make: () => Promise<Work> }[] => [
  ...detectorWork(seed),
  ...allWork(seed)
    .filter(({ work }) => work.kind === 'net')
    .map(({ name, work }) => ({ name, make: async () => work })),
];

const productOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** Floating point operations of one call, by the definition; undefined for steps that are not products. */
const flopsOf = ({ op, attrs, inputs, output }: StepProfile): number | undefined => {
  const [a, second] = inputs;
  // a convolution may be given its filters as panels, whose shape says nothing
  const b = (attrs.filterShape as StepProfile['output'] | undefined) ?? second;
  if (op === 'conv2d') return 2 * productOf(output) * productOf(b!.slice(1));
  if (op === 'conv2dInputGrad') return 2 * productOf(a!) * productOf(b!.slice(1));
  if (op === 'conv2dFilterGrad') return 2 * productOf(b!) * productOf(output.slice(1));
  if (op !== 'matmul') return undefined;
  // (m k) (k n) (m n) = (m n k)^2, whichever operand is transposed
  const batch = productOf(output.slice(0, -2));
  return 2 * batch * Math.sqrt([a!, b!, output].reduce((all, shape) => all * productOf(shape.slice(-2)), 1));
};

const kinds: Readonly<Record<string, string>> = {
  conv2d: 'convolutions, forward',
  conv2dInputGrad: 'convolutions, input gradient',
  conv2dFilterGrad: 'convolutions, filter gradient',
  matmul: 'matrix products',
  filterPanels: 'filters as panels',
  poolArgMax2d: 'pooling',
  'loop (elementwise)': 'norm and elementwise loops',
  'loop (reduction)': 'reductions, with what they fold',
  'loop (movement)': 'movement',
  identity: 'movement',
};

const inReferences = 'TypeScript: reference kernels';
const between = 'TypeScript: between steps (arguments, results, calls)';

const kindOf = ({ op, tier }: StepProfile): string =>
  tier === 'reference' ? inReferences : (kinds[op] ?? op);

/** Steps as they ran after an earlier look. */
const since = (before: readonly StepProfile[], after: readonly StepProfile[]): StepProfile[] =>
  after.map((step, i) => ({
    ...step,
    calls: step.calls - before[i]!.calls,
    milliseconds: step.milliseconds - before[i]!.milliseconds,
  }));

/** The time of each kind of work per call, most first; what the steps do not explain is time between them. */
const partsOf = (steps: readonly StepProfile[], calls: number, whole: number): Part[] => {
  const byKind = new Map([
    [inReferences, 0],
    [between, whole - steps.reduce((sum, { milliseconds }) => sum + milliseconds, 0)],
  ]);
  for (const step of steps) byKind.set(kindOf(step), (byKind.get(kindOf(step)) ?? 0) + step.milliseconds);
  return [...byKind]
    .map(([name, milliseconds]) => ({ name, milliseconds: milliseconds / calls }))
    .sort((a, b) => b.milliseconds - a.milliseconds);
};

/** The most expensive steps per call. */
const worstOf = (steps: readonly StepProfile[]): Part[] =>
  [...steps]
    .sort((a, b) => b.milliseconds - a.milliseconds)
    .slice(0, 10)
    .map((step) => {
      const milliseconds = step.milliseconds / step.calls;
      const flops = flopsOf(step);
      const label = step.label === undefined ? '' : ` ${step.label}`;
      const tier = step.tier === 'reference' ? ' (TypeScript)' : '';
      return {
        name: `${step.op} [${step.output}]${label}${tier}`,
        milliseconds,
        ...(flops === undefined ? {} : { gigaflops: flops / milliseconds / 1e6 }),
      };
    });

/** A row with the kinds of work as parts, and the most expensive steps. */
export interface ProfileRow extends Row {
  readonly parts: readonly Part[];
  /** The share of the time spent in TypeScript: in reference kernels and between steps. */
  readonly typescriptShare: number;
  readonly steps: readonly Part[];
}

const profileOf = async (
  name: string,
  work: ProfiledWork,
  { time, rounds }: MeasureOptions,
): Promise<ProfileRow> => {
  for (let i = 0; i < 3; i++) await work.run(); // until the engine has compiled its kernels for good
  const before = work.profile();
  const samples: number[] = [];
  for (let spent = 0; samples.length < 3 || spent < time * rounds; spent += samples.at(-1)!) {
    const start = performance.now();
    await work.run();
    samples.push(performance.now() - start);
  }
  const steps = since(before, work.profile());
  const whole = samples.reduce((a, b) => a + b, 0);
  const parts = partsOf(steps, samples.length, whole);
  const mean = whole / samples.length;
  const typescript = parts.filter((part) => part.name === inReferences || part.name === between);
  const flops = steps.reduce((sum, step) => sum + (flopsOf(step) ?? 0), 0);
  return {
    name,
    threads: 1,
    unit: 'ms',
    ours: spreadOf(samples),
    gigaflops: flops / mean / 1e6,
    peers: {},
    parts,
    typescriptShare: typescript.reduce((sum, { milliseconds }) => sum + milliseconds, 0) / mean,
    steps: worstOf(steps),
  };
};

/** One row per program, with its kinds of work and its most expensive steps. */
export const profileSuite = async (
  backend: Backend,
  seed: number,
  options: MeasureOptions,
): Promise<ProfileRow[]> => {
  const rows: ProfileRow[] = [];
  for (const { name, make } of programs(seed)) {
    const work = await prepareWork({ backend, profile: true }, await make());
    rows.push(await profileOf(name, work, options));
    work.free();
  }
  return rows;
};

const line = ({ name, milliseconds, gigaflops }: Part, whole: number): string => {
  const share = `${((100 * milliseconds) / whole).toFixed(1)} %`.padStart(7);
  const rate = gigaflops === undefined ? '' : `  ${gigaflops.toFixed(0)} GFLOP/s`;
  return `  ${milliseconds.toFixed(3).padStart(9)} ms ${share}  ${name}${rate}`;
};

/** A profile as text. */
export const profileText = ({ name, ours, parts, steps, typescriptShare }: ProfileRow): string => {
  const whole = parts.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  return [
    `${name}: ${whole.toFixed(2)} ms per call (median ${ours.median.toFixed(2)}), ${(100 * typescriptShare).toFixed(2)} % of it in TypeScript`,
    ...parts.map((part) => line(part, whole)),
    ' the most expensive steps:',
    ...steps.map((step) => line(step, whole)),
  ].join('\n');
};
