// The reference backend: every step by its record's plain loops, unfused, in single or double precision. The oracle of every test.
import type { Graph, Step } from '../../graph/graph.ts';
import { separateResults } from '../../graph/graph.ts';
import { printGraph } from '../../graph/print.ts';
import { viewOf } from '../../ops/views.ts';
import { sizeOf } from '../../shape.ts';
import type { Data, Spec } from '../../tensor.ts';
import type { Backend, Buffer, KernelChoice, Program } from '../backend.ts';
import { openLedger, programDestroyed } from '../ledger.ts';
import { stopwatch } from '../profile.ts';

/** Options of the reference backend. */
export interface CpuOptions {
  /** How f32 tensors are stored: as they are, or in double precision. Sums are double either way. */
  readonly precision?: 'f32' | 'f64';
}

const byDesign: KernelChoice = {
  tier: 'reference',
  reason: 'cpu runs the reference kernels by design',
};

const storageFor = (spec: Spec, precision: 'f32' | 'f64'): Data => {
  const size = sizeOf(spec.shape);
  if (spec.dtype === 'i32') return new Int32Array(size);
  if (spec.dtype === 'bool') return new Uint8Array(size);
  return precision === 'f64' ? new Float64Array(size) : new Float32Array(size);
};

/** The reference backend. */
export const cpuBackend = (options: CpuOptions = {}): Backend => {
  const precision = options.precision ?? 'f32';
  const ledger = openLedger<Data>(() => undefined);
  const keep = (data: Data, spec: Spec): Buffer => ledger.open(backend, spec, data, data.byteLength);
  const stored = (data: Data, spec: Spec): Data => {
    const copy = storageFor(spec, precision);
    copy.set(data as Float64Array);
    return copy;
  };

  const program = (graph: Graph, isProfiled: boolean): Program => {
    const constants = graph.constants.map(
      ({ slot, data }) => [slot, stored(data, graph.specs[slot]!)] as const,
    );
    const lastUse = lastUses(graph);
    let isDestroyed = false;
    const runStep = (step: Step, values: (Data | undefined)[]): void => {
      const spec = graph.specs[step.output]!;
      const out = storageFor(spec, precision);
      const inputs = step.inputs.map((slot) => viewOf(values[slot]!, graph.specs[slot]!.shape));
      step.op.reference(inputs, viewOf(out, spec.shape), step.attrs);
      values[step.output] = out;
    };
    const plain = graph.steps.map((step) => (values: (Data | undefined)[]) => runStep(step, values));
    const watch = isProfiled
      ? stopwatch(
          graph,
          graph.steps.map(() => byDesign),
          plain,
        )
      : undefined;
    const runners = watch?.runners ?? plain;
    return {
      run: (args) => {
        ledger.requireOpen('cpu');
        if (isDestroyed) throw programDestroyed('cpu');
        const values: (Data | undefined)[] = [];
        for (const [slot, data] of constants) values[slot] = data;
        graph.args.forEach(({ slot }, i) => {
          values[slot] = ledger.placeOf(args[i]!);
        });
        graph.steps.forEach((step, i) => {
          runners[i]!(values);
          for (const slot of step.inputs) if (lastUse[slot] === i) values[slot] = undefined;
        });
        graph.args.forEach(({ donated }, i) => {
          if (donated) ledger.close(args[i]!, 'donated');
        });
        ledger.count(graph.steps.length, 0);
        return graph.results.map((slot) => keep(values[slot]!, graph.specs[slot]!));
      },
      describe: () => `backend cpu (${precision}), reference kernels by design\n${printGraph(graph)}`,
      profile: () => watch?.profile() ?? [],
      destroy: () => {
        isDestroyed = true;
      },
    };
  };

  const backend: Backend = {
    name: 'cpu',
    kernelFor: () => byDesign,
    compile: async (graph, { profile = false } = {}) => {
      ledger.requireOpen('cpu');
      return program(separateResults(graph), profile);
    },
    upload: (data, spec) => keep(stored(data, spec), spec),
    download: async (buffer) => ledger.placeOf(buffer).slice(),
    free: (buffer) => ledger.close(buffer, 'freed'),
    stats: ledger.stats,
    destroy: async () => ledger.shut(),
  };
  return backend;
};

/** The last step that reads each slot; results are read after the last step. */
const lastUses = (graph: Graph): number[] => {
  const last: number[] = [];
  graph.steps.forEach((step, i) => {
    for (const slot of step.inputs) last[slot] = i;
  });
  for (const slot of graph.results) last[slot] = graph.steps.length;
  return last;
};
