// The reference backend: every step by its record's plain loops, unfused, in single or double precision. The oracle of every test.
import { LifetimeError } from '../../errors.ts';
import type { Graph, Step } from '../../graph/graph.ts';
import { separateResults } from '../../graph/graph.ts';
import { printGraph } from '../../graph/print.ts';
import { viewOf } from '../../ops/views.ts';
import { sizeOf } from '../../shape.ts';
import type { Data, Spec } from '../../tensor.ts';
import type { Backend, Buffer, Program } from '../backend.ts';

/** Options of the reference backend. */
export interface CpuOptions {
  /** How f32 tensors are stored: as they are, or in double precision. Sums are double either way. */
  readonly precision?: 'f32' | 'f64';
}

const storageFor = (spec: Spec, precision: 'f32' | 'f64'): Data => {
  const size = sizeOf(spec.shape);
  if (spec.dtype === 'i32') return new Int32Array(size);
  if (spec.dtype === 'bool') return new Uint8Array(size);
  return precision === 'f64' ? new Float64Array(size) : new Float32Array(size);
};

/** The reference backend. */
export const cpuBackend = (options: CpuOptions = {}): Backend => {
  const precision = options.precision ?? 'f32';
  const store = new Map<Buffer, Data>();
  const counts = { id: 0, bytes: 0, peakBytes: 0, launches: 0 };

  const keep = (data: Data, spec: Spec): Buffer => {
    const buffer: Buffer = { backend, spec, id: counts.id++, state: 'live' };
    store.set(buffer, data);
    counts.bytes += data.byteLength;
    counts.peakBytes = Math.max(counts.peakBytes, counts.bytes);
    return buffer;
  };
  const release = (buffer: Buffer, state: 'donated' | 'freed'): void => {
    if (buffer.state !== 'live') return;
    counts.bytes -= dataOf(buffer).byteLength;
    store.delete(buffer);
    buffer.state = state;
  };
  const dataOf = (buffer: Buffer): Data => {
    const data = store.get(buffer);
    if (data === undefined) throw new LifetimeError(`cpu: buffer ${buffer.id} is ${buffer.state}.`);
    return data;
  };
  const stored = (data: Data, spec: Spec): Data => {
    const copy = storageFor(spec, precision);
    copy.set(data as Float64Array);
    return copy;
  };

  const program = (graph: Graph): Program => {
    const constants = graph.constants.map(
      ({ slot, data }) => [slot, stored(data, graph.specs[slot]!)] as const,
    );
    const lastUse = lastUses(graph);
    const runStep = (step: Step, values: (Data | undefined)[]): void => {
      const spec = graph.specs[step.output]!;
      const out = storageFor(spec, precision);
      const inputs = step.inputs.map((slot) => viewOf(values[slot]!, graph.specs[slot]!.shape));
      step.op.reference(inputs, viewOf(out, spec.shape), step.attrs);
      values[step.output] = out;
      counts.launches++;
    };
    return {
      run: (args) => {
        const values: (Data | undefined)[] = [];
        for (const [slot, data] of constants) values[slot] = data;
        graph.args.forEach(({ slot }, i) => {
          values[slot] = dataOf(args[i]!);
        });
        graph.steps.forEach((step, i) => {
          runStep(step, values);
          for (const slot of step.inputs) if (lastUse[slot] === i) values[slot] = undefined;
        });
        const results = graph.results.map((slot) => keep(values[slot]!, graph.specs[slot]!));
        graph.args.forEach(({ donated }, i) => {
          if (donated) release(args[i]!, 'donated');
        });
        return results;
      },
      describe: () => `backend cpu (${precision}), reference kernels\n${printGraph(graph)}`,
      destroy: () => undefined,
    };
  };

  const backend: Backend = {
    name: 'cpu',
    kernelFor: () => ({ tier: 'reference', reason: 'cpu runs the reference kernels by design' }),
    compile: (graph) => program(separateResults(graph)),
    upload: (data, spec) => keep(stored(data, spec), spec),
    download: async (buffer) => dataOf(buffer).slice(),
    free: (buffer) => release(buffer, 'freed'),
    stats: () => ({
      buffers: store.size,
      bytes: counts.bytes,
      peakBytes: counts.peakBytes,
      launches: counts.launches,
    }),
    destroy: async () => {
      for (const buffer of [...store.keys()]) release(buffer, 'freed');
    },
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
