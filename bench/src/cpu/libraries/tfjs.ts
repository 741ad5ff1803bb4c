// TensorFlow.js as a library of the comparison, on one of its backends; all work channels last.
import type { Library, Prepared } from '../library.ts';
import { permuted } from '../library.ts';
import type { Importer } from '../peers.ts';
import type { ChainWork, CnnWork, ConvWork, MatmulWork, NetWork, Values, Work } from '../work.ts';
import { isOfDetector } from '../work.ts';

interface TfTensor {
  readonly shape: number[];
  data(): Promise<Float32Array>;
  dispose(): void;
}
interface TfVariable extends TfTensor {
  readonly trainable: boolean;
}
type Inputs = Readonly<Record<string, TfTensor>>;

/** The part of tfjs's WebGPU backend that the comparison calls: it gathers launches, and submits them when it likes. */
interface WebgpuBackend {
  readonly queue: { onSubmittedWorkDone(): Promise<unknown> };
  readonly commandEncoder: object | null;
  endComputePassEncoder(): void;
  submitQueue(): void;
}

/** The part of tfjs's WebGL backend that the comparison calls. */
interface WebglBackend {
  readonly gpgpu: { createAndWaitForFence(): Promise<void> };
}

/** The part of tfjs that the comparison calls. */
interface Tf {
  readonly version_core: string;
  setBackend(name: string): Promise<boolean>;
  getBackend(): string;
  backend(): unknown;
  engine(): { runKernel(name: string, inputs: Inputs, attrs: object): TfTensor };
  tensor(data: Float32Array, shape: readonly number[]): TfTensor;
  variable(initial: TfTensor): TfVariable;
  tidy<T>(fn: () => T): T;
  matMul(a: TfTensor, b: TfTensor, transposeA?: boolean, transposeB?: boolean): TfTensor;
  conv2d(x: TfTensor, filter: TfTensor, strides: number, pad: number): TfTensor;
  maxPool(x: TfTensor, size: number, strides: number, pad: number): TfTensor;
  relu(x: TfTensor): TfTensor;
  sigmoid(x: TfTensor): TfTensor;
  add(a: TfTensor, b: TfTensor | number): TfTensor;
  mul(a: TfTensor, b: TfTensor): TfTensor;
  mean(x: TfTensor, axes: number[]): TfTensor;
  readonly fused: { conv2d(options: object): TfTensor };
  readonly losses: { softmaxCrossEntropy(labels: TfTensor, logits: TfTensor): TfTensor };
  readonly train: {
    sgd(rate: number): { minimize(f: () => TfTensor, cost: true, variables: TfVariable[]): TfTensor };
  };
}

const toImages = (x: Values): Values => permuted(x, [0, 2, 3, 1]);
const toFilter = (x: Values): Values => permuted(x, [2, 3, 1, 0]);
const fromImages = (x: Values): Values => permuted(x, [0, 3, 1, 2]);
const fromFilter = (x: Values): Values => permuted(x, [3, 2, 0, 1]);
const unchanged = (x: Values): Values => x;

const upload = (tf: Tf, { data, shape }: Values): TfTensor => tf.tensor(data, shape);
const download = async (x: TfTensor): Promise<Values> => ({ data: await x.data(), shape: x.shape });

/** Waits until everything that was asked for is computed; the backends of the CPU compute at once. */
const finish = async (tf: Tf): Promise<void> => {
  const name = tf.getBackend();
  if (name === 'webgl') await (tf.backend() as WebglBackend).gpgpu.createAndWaitForFence();
  if (name !== 'webgpu') return;
  const backend = tf.backend() as WebgpuBackend;
  if (backend.commandEncoder !== null) {
    backend.endComputePassEncoder();
    backend.submitQueue();
  }
  await backend.queue.onSubmittedWorkDone();
};

/** A function of uploaded inputs as prepared work. */
const prepare = (
  tf: Tf,
  fn: (inputs: TfTensor[]) => TfTensor,
  args: readonly Values[],
  toOurs: (result: Values) => Values = unchanged,
): Prepared => {
  const backend = tf.getBackend();
  const inputs = args.map((arg) => upload(tf, arg));
  let result: TfTensor | undefined;
  return {
    run: async () => {
      if (tf.getBackend() !== backend) await tf.setBackend(backend);
      result?.dispose();
      result = tf.tidy(() => fn(inputs));
      await finish(tf);
    },
    outputs: async () => [toOurs(await download(result!)).data],
    free: () => {
      for (const tensor of inputs) tensor.dispose();
      result?.dispose();
    },
  };
};

const prepareConv = (tf: Tf, { pass, layer, border, x, weight, ct }: ConvWork): Prepared => {
  const attrs = { strides: layer.stride, pad: border, dataFormat: 'NHWC', dimRoundingMode: 'floor' };
  if (pass === 'forward') {
    const forward = ([a, b]: TfTensor[]): TfTensor => tf.conv2d(a!, b!, layer.stride, border);
    return prepare(tf, forward, [toImages(x), toFilter(weight)], fromImages);
  }
  // the kernels that tfjs's own gradient of conv2d calls, without the forward pass around them
  if (pass === 'input gradient') {
    const inputShape = toImages(x).shape;
    const inputGrad = ([dy, filter]: TfTensor[]): TfTensor =>
      tf.engine().runKernel('Conv2DBackpropInput', { dy: dy!, filter: filter! }, { ...attrs, inputShape });
    return prepare(tf, inputGrad, [toImages(ct), toFilter(weight)], fromImages);
  }
  const filterShape = toFilter(weight).shape;
  const filterGrad = ([image, dy]: TfTensor[]): TfTensor =>
    tf.engine().runKernel('Conv2DBackpropFilter', { x: image!, dy: dy! }, { ...attrs, filterShape });
  return prepare(tf, filterGrad, [toImages(x), toImages(ct)], fromFilter);
};

