// Our engine as a library of the comparison.
import { applyUpdates, sgd, valueAndGrad } from '@autoassign/autograd';
import type { Backend, Tensor } from '@autoassign/tensor';
import {
  add,
  apply,
  arange,
  compile,
  conv2d,
  equal,
  evaluate,
  logSumExp,
  matmul,
  maxPool2d,
  mean,
  mul,
  primitives,
  read,
  release,
  relu,
  reshape,
  select,
  sigmoid,
  sub,
  sum,
  tensor,
  transpose,
} from '@autoassign/tensor';
import type { Library } from '../library.ts';
import type { ChainWork, CnnWork, ConvWork, MatmulWork, NetWork, Values, Work } from '../work.ts';
import type { Engine, ProfiledWork } from './oursDetector.ts';
import { prepareOfDetector } from './oursDetector.ts';

const constant = ({ shape, data }: Values): Tensor => tensor(data, { shape });

/** A function of evaluated arguments as prepared work. */
const prepare = async (
  engine: Engine,
  fn: (...args: Tensor[]) => Tensor,
  args: readonly Values[],
): Promise<ProfiledWork> => {
  const compiled = compile(fn, { ...engine, strict: true });
  const inputs = await evaluate(args.map(constant), engine);
  let result: Tensor | undefined;
  return {
    run: async () => {
      if (result !== undefined) release(result);
      result = await compiled(...inputs);
    },
    outputs: async () => [await read(result!)],
    profile: () => compiled.profile(),
    free: () => {
      if (result !== undefined) release(result);
      release(inputs);
      compiled.destroy();
    },
  };
};

const prepareMatmul = (engine: Engine, { times, a, b }: MatmulWork): Promise<ProfiledWork> => {
  const product = (x?: Tensor, y?: Tensor): Tensor => {
    let result = x!;
    for (let i = 0; i < times; i++) result = matmul(result, y!);
    return result;
  };
  return prepare(engine, product, [a, b]);
};

const prepareConv = (engine: Engine, work: ConvWork): Promise<ProfiledWork> => {
  const { pass, border, x, weight, ct, layer } = work;
  const { stride, size, kernel } = layer;
  const attrs = {
    stride: [stride, stride],
    padding: [border, border, border, border],
    dilation: [1, 1],
    groups: 1,
  } as const;
  if (pass === 'forward')
    return prepare(engine, (a, b) => conv2d(a!, b!, { stride, padding: border }), [x, weight]);
  if (pass === 'input gradient') {
    const inputGrad = (a?: Tensor, b?: Tensor): Tensor =>
      apply(primitives.conv2dInputGrad, [a!, b!], { ...attrs, size: [size, size] });
    return prepare(engine, inputGrad, [ct, weight]);
  }
  const filterGrad = (a?: Tensor, b?: Tensor): Tensor =>
    apply(primitives.conv2dFilterGrad, [a!, b!], { ...attrs, kernel: [kernel, kernel] });
  return prepare(engine, filterGrad, [x, ct]);
};

interface CnnParams {
  readonly filters: readonly Tensor[];
  readonly weight: Tensor;
  readonly bias: Tensor;
  readonly [name: string]: Tensor | readonly Tensor[];
}

const cnnLoss = ({ filters, weight, bias }: CnnParams, images: Tensor, labels: Tensor): Tensor => {
  const features = filters.reduce((x, filter) => relu(conv2d(x, filter, { padding: 1 })), images);
  const logits = add(matmul(mean(features, [2, 3]), transpose(weight, [1, 0])), bias);
  const isLabel = equal(reshape(labels, [-1, 1]), arange(bias.shape[0]!, 0, 1, 'i32'));
  return mean(sub(logSumExp(logits, 1), sum(select(isLabel, logits, 0), [1])));
};

const prepareCnn = async (engine: Engine, work: CnnWork): Promise<ProfiledWork> => {
  const optimizer = sgd();
  const step = compile(
    (params: CnnParams, images: Tensor, labels: Tensor) => {
      const { value, grad } = valueAndGrad(cnnLoss)(params, images, labels);
      const { updates } = optimizer.update({
        grads: grad,
        state: { velocity: {} },
        params,
        rate: tensor(work.rate),
      });
      return { loss: value, params: applyUpdates(params, updates) as CnnParams };
    },
    { ...engine, donate: [0], strict: true },
  );
  const [weight, bias] = work.linear;
  const start = {
    filters: work.filters.map(constant),
    weight: constant(weight),
    bias: constant(bias),
  };
  const data = { images: constant(work.images), labels: tensor(Int32Array.from(work.labels)) };
  const { images, labels } = await evaluate(data, engine);
  let state = {
    loss: await evaluate(tensor(0), engine),
    params: await evaluate(start, engine),
  } as {
    loss: Tensor;
    params: CnnParams;
  };
  return {
    run: async () => {
      release(state.loss);
      state = await step(state.params, images, labels);
    },
    outputs: () => {
      const { filters, weight: linear, bias: shift } = state.params;
      return Promise.all([state.loss, ...filters, linear, shift].map(read));
    },
    profile: () => step.profile(),
    free: () => {
      release(state);
      release([images, labels]);
      step.destroy();
    },
  };
};

const prepareNet = (engine: Engine, { image, layers }: NetWork): Promise<ProfiledWork> => {
  const weights = layers.flatMap((layer) => (layer.op === 'conv' ? [layer.weight, layer.bias] : []));
  const forward = (x?: Tensor, ...params: Tensor[]): Tensor => {
    const results = [x!];
    let used = 0;
    for (const layer of layers) {
      const from = results[layer.from]!;
      if (layer.op === 'maxPool') results.push(maxPool2d(from, { window: 3, stride: 2, padding: 1 }));
      else if (layer.op === 'addRelu') results.push(relu(add(from, results[layer.other]!)));
      else {
        const [weight, bias] = [params[used++]!, params[used++]!];
        const padding = (weight.shape[2]! - 1) / 2;
        const y = add(conv2d(from, weight, { stride: layer.stride, padding }), reshape(bias, [-1, 1, 1]));
        results.push(layer.relu ? relu(y) : y);
      }
    }
    return mean(results.at(-1)!, [2, 3]);
  };
  return prepare(engine, forward, [image, ...weights]);
};

const prepareChain = (engine: Engine, { times, shift, x }: ChainWork): Promise<ProfiledWork> =>
  prepare(
    engine,
    (a) => {
      let y = a!;
      for (let i = 0; i < times; i++) y = sigmoid(add(mul(a!, y), shift));
      return y;
    },
    [x],
  );

/** The work made ready on our engine. */
export const prepareWork = (engine: Engine, work: Work): Promise<ProfiledWork> => {
  if (work.kind === 'matmul') return prepareMatmul(engine, work);
  if (work.kind === 'chain') return prepareChain(engine, work);
  if (work.kind === 'conv') return prepareConv(engine, work);
  if (work.kind === 'cnn') return prepareCnn(engine, work);
  return work.kind === 'net' ? prepareNet(engine, work) : prepareOfDetector(engine, work);
};

/** Our engine on a backend. */
export const ours = (backend: Backend, version: string): Library => ({
  name: 'ours',
  version,
  isThreaded: true,
  compilesFirst: true,
  prepare: (work: Work) => prepareWork({ backend }, work),
});
