// The WebGPU backend: fused plans as one command encoder of our own shaders.
import { describeSpec, sentence, UnsupportedError } from '../../errors.ts';
import type { Slot } from '../../graph/graph.ts';
import { planBuffers } from '../../graph/plan.ts';
import type { Data, Spec } from '../../tensor.ts';
import type { Backend, Buffer, Program } from '../backend.ts';
import { openLedger, programDestroyed } from '../ledger.ts';
import { openBuffers } from './buffers.ts';
import type { WebgpuOptions } from './device.ts';
import { requestDevice } from './device.ts';
import type { PrepareOptions } from './passes.ts';
import { leastOfHalves, prepare } from './passes.ts';
import type { ReadyPlan } from './program.ts';
import {
  bytesOf,
  choiceFor,
  describePlan,
  kernelsOf,
  openPipelines,
  preparePlan,
  submit,
} from './program.ts';

/** Runs that may wait on the GPU at the same time: enough to keep it busy, and a bound of what they hold. */
const mostInFlight = 4;

/**
 * The WebGPU backend, on the adapter that the platform prefers. Tests take apart smaller steps than are worth it, and store nothing as halves to compare.
 *
 * Throws  UnsupportedError without WebGPU or an adapter, saying what to install, and for a software adapter with `realGpu`
 */
