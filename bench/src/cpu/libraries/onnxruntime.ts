// ONNX Runtime as a library of the comparison, in WebAssembly (-web) or native (-node): inference only.
import type { Library, Prepared } from '../library.ts';
import type { Importer } from '../peers.ts';
import type { ConvWork, NetWork, Values, Work } from '../work.ts';
import { isOfDetector } from '../work.ts';
import type { OnnxGraph, OnnxNode } from './onnxModel.ts';
import { onnxModel } from './onnxModel.ts';

interface OrtTensor {
  readonly data: Float32Array;
}
type Feeds = Record<string, OrtTensor>;

/** The part of the onnxruntime packages that the comparison calls. */
interface Ort {
  readonly env: { readonly versions: Record<string, string>; readonly wasm: { numThreads?: number } };
  readonly Tensor: new (type: 'float32', data: Float32Array, shape: readonly number[]) => OrtTensor;
  readonly InferenceSession: {
    create(
      model: Uint8Array,
      options: object,
    ): Promise<{ run(feeds: Feeds): Promise<Feeds>; release(): Promise<void> }>;
  };
}

interface Job {
  readonly graph: OnnxGraph;
  readonly feeds: Readonly<Record<string, Values>>;
}

const shapesOf = (feeds: Readonly<Record<string, Values>>): Record<string, readonly number[]> =>
  Object.fromEntries(Object.entries(feeds).map(([name, { shape }]) => [name, shape]));

/** One operator on an input and, as networks have it, fixed weights. */
const convJob = ({ pass, layer, border, x, weight, ct }: ConvWork): Job => {
  const isForward = pass === 'forward';
  const { stride, kernel, size } = layer;
  const sides = { strides: [stride, stride], pads: [border, border, border, border] };
  // what the strides leave over at the far side when the size is not a multiple of them
  const left = size - ((ct.shape[2]! - 1) * stride + kernel - 2 * border);
  const attributes = isForward ? sides : { ...sides, output_padding: [left, left] };
  const op = isForward ? 'Conv' : 'ConvTranspose';
  const feeds = { x: isForward ? x : ct };
  return {
    feeds,
    graph: {
      nodes: [{ op, inputs: ['x', 'w'], output: 'y', attributes }],
      inputs: shapesOf(feeds),
      weights: { w: weight },
      output: { name: 'y', axes: 4 },
    },
  };
};

const netJob = ({ image, layers }: NetWork): Job => {
  const weights: Record<string, Values> = {};
  const nodes = layers.flatMap((layer, i): OnnxNode[] => {
    const [from, output, before] = [`r${layer.from}`, `r${i + 1}`, `s${i + 1}`];
    if (layer.op === 'maxPool') {
      const attributes = { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] };
      return [{ op: 'MaxPool', inputs: [from], output, attributes }];
    }
    const rectify: OnnxNode = { op: 'Relu', inputs: [before], output };
    if (layer.op === 'addRelu')
      return [{ op: 'Add', inputs: [from, `r${layer.other}`], output: before }, rectify];
    weights[`w${i}`] = layer.weight;
    weights[`b${i}`] = layer.bias;
    const border = (layer.weight.shape[2]! - 1) / 2;
    const attributes = {
      strides: [layer.stride, layer.stride],
      pads: [border, border, border, border],
    };
    const inputs = [from, `w${i}`, `b${i}`];
    return layer.relu
      ? [{ op: 'Conv', inputs, output: before, attributes }, rectify]
      : [{ op: 'Conv', inputs, output, attributes }];
  });
  nodes.push({ op: 'GlobalAveragePool', inputs: [`r${layers.length}`], output: 'y' });
  const feeds = { r0: image };
  return { feeds, graph: { nodes, inputs: shapesOf(feeds), weights, output: { name: 'y', axes: 4 } } };
};

const jobOf = (work: Work): Job | string => {
  if (work.kind === 'matmul') {
    const feeds = { a: work.a, b: work.b };
    const nodes = Array.from({ length: work.times }, (_, i) => ({
      op: 'MatMul',
      inputs: [i === 0 ? 'a' : `y${i}`, 'b'],
      output: i === work.times - 1 ? 'y' : `y${i + 1}`,
    }));
    return {
      feeds,
      graph: { nodes, inputs: shapesOf(feeds), weights: {}, output: { name: 'y', axes: 2 } },
    };
  }
  if (work.kind === 'chain') return 'left out: only the suite gpu has it';
  if (work.kind === 'cnn') return 'inference only: no training';
  if (isOfDetector(work)) return 'cannot train the detector: inference only';
  if (work.kind === 'net') return netJob(work);
  return work.pass === 'filter gradient' ? 'inference only: no filter gradient' : convJob(work);
};

const prepare = async (ort: Ort, options: object, { graph, feeds }: Job): Promise<Prepared> => {
  const session = await ort.InferenceSession.create(onnxModel(graph), options);
  const inputs: Feeds = Object.fromEntries(
    Object.entries(feeds).map(([name, { data, shape }]) => [name, new ort.Tensor('float32', data, shape)]),
  );
  let result: Feeds = {};
  return {
    run: async () => {
      result = await session.run(inputs);
    },
    outputs: async () => [result.y!.data],
    free: () => void session.release(),
  };
};

/** ONNX Runtime in one of its two packages. */
export const onnxruntime = async (
  load: Importer,
  variant: 'web' | 'node',
  threads: number,
): Promise<Library> => {
  const ort = await load<Ort>(`onnxruntime-${variant}`);
  if (variant === 'web') ort.env.wasm.numThreads = threads;
  const provider = variant === 'web' ? 'wasm' : 'cpu';
  const options = { executionProviders: [provider], intraOpNumThreads: threads, interOpNumThreads: 1 };
  return {
    name: `ort-${variant}`,
    version: ort.env.versions[variant] ?? 'unknown',
    isThreaded: true,
    compilesFirst: false,
    prepare: async (work: Work) => {
      const job = jobOf(work);
      return typeof job === 'string' ? job : prepare(ort, options, job);
    },
  };
};
