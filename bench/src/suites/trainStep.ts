// One whole training step of the demo detector: forward, AutoAssign loss, gradients, update; and its forward pass alone.
import { adamw } from '@autoassign/autograd';
import { batches, shapeClasses, shapes } from '@autoassign/datasets';
import { batchTensors, createDetector, demoConfig, initialState, trainStep } from '@autoassign/detector';
import type { Backend, Tensor } from '@autoassign/tensor';
import { compile, evaluate, key, release, scalar } from '@autoassign/tensor';
import type { Task } from '../measure.ts';

/** Convolutions of one 128x128 image forward, and about twice that backward. */
const flopsPerImage = 0.183e9;
const batchSize = 4;

/** The first item of an asynchronous sequence. */
const first = async <T>(items: AsyncIterable<T>): Promise<T> => {
  for await (const item of items) return item;
  throw new Error('no batch');
};

/** The tasks of the suite on a backend. */
export const stepTasks = async (backend: Backend, seed: number): Promise<Task[]> => {
  const config = demoConfig(shapeClasses);
  const detector = createDetector(config);
  const params = await detector.init(key(seed));
  const optimizer = adamw();
  const step = trainStep({ config, optimizer, backend });
  const data = batches(shapes({ length: batchSize, seed }), { normalization: config.input, batchSize, seed });
  const tensors = await evaluate(batchTensors(await first(data)), { backend });
  const rate = scalar(2e-3);
  let state = await initialState(config, params, optimizer);
  const forward = compile(
    (images: Tensor) => {
      const { logits, objectness, distances } = detector.forward(params, images);
      return { logits, objectness, distances };
    },
    { backend },
  );
  return [
    {
      name: 'demo training step, 4 images of 128x128',
      flops: 3 * batchSize * flopsPerImage,
      run: async () => {
        const result = await step(state, tensors, rate);
        state = result.state;
        release(result.losses);
        release(result.gradientNorm);
      },
    },
    {
      name: 'demo forward, 4 images of 128x128',
      flops: batchSize * flopsPerImage,
      run: async () => release(await forward(tensors.images)),
    },
  ];
};
