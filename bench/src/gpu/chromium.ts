// The suite `gpu` in Chromium, on WebGL2 and on WebGPU: serves a page per API from the sources, gives it the work, and takes its rows.
import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright';
import { chromium } from 'playwright';
import { createServer } from 'vite';
import { installedVersions, installPeers } from '../cpu/peers.ts';
import type { PageApi } from './page/fields.ts';
import { renamedByPlace } from './page/rows.ts';
import type { PageTask, PeerModule } from './page/task.ts';
import { withBase64 } from './page/task.ts';
import { webgpuPackages } from './peers.ts';
import type { GpuOptions, GpuResult } from './suite.ts';
import { gpuWork } from './work.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const basePath = '/bench-gpu';
const places: Readonly<Record<PageApi, string>> = { webgl2: 'WebGL2', webgpu: 'WebGPU' };
const packages = '/bench/peers/node_modules';
const tfjsModule = `${packages}/@tensorflow/tfjs/dist/tf.fesm.min.js`;
/** Peers as modules that a page can load as they are. */
const modules: Readonly<Record<(typeof webgpuPackages)[number], PeerModule>> = {
  '@tensorflow/tfjs': { url: tfjsModule },
  '@tensorflow/tfjs-backend-webgpu': {
    url: `${packages}/@tensorflow/tfjs-backend-webgpu/dist/tf-backend-webgpu.fesm.min.js`,
  },
  '@jax-js/jax': { url: `${packages}/@jax-js/jax/dist/index.js` },
  'gpu.js': { url: `${packages}/gpu.js/dist/gpu-browser.min.js`, global: 'GPU' },
};
const executables = [process.env.CHROME_BIN, '/usr/bin/chromium', '/usr/bin/google-chrome'];

/** What paths hold, made when it is asked for. */
type Bodies = Record<string, () => string>;

/** A server of the sources and of further paths. */
const serve = (bodies: Bodies) =>
  createServer({
    root,
    configFile: false,
    appType: 'custom',
    logLevel: 'error',
    server: { port: 0, host: '127.0.0.1', hmr: false, watch: null },
    resolve: {
      conditions: ['@autoassign/source', 'module', 'browser', 'development|production'],
      // its backend for WebGPU must join the core that TensorFlow.js itself brings
      alias: { '@tensorflow/tfjs-core': join(root, tfjsModule) },
    },
    // no ES modules; all are named, for finding one later would reload the page
    optimizeDeps: { noDiscovery: true, include: ['gpu.js', '@autoassign/tensor > ndarray'] },
    plugins: [
      {
        name: 'bench-gpu',
        configureServer: ({ middlewares }) => {
          middlewares.use((request, response, next) => {
            const body = bodies[request.url ?? '']?.();
            if (body === undefined) return next();
            response.setHeader('Content-Type', body.startsWith('<') ? 'text/html' : 'application/json');
            return response.end(body);
          });
        },
      },
    ],
  });

const pageHtml = (): string => {
  const script = relative(root, fileURLToPath(new URL('./page/page.ts', import.meta.url)));
  return `<!doctype html><title>bench</title><script type="module" src="/${script.replaceAll('\\', '/')}"></script>`;
};

/** What WebGPU takes in headless Chromium; clearing workgroup memory costs software adapters half a second per shader. */
const webgpuFlags = [
  '--no-sandbox',
  '--enable-unsafe-webgpu',
  '--enable-dawn-features=disable_workgroup_init',
];

/** Whether pages get a GPU that does not compute on the CPU. */
const hasRealGpu = async (browser: Browser, url: string): Promise<boolean> => {
  const page = await browser.newPage();
  try {
    await page.goto(url);
    return await page.evaluate(async () => {
      const adapter = await navigator.gpu?.requestAdapter();
      return (
        adapter != null && !adapter.info.isFallbackAdapter && adapter.info.architecture !== 'swiftshader'
      );
    });
  } finally {
    await page.close();
  }
};

/** Chromium on the machine's GPU, or on Chromium's software adapter where there is none. */
const openBrowser = async (
  executablePath: string,
  url: string,
): Promise<{ readonly browser: Browser; readonly isSoftware: boolean }> => {
  const launch = (flag: string): Promise<Browser> =>
    chromium.launch({ executablePath, args: [...webgpuFlags, flag] });
  const browser = await launch('--enable-features=Vulkan');
  if (await hasRealGpu(browser, url)) return { browser, isSoftware: false };
  await browser.close();
  return { browser: await launch('--use-webgpu-adapter=swiftshader'), isSoftware: true };
};

/** What a page sends when it has raced. */
const resultOf = async (page: Page, url: string): Promise<GpuResult> => {
  const done = new Promise<GpuResult>((resolve, reject) => {
    void page.exposeFunction('benchDone', resolve);
    void page.exposeFunction('benchFailed', (message: string) => reject(new Error(message)));
    page.on('pageerror', reject);
    page.on('crash', () => reject(new Error(`bench gpu: needs ${url} to finish, got a crash of its page.`)));
  });
  page.on('console', (message) => {
    if (message.type() === 'info') console.error(message.text());
  });
  const [result] = await Promise.all([done, page.goto(url)]);
  return result;
};

/** The rows of every API, one page after the other. */
const raceInPages = async (browser: Browser, url: string, bodies: Bodies, task: Omit<PageTask, 'api'>) => {
  const results: GpuResult[] = [];
  for (const api of Object.keys(places) as PageApi[]) {
    bodies[`${basePath}/${api}`] = pageHtml;
    bodies[`${basePath}/${api}/task`] = () => JSON.stringify({ ...task, api } satisfies PageTask);
    const page = await browser.newPage();
    const result = await resultOf(page, `${url}/${api}`);
    await page.close();
    results.push(renamedByPlace(result, `Chromium ${browser.version().split('.')[0]}, ${places[api]}`));
  }
  return results;
};

/**
 * The suite's rows on WebGL2 and on WebGPU in Chromium.
 *
 * Throws  Error without Chromium, or when ours fails at a task
 */
export const chromiumSuite = async (options: GpuOptions): Promise<GpuResult> => {
  const executablePath = executables.find((path) => path !== undefined && existsSync(path));
  if (executablePath === undefined)
    throw new Error('bench gpu: needs Chromium, got none. Install it, or set CHROME_BIN.');
  if (options.peers) installPeers();
  const { seed, large, only } = options;
  const bodies: Bodies = { [basePath]: () => '<!doctype html><title>bench</title>' };
  const server = await serve(bodies);
  const open: Browser[] = [];
  try {
    await server.listen();
    const address = server.httpServer!.address();
    if (address === null || typeof address === 'string')
      throw new Error(`bench gpu: needs a server on a port, got ${address}. Try again.`);
    const url = `http://127.0.0.1:${address.port}${basePath}`;
    const { browser, isSoftware } = await openBrowser(executablePath, url);
    open.push(browser);
    const work = await gpuWork(seed, { large: large || !isSoftware, paperSized: false, only });
    const entries = work.map((_, i) => `${basePath}/work/${i}`);
    entries.forEach((path, i) => {
      bodies[path] = () => JSON.stringify(work[i], withBase64);
    });
    const task = { entries, modules, versions: installedVersions(webgpuPackages), options };
    const results = await raceInPages(browser, url, bodies, task);
    return {
      rows: results.flatMap(({ rows }) => rows),
      adapter: results.map(({ adapter }) => adapter).join('; '),
      missing: Object.assign({}, ...results.map(({ missing }) => missing)) as GpuResult['missing'],
    };
  } finally {
    for (const browser of open) await browser.close();
    await server.close();
  }
};
