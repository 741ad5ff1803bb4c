// WebGPU for everyone in this process: one Dawn as `navigator.gpu`, so that all libraries get the same adapter, and a count of launches.
import { existsSync } from 'node:fs';
import { create, globals } from 'webgpu';
import { countCalls } from './launches.ts';
import type { SurveyedAdapter } from './surveyAdapter.ts';
import { surveyAdapter } from './surveyAdapter.ts';

/** The GPU that a process computes on. */
export interface GpuAdapter extends SurveyedAdapter {
  /** Kernels that all libraries of the process have started. */
  readonly launches: () => number;
}

/** A Vulkan driver that computes on the CPU; Chromium brings it. */
const softwareDriver = '/usr/lib/chromium/vk_swiftshader_icd.json';

/** Dawn with an adapter: the machine's own, else that of the software driver. */
const openDawn = async (toggles: readonly string[]): Promise<GPU> => {
  // no library here reads workgroup memory that it has not written; clearing it takes software adapters half a second per shader
  const open = (): GPU => create([`enable-dawn-features=${['disable_workgroup_init', ...toggles].join()}`]);
  const own = open();
  if ((await own.requestAdapter()) !== null) return own;
  if (process.env.VK_ICD_FILENAMES === undefined && existsSync(softwareDriver)) {
    // Dawn reads the environment of the process when it looks for drivers
    process.env.VK_ICD_FILENAMES = softwareDriver;
    process.env.XDG_RUNTIME_DIR ??= '/tmp';
    const software = open();
    if ((await software.requestAdapter()) !== null) return software;
  }
  throw new Error(
    "bench gpu: needs a GPU adapter, got none. Install a Vulkan driver, or Debian's chromium and libvulkan1.",
  );
};

/**
 * The adapter, after WebGPU has become a global of this process, with further features of Dawn turned on. Call it before any library
 * is loaded: some look only then.
 *
 * Throws  Error when there is no adapter, saying what to install
 */
export const openAdapter = async (toggles: readonly string[] = []): Promise<GpuAdapter> => {
  const gpu = await openDawn(toggles);
  Object.assign(globalThis, globals);
  // kept as a global for as long as the process lives: Dawn ends with its last reference
  Object.defineProperty(globalThis, 'navigator', { value: { gpu, userAgent: 'node' }, configurable: true });
  const { GPUComputePassEncoder } = globals as {
    readonly GPUComputePassEncoder: { readonly prototype: object };
  };
  const launches = countCalls(GPUComputePassEncoder.prototype, [
    'dispatchWorkgroups',
    'dispatchWorkgroupsIndirect',
  ]);
  return { ...(await surveyAdapter(gpu)), launches };
};
