// Which backends run here, on what, and why the others do not: for people and for programs that choose.
import { UnsupportedError } from '../errors.ts';
import type { BackendName } from './create.ts';
import { surveyWasm } from './wasm/survey.ts';
import type { WebgpuOptions } from './webgpu/device.ts';

/** What is known of one backend here. */
export interface BackendSurvey {
  readonly name: BackendName;
  readonly isAvailable: boolean;
  /** Why it is not, and how to get it. */
  readonly reason?: string;
  /** What it would run on, by plain names: adapter, features, limits, threads. */
  readonly facts: Readonly<Record<string, Fact>>;
}

/** A plain value that programs can read. */
export type Fact = string | number | boolean | readonly string[] | Readonly<Record<string, number>>;

/**
 * Every backend, whether it runs here, and what it would run on. Nothing is started but a look at the GPU's adapter.
 *
 * Example  for (const { name, isAvailable, reason } of await surveyBackends()) console.log(name, isAvailable, reason)
 */
export const surveyBackends = async (
  options: { readonly webgpu?: WebgpuOptions } = {},
): Promise<readonly BackendSurvey[]> => [
  { name: 'cpu', isAvailable: true, facts: { kernels: 'reference loops', precision: ['f32', 'f64'] } },
  await surveyOf('wasm', async () => surveyWasm()),
  await surveyOf('gpujs', async () => {
    const { surveyGpujs } = await import('./gpujs/host.ts');
    return surveyGpujs();
  }),
  await surveyOf('webgpu', async () => {
    const { surveyWebgpu } = await import('./webgpu/device.ts');
    return surveyWebgpu(options.webgpu);
  }),
];

const surveyOf = async (
  name: BackendName,
  look: () => Promise<Readonly<Record<string, Fact>>>,
): Promise<BackendSurvey> => {
  try {
    return { name, isAvailable: true, facts: await look() };
  } catch (error) {
    if (!(error instanceof UnsupportedError)) throw error;
    return { name, isAvailable: false, reason: error.message, facts: {} };
  }
};
