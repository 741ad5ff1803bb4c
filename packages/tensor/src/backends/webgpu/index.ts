// The WebGPU backend: fused plans as one command encoder of our own shaders.
import { describeSpec, sentence, UnsupportedError } from '../../errors.ts';
import type { Slot } from '../../graph/graph.ts';
import { planBuffers } from '../../graph/plan.ts';
import type { Backend, Buffer } from '../backend.ts';
import { openLedger } from '../ledger.ts';
import { openBuffers, storedForm } from './buffers.ts';
import type { WebgpuOptions } from './device.ts';
import { requestDevice } from './device.ts';
import { joinUpdates, unjoined } from './joinUpdates.ts';
import type { PrepareOptions } from './passes.ts';
import { leastOfHalves, prepare } from './passes.ts';
import type { Place } from './places.ts';
import { leave, wholeOf } from './places.ts';
import { bytesOf, choiceFor, kernelsOf, openPipelines, preparePlan } from './program.ts';
import { openProgram } from './runs.ts';

/** Runs that may wait on the GPU at the same time: enough to keep it busy, and a bound of what they hold. */
const mostInFlight = 4;

/**
 * The WebGPU backend, on the adapter that the platform prefers. Tests take apart smaller steps than are worth it, and
 * leave passes out to compare.
 *
 * Throws  UnsupportedError without WebGPU or an adapter, saying what to install, and for a software adapter with `realGpu`
 */
export const webgpuBackend = async (
  options: WebgpuOptions = {},
  { least, halves = true, joins = true }: PrepareOptions & { readonly joins?: boolean } = {},
): Promise<Backend> => {
  const { device, adapter, isSoftware, products, held } = await requestDevice(options);
  const name = 'webgpu';
  const buffers = openBuffers(device);
  const pipelineFor = openPipelines(device);
  const ledger = openLedger<Place>((place) => leave(place, buffers.giveBack));
  const head = `backend webgpu on ${adapter}${isSoftware ? ' (software)' : ''}`;
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
  const tracked = <T>(start: () => T): T => {
    const started = start();
    const done: Promise<unknown> = device.queue.onSubmittedWorkDone();
    const forget = (): void => {
      inFlight.delete(done);
    };
    inFlight.add(done);
    done.then(forget, forget);
    return started;
  };
  const inTurn = <T>(start: () => T): T | Promise<T> =>
    inFlight.size < mostInFlight ? tracked(start) : Promise.race(inFlight).then(() => tracked(start));

  const backend: Backend = {
    name,
    kernelFor: choiceFor,
    compile: async (graph) => {
      requireDevice();
      const mostInputs = device.limits.maxStorageBuffersPerShaderStage - 1;
      const passes = products === undefined ? { least } : { least: leastOfHalves, halves };
      const prepared = prepare(graph, mostInputs, passes);
      const joined = joins
        ? joinUpdates(prepared, { mostInputs, mostBytes: buffers.mostBytes })
        : unjoined(prepared);
      const plan = planBuffers(joined.graph);
      const kernels = kernelsOf(plan, device.limits, { tiles: options.tiles?.[adapter], products });
      const open = (slot: Slot, place: Place): Buffer => {
        const spec = joined.graph.specs[slot]!;
        return ledger.open(backend, spec, place, bytesOf(spec));
      };
      const ready = await preparePlan(plan, kernels, pipelineFor);
      return openProgram({ ready, joined }, { device, buffers, ledger, open, requireDevice, inTurn, head });
    },
    upload: (data, spec) => {
      requireDevice();
      const buffer = buffers.take(bytesOf(spec), () => `an uploaded tensor ${describeSpec(spec)}`);
      buffers.write(buffer, storedForm(data, spec));
      return ledger.open(backend, spec, wholeOf(buffer), bytesOf(spec));
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

const deviceFault = (fault: string): string =>
  sentence({
    where: 'webgpu',
    needs: 'a working device',
    got: fault,
    advice: 'Create a new backend and go on from the last checkpoint.',
  });