export const webgpuBackend = async (
  options: WebgpuOptions = {},
  { least, halves = true }: PrepareOptions = {},
): Promise<Backend> => {
  const { device, adapter, isSoftware, products, held } = await requestDevice(options);
  const name = 'webgpu';
  const buffers = openBuffers(device);
  const pipelineFor = openPipelines(device);
  const ledger = openLedger<GPUBuffer>(buffers.giveBack);
  const state: { fault?: string; isEnded?: true; held: readonly unknown[] } = { held };
  void device.lost.then(({ message, reason }) => {
    if (state.isEnded !== true) state.fault ??= `a device that was lost (${reason}: ${message})`;
  });
  device.addEventListener('uncapturederror', ({ error }) => {
    state.fault ??= `a device that reported: ${error.message}`;
  });
  const requireDevice = (): void => {
    ledger.requireOpen(name);
    if (state.fault !== undefined) throw new UnsupportedError(deviceFault(state.fault));
  };

  const inFlight = new Set<Promise<unknown>>();
  const track = (): void => {
    const done: Promise<unknown> = device.queue.onSubmittedWorkDone();
    const forget = (): void => {
      inFlight.delete(done);
    };
    inFlight.add(done);
    done.then(forget, forget);
  };

  const program = (ready: ReadyPlan): Program => {
    const { plan } = ready;
    const { graph, storage, pool } = plan;
    const constants = graph.constants.map(({ slot, data }) => {
      const spec = graph.specs[slot]!;
      const buffer = buffers.take(bytesOf(spec), () => `a constant ${describeSpec(spec)}`);
      buffers.write(buffer, storedForm(data, spec));
      return buffer;
    });
    let isDestroyed = false;
    const largestOf = (index: number): string => {
      const slots = storage.flatMap((place, slot) =>
        place?.kind === 'pooled' && place.index === index ? [slot] : [],
      );
      const largest = slots.reduce((a, b) => (bytesOf(graph.specs[b]!) > bytesOf(graph.specs[a]!) ? b : a));
      const maker = graph.steps.find(({ output }) => output === largest);
      return `${describeSpec(graph.specs[largest]!)} of ${maker?.op.name ?? 'a step'}${maker?.label === undefined ? '' : ` (${maker.label})`}`;
    };

    const start = (args: readonly Buffer[]): Buffer[] => {
      requireDevice();
      if (isDestroyed) throw programDestroyed(name);
      const given = args.map(ledger.placeOf);
      const workspace = buffers.workspace(pool, largestOf);
      const own: GPUBuffer[] = [];
      const placeOf = (slot: Slot): GPUBuffer => {
        const place = storage[slot]!;
        switch (place.kind) {
          case 'argument':
            return given[place.index]!;
          case 'constant':
            return constants[place.index]!;
          case 'pooled':
            return workspace[place.index]!;
          case 'taken':
            return given[place.argument]!;
          case 'alias':
            return places[place.of]!;
          default: {
            const spec = graph.specs[slot]!;
            const buffer = buffers.take(bytesOf(spec), () => `a result ${describeSpec(spec)}`);
            own.push(buffer);
            return buffer;
          }
        }
      };
      const places: GPUBuffer[] = [];
      try {
        storage.forEach((place, slot) => {
          if (place !== undefined && place.kind !== 'alias') places[slot] = placeOf(slot);
        });
      } catch (error) {
        own.forEach(buffers.giveBack);
        throw error;
      }
      storage.forEach((place, slot) => {
        if (place?.kind === 'alias') places[slot] = placeOf(slot);
      });
      submit(device, ready, places);
      track();
      ledger.count(ready.dispatches.length, buffers.workspaceBytes());
      const taken = new Set(storage.flatMap((place) => (place?.kind === 'taken' ? [place.argument] : [])));
      graph.args.forEach(({ donated }, i) => {
        if (taken.has(i)) ledger.handOver(args[i]!);
        else if (donated) ledger.close(args[i]!, 'donated');
      });
      return graph.results.map((slot) => {
        const spec = graph.specs[slot]!;
        return ledger.open(backend, spec, places[slot]!, bytesOf(spec));
      });
    };

    return {
      run: (args) => {
        if (inFlight.size < mostInFlight) return start(args);
        return Promise.race(inFlight).then(() => start(args));
      },
      describe: () => describePlan(ready, `backend webgpu on ${adapter}${isSoftware ? ' (software)' : ''}`),
      profile: () => [],
      destroy: () => {
        if (isDestroyed) return;
        isDestroyed = true;
        constants.forEach(buffers.giveBack);
      },
    };
  };

  const backend: Backend = {
    name,
    kernelFor: choiceFor,
    compile: async (graph) => {
      requireDevice();
      const mostInputs = device.limits.maxStorageBuffersPerShaderStage - 1;
      const passes = products === undefined ? { least } : { least: leastOfHalves, halves };
      const plan = planBuffers(prepare(graph, mostInputs, passes));
      const kernels = kernelsOf(plan, device.limits, { tiles: options.tiles?.[adapter], products });
      return program(await preparePlan(plan, kernels, pipelineFor));
    },
    upload: (data, spec) => {
      requireDevice();
      const buffer = buffers.take(bytesOf(spec), () => `an uploaded tensor ${describeSpec(spec)}`);
      buffers.write(buffer, storedForm(data, spec));
      return ledger.open(backend, spec, buffer, bytesOf(spec));
    },
    download: async (buffer) => {
      requireDevice();
      const { spec } = buffer;
      const bytes = await buffers.read(ledger.placeOf(buffer), bytesOf(spec)).catch((error: unknown) => {
        requireDevice();
        throw error;
      });
      if (spec.dtype === 'f32') return new Float32Array(bytes);
      const integers = new Int32Array(bytes);
      return spec.dtype === 'i32' ? integers : Uint8Array.from(integers);
    },
    free: (buffer) => ledger.close(buffer, 'freed'),
    stats: ledger.stats,
    destroy: async () => {
      ledger.shut();
      state.isEnded = true;
      device.destroy();
      state.held = [];
    },
  };
  return backend;
};

/** Data as it is stored: 4 bytes per element. */
const storedForm = (data: Data, { dtype }: Spec): Float32Array | Int32Array => {
  if (dtype === 'f32') return data instanceof Float32Array ? data : Float32Array.from(data);
  return data instanceof Int32Array ? data : Int32Array.from(data);
};

const deviceFault = (fault: string): string =>
  sentence({
    where: 'webgpu',
    needs: 'a working device',
    got: fault,
    advice: 'Create a new backend and go on from the last checkpoint.',
  });
