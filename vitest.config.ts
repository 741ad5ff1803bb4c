// Tests import the packages' TypeScript sources (the "@autoassign/source" condition): no build step.
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';

const source = '@autoassign/source';
const chromium = [process.env.CHROME_BIN, '/usr/bin/chromium', '/usr/bin/google-chrome'].find(
  (path) => path && existsSync(path),
);
if (chromium === undefined) {
  const message = 'no Chromium found (set CHROME_BIN, or install the package "chromium")';
  if (process.env.CI) throw new Error(`Browser tests cannot run: ${message}.`);
  console.warn(`Skipping the browser tests: ${message}.`);
}

// WebGPU in Node needs a Vulkan driver; Chromium's package brings one that computes on the CPU. Dawn reads the process's own environment.
const softwareDriver = '/usr/lib/chromium/vk_swiftshader_icd.json';
const loaders = ['x86_64', 'aarch64'].map((arch) => `/usr/lib/${arch}-linux-gnu/libvulkan.so.1`);
const hasSoftwareDriver = existsSync(softwareDriver) && loaders.some((path) => existsSync(path));
const hasDriver = process.env.VK_ICD_FILENAMES !== undefined || hasSoftwareDriver;
if (hasSoftwareDriver) process.env.VK_ICD_FILENAMES ??= softwareDriver;
if (!hasDriver) {
  const message = 'no Vulkan driver found (install "chromium" and "libvulkan1", or set VK_ICD_FILENAMES)';
  if (process.env.CI) throw new Error(`WebGPU cannot be tested in Node: ${message}.`);
  console.warn(`Skipping the tests of WebGPU in Node: ${message}.`);
}

/** Tests that replace modules or count the threads of their process. */
const alone = [
  'packages/cli/test/backends.test.ts',
  'packages/cli/test/precision.test.ts',
  'packages/datasets/test/batch/workers.test.ts',
];

const node = {
  resolve: { conditions: [source, 'module', 'node', 'development|production'] },
  ssr: { resolve: { conditions: [source, 'module', 'node', 'development|production'] } },
  test: {
    name: 'node',
    include: ['packages/*/test/**/*.test.ts', 'bench/test/**/*.test.ts'],
    exclude: ['packages/*/test/{browser,isolatedBrowser,webgpu}/**', ...alone],
    pool: 'threads' as const,
    // one set of modules for all files of a worker: they hold no state, and loading them again took a minute
    isolate: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
};

const nodeAlone = {
  ...node,
  test: { ...node.test, name: 'node alone', include: alone, exclude: [], isolate: true },
};

/** A process per file: a GPU device does not survive its thread. */
const webgpu = {
  ...node,
  test: {
    ...node.test,
    name: 'webgpu',
    include: ['packages/*/test/webgpu/**/*.test.ts'],
    exclude: [],
    isolate: true,
    pool: 'forks' as const,
  },
};

/** What makes a page cross-origin isolated, so that threads can share its memory. */
const isolation = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

/** WebGPU on the CPU where there is no GPU: off in headless Chromium unless asked for. */
const chromiumFlags = [
  '--no-sandbox',
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  // clearing workgroup memory takes SwiftShader half a second per shader; our kernels do not read what they have not written
  '--enable-dawn-features=disable_workgroup_init',
];

/** The tests of a folder in Chromium, on pages that are served with the given headers. */
const browser = (executablePath: string, name: string, folder: string, headers: Record<string, string>) => ({
  resolve: { conditions: [source, 'module', 'browser', 'development|production'] },
  server: { headers },
  // found by its dynamic import only when a test runs, which would reload the page
  optimizeDeps: { include: ['gpu.js'] },
  test: {
    name,
    include: [`packages/*/test/${folder}/**/*.test.ts`],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      provider: playwright({ launchOptions: { executablePath, args: chromiumFlags } }),
      instances: [{ browser: 'chromium' as const }],
    },
  },
});

const browsers = (executablePath: string) => [
  browser(executablePath, 'browser', 'browser', {}),
  browser(executablePath, 'isolated browser', 'isolatedBrowser', isolation),
];

export default defineConfig({
  test: {
    // one more than vitest's default on two cores, where half of the time would pass waiting for browsers and drivers
    maxWorkers: Math.max(2, availableParallelism() - 1),
    reporters: ['default', ['json', { outputFile: 'node_modules/.cache/vitest.json' }]],
    coverage: { provider: 'v8', include: ['packages/*/src/**'], reporter: ['text-summary', 'lcov'] },
    projects: [
      node,
      nodeAlone,
      ...(hasDriver ? [webgpu] : []),
      ...(chromium === undefined ? [] : browsers(chromium)),
    ],
  },
});