const prepareCnn = (tf: Tf, work: CnnWork): Prepared => {
  const backend = tf.getBackend();
  const variable = (x: Values): TfVariable => tf.variable(upload(tf, x));
  const filters = work.filters.map((filter) => variable(toFilter(filter)));
  const [weight, bias] = [variable(work.linear[0]), variable(work.linear[1])];
  const images = upload(tf, toImages(work.images));
  const oneHot = new Float32Array(work.labels.length * work.classes);
  work.labels.forEach((label, n) => {
    oneHot[n * work.classes + label] = 1;
  });
  const labels = tf.tensor(oneHot, [work.labels.length, work.classes]);
  const optimizer = tf.train.sgd(work.rate);
  const loss = (): TfTensor => {
    const features = filters.reduce<TfTensor>((x, filter) => tf.relu(tf.conv2d(x, filter, 1, 1)), images);
    const logits = tf.add(tf.matMul(tf.mean(features, [1, 2]), weight, false, true), bias);
    return tf.losses.softmaxCrossEntropy(labels, logits);
  };
  let last: TfTensor | undefined;
  return {
    run: async () => {
      if (tf.getBackend() !== backend) await tf.setBackend(backend);
      last?.dispose();
      last = tf.tidy(() => optimizer.minimize(loss, true, [...filters, weight, bias]));
      await finish(tf);
    },
    outputs: async () => [
      await last!.data(),
      ...(await Promise.all(filters.map(async (filter) => fromFilter(await download(filter)).data))),
      await weight.data(),
      await bias.data(),
    ],
    free: () => {
      for (const tensor of [...filters, weight, bias, images, labels]) tensor.dispose();
      last?.dispose();
    },
  };
};

const prepareNet = (tf: Tf, { image, layers }: NetWork): Prepared => {
  const weights = layers.flatMap((layer) =>
    layer.op === 'conv' ? [toFilter(layer.weight), layer.bias] : [],
  );
  const forward = ([x, ...params]: TfTensor[]): TfTensor => {
    const results = [x!];
    let used = 0;
    for (const layer of layers) {
      const from = results[layer.from]!;
      if (layer.op === 'maxPool') results.push(tf.maxPool(from, 3, 2, 1));
      else if (layer.op === 'addRelu') results.push(tf.relu(tf.add(from, results[layer.other]!)));
      else {
        const [filter, bias] = [params[used++]!, params[used++]!];
        const pad = (filter.shape[0]! - 1) / 2;
        const activation = layer.relu ? 'relu' : 'linear';
        results.push(tf.fused.conv2d({ x: from, filter, strides: layer.stride, pad, bias, activation }));
      }
    }
    return tf.mean(results.at(-1)!, [1, 2]);
  };
  return prepare(tf, forward, [toImages(image), ...weights]);
};

const prepareMatmul = (tf: Tf, { times, a, b }: MatmulWork): Prepared => {
  const product = ([x, y]: TfTensor[]): TfTensor => {
    let result = x!;
    for (let i = 0; i < times; i++) result = tf.matMul(result, y!);
    return result;
  };
  return prepare(tf, product, [a, b]);
};

const prepareChain = (tf: Tf, { times, shift, x }: ChainWork): Prepared => {
  const chain = ([a]: TfTensor[]): TfTensor => {
    let y = a!;
    for (let i = 0; i < times; i++) y = tf.sigmoid(tf.add(tf.mul(a!, y), shift));
    return y;
  };
  return prepare(tf, chain, [x]);
};

/** Backends of TensorFlow.js; those that are packages of their own, by name. */
export type TfBackend = 'cpu' | 'wasm' | 'webgpu' | 'webgl';
const packages: Partial<Record<TfBackend, string>> = {
  wasm: '@tensorflow/tfjs-backend-wasm',
  webgpu: '@tensorflow/tfjs-backend-webgpu',
};

/** TensorFlow.js on one of its backends. */
export const tfjs = async (load: Importer, backend: TfBackend): Promise<Library> => {
  const tf = await load<Tf>('@tensorflow/tfjs');
  if (packages[backend] !== undefined) await load(packages[backend]);
  if (!(await tf.setBackend(backend))) throw new Error(`TensorFlow.js has no backend ${backend} here`);
  return {
    name: `tfjs-${backend}`,
    version: tf.version_core,
    isThreaded: false,
    compilesFirst: backend === 'webgpu' || backend === 'webgl',
    prepare: async (work: Work) => {
      await tf.setBackend(backend);
      if (work.kind === 'matmul') return prepareMatmul(tf, work);
      if (work.kind === 'chain') return prepareChain(tf, work);
      if (work.kind === 'conv') return prepareConv(tf, work);
      if (isOfDetector(work)) return 'cannot train the detector: there is no port of it to TensorFlow.js';
      return work.kind === 'cnn' ? prepareCnn(tf, work) : prepareNet(tf, work);
    },
  };
};
