// jax-js as a library of the comparison, on its WebAssembly or its WebGPU backend; a call uses up its arguments unless it gets a `ref`.
import type { Library, Prepared } from '../library.ts';
import type { Importer } from '../peers.ts';
import type { ChainWork, CnnWork, ConvWork, MatmulWork, Values, Work } from '../work.ts';
import { isOfDetector } from '../work.ts';

interface JaxArray {
  readonly ref: JaxArray;
  readonly shape: number[];
  add(other: JaxArray | number): JaxArray;
  sub(other: JaxArray | number): JaxArray;
  mul(other: JaxArray | number): JaxArray;
  neg(): JaxArray;
  reshape(shape: readonly number[]): JaxArray;
  transpose(): JaxArray;
  data(): Promise<Float32Array>;
  dispose(): void;
}
type Fn = (...args: JaxArray[]) => JaxArray;
type Sides = readonly (readonly [number, number])[];

/** The part of jax-js that the comparison calls. */
interface Jax {
  init(...devices: string[]): Promise<string[]>;
  defaultDevice(device: string): string;
  blockUntilReady(x: unknown): Promise<unknown>;
  jit<F>(fn: F): F;
  vjp(fn: Fn, primals: JaxArray[]): [JaxArray, (ct: JaxArray) => JaxArray[]];
  valueAndGrad(
    fn: Fn,
    options: { readonly argnums: readonly number[] },
  ): (...args: JaxArray[]) => [JaxArray, JaxArray[]];
  readonly numpy: {
    array(data: Float32Array, options: { readonly shape: readonly number[] }): JaxArray;
    matmul(a: JaxArray, b: JaxArray): JaxArray;
    mean(x: JaxArray, axes?: readonly number[]): JaxArray;
    sum(x: JaxArray, axes?: readonly number[]): JaxArray;
  };
  readonly nn: {
    relu(x: JaxArray): JaxArray;
    sigmoid(x: JaxArray): JaxArray;
    logSoftmax(x: JaxArray): JaxArray;
  };
  readonly lax: {
    convGeneralDilated(x: JaxArray, weight: JaxArray, strides: readonly number[], sides: Sides): JaxArray;
  };
}

const convOf =
  ({ lax }: Jax, stride: number, border: number) =>
  (x: JaxArray, weight: JaxArray): JaxArray =>
    lax.convGeneralDilated(
      x,
      weight,
      [stride, stride],
      [
        [border, border],
        [border, border],
      ],
    );

const upload = ({ numpy }: Jax, { data, shape }: Values): JaxArray => numpy.array(data, { shape });

/** A function of uploaded inputs as prepared work. */
const prepare = (jax: Jax, fn: Fn, args: readonly Values[]): Prepared => {
  const inputs = args.map((arg) => upload(jax, arg));
  const compiled = jax.jit(fn);
  let result: JaxArray | undefined;
  return {
    run: async () => {
      result?.dispose();
      result = compiled(...inputs.map(({ ref }) => ref));
      await jax.blockUntilReady(result);
    },
    outputs: async () => [await result!.ref.data()],
    free: () => {
      for (const array of inputs) array.dispose();
      result?.dispose();
    },
  };
};

const prepareConv = (jax: Jax, { pass, layer, border, x, weight, ct }: ConvWork): Prepared => {
  const conv = convOf(jax, layer.stride, border);
  if (pass === 'forward') return prepare(jax, (a, b) => conv(a!, b!), [x, weight]);
  // the compiled gradient leaves out the forward convolution, whose result nothing reads
  const gradient = (fn: Fn, primal: JaxArray, cotangent: JaxArray): JaxArray => {
    const [value, pullback] = jax.vjp(fn, [primal]);
    value.dispose();
    return pullback(cotangent)[0]!;
  };
  if (pass === 'filter gradient')
    return prepare(jax, (image, dy, w) => gradient((filter) => conv(image!, filter!), w!, dy!), [
      x,
      ct,
      weight,
    ]);
  return prepare(jax, (w, dy, image) => gradient((a) => conv(a!, w!), image!, dy!), [weight, ct, x]);
};

const prepareCnn = (jax: Jax, work: CnnWork): Prepared => {
  const { numpy, nn } = jax;
  const conv = convOf(jax, 1, 1);
  const oneHot = new Float32Array(work.labels.length * work.classes);
  work.labels.forEach((label, n) => {
    oneHot[n * work.classes + label] = 1;
  });
  const labels = upload(jax, { data: oneHot, shape: [work.labels.length, work.classes] });
  const images = upload(jax, work.images);
  let params = [...work.filters, ...work.linear].map((values) => upload(jax, values));
  const trained = params.map((_, i) => i);
  const loss = (...args: JaxArray[]): JaxArray => {
    const [filters, [weight, bias, x, isLabel]] = [args.slice(0, -4), args.slice(-4)];
    const features = filters.reduce((y, filter) => nn.relu(conv(y, filter)), x!);
    const logits = numpy.matmul(numpy.mean(features, [2, 3]), weight!.transpose()).add(bias!);
    return numpy.mean(numpy.sum(nn.logSoftmax(logits).mul(isLabel!), [1]).neg());
  };
  const step = jax.jit((...args: JaxArray[]): JaxArray[] => {
    const old = args.slice(0, -2);
    const [value, grads] = jax.valueAndGrad(loss, { argnums: trained })(
      ...old.map(({ ref }) => ref),
      ...args.slice(-2),
    );
    return [value, ...old.map((p, i) => p.sub(grads[i]!.mul(work.rate)))];
  });
  let last: JaxArray | undefined;
  return {
    run: async () => {
      last?.dispose();
      const [value, ...updated] = step(...params, images.ref, labels.ref);
      [last, params] = [value, updated];
      await jax.blockUntilReady([last, ...params]);
    },
    outputs: () => Promise.all([last!, ...params].map((array) => array.ref.data())),
    free: () => {
      for (const array of [images, labels, ...params]) array.dispose();
      last?.dispose();
    },
  };
};

const prepareMatmul = (jax: Jax, { times, a, b }: MatmulWork): Prepared =>
  prepare(
    jax,
    (x, y) => {
      let result = x!;
      for (let i = 1; i < times; i++) result = jax.numpy.matmul(result, y!.ref);
      return jax.numpy.matmul(result, y!);
    },
    [a, b],
  );

const prepareChain = (jax: Jax, { times, shift, x }: ChainWork): Prepared =>
  prepare(
    jax,
    (a) => {
      let y = a!.ref;
      for (let i = 0; i < times; i++) y = jax.nn.sigmoid(a!.ref.mul(y).add(shift));
      a!.dispose();
      return y;
    },
    [x],
  );

/**
 * Runs without the global `Worker`. jax-js asks whether it exists when it makes its memory and again for every kernel; Node has
 * none, but onnxruntime-web sets one in between, and the kernels then no longer fit the memory.
 */
const withoutWorker = async <T>(fn: () => Promise<T>): Promise<T> => {
  const before = Object.getOwnPropertyDescriptor(globalThis, 'Worker');
  Reflect.deleteProperty(globalThis, 'Worker');
  try {
    return await fn();
  } finally {
    if (before !== undefined) Object.defineProperty(globalThis, 'Worker', before);
  }
};

/** Devices of jax-js. */
type JaxDevice = 'wasm' | 'webgpu';

const prepareAny = (jax: Jax, work: Work, device: JaxDevice): Prepared | string => {
  if (isOfDetector(work))
    return device === 'webgpu'
      ? 'cannot train the detector: there is no port of it'
      : 'cannot train the detector: there is no port of it, and ResNet-50 alone takes about a minute';
  if (work.kind === 'chain') return prepareChain(jax, work);
  if (work.kind === 'net') return 'left out: its convolutions take about a minute for the network';
  if (work.kind === 'conv') return prepareConv(jax, work);
  if (work.kind === 'cnn') return prepareCnn(jax, work);
  return prepareMatmul(jax, work);
};

/** jax-js, when its backend for the device starts. */
export const jax = async (
  load: Importer,
  version = 'unknown',
  device: JaxDevice = 'wasm',
): Promise<Library> => {
  const module = await withoutWorker(async () => {
    const loaded = await load<Jax>('@jax-js/jax');
    const started = await loaded.init(device);
    if (!started.includes(device)) throw new Error(`jax-js has no device ${device} here`);
    loaded.defaultDevice(device);
    return loaded;
  });
  return {
    name: 'jax-js',
    version,
    isThreaded: false,
    compilesFirst: true,
    prepare: (work) =>
      withoutWorker(async () => {
        const prepared = prepareAny(module, work, device);
        return typeof prepared === 'string'
          ? prepared
          : { ...prepared, run: () => withoutWorker(prepared.run) };
      }),
  };
};
