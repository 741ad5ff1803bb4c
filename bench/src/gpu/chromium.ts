// The suite `gpu` in Chromium, on WebGL2: serves a page from the sources, gives it the work, and takes its rows.
import { existsSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright';
import { createServer } from 'vite';
import { installPeers } from '../cpu/peers.ts';
import { renamedByPlace } from './page/rows.ts';
import type { GpuOptions, GpuResult } from './suite.ts';
import { gpuWork } from './work.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const [pagePath, workPath] = ['/bench-gpu', '/bench-gpu/work.json'];
/** Peers as modules that a page can load as they are. */
const modules = { '@tensorflow/tfjs': '/bench/peers/node_modules/@tensorflow/tfjs/dist/tf.fesm.min.js' };
const browsers = [process.env.CHROME_BIN, '/usr/bin/chromium', '/usr/bin/google-chrome'];

const withBase64 = (_: string, value: unknown): unknown =>
  value instanceof Float32Array
    ? { base64: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64') }
    : value;

/** A server of the sources, of the page, and of the work. */
const serve = (page: string, work: string) =>
  createServer({
    root,
    configFile: false,
    appType: 'custom',
    logLevel: 'error',
    server: { port: 0, host: '127.0.0.1', hmr: false, watch: null },
    resolve: { conditions: ['@autoassign/source', 'module', 'browser', 'development|production'] },
    // no ES modules; all are named, for finding one later would reload the page
    optimizeDeps: { noDiscovery: true, include: ['gpu.js', '@autoassign/tensor > ndarray'] },
    plugins: [
      {
        name: 'bench-gpu',
        configureServer: ({ middlewares }) => {
          middlewares.use((request, response, next) => {
            const body = request.url === pagePath ? page : request.url === workPath ? work : undefined;
            if (body === undefined) return next();
            response.setHeader('Content-Type', body === page ? 'text/html' : 'application/json');
            return response.end(body);
          });
        },
      },
    ],
  });

/**
 * The suite's rows on WebGL2 in Chromium.
 *
 * Throws  Error without Chromium, or when ours fails at a task
 */
export const chromiumSuite = async (options: GpuOptions): Promise<GpuResult> => {
  const executablePath = browsers.find((path) => path !== undefined && existsSync(path));
  if (executablePath === undefined)
    throw new Error('bench gpu: needs Chromium, got none. Install it, or set CHROME_BIN.');
  if (options.peers) installPeers();
  const { seed, large, only } = options;
  const entries = await gpuWork(seed, { large, paperSized: false, only });
  const script = relative(root, fileURLToPath(new URL('./page/page.ts', import.meta.url)));
  const html = `<!doctype html><title>bench</title><script type="module" src="/${script.replaceAll('\\', '/')}"></script>`;
  const server = await serve(html, JSON.stringify({ entries, modules, options }, withBase64));
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  try {
    await server.listen();
    const address = server.httpServer!.address();
    if (address === null || typeof address === 'string')
      throw new Error(`bench gpu: needs a server on a port, got ${address}. Try again.`);
    const page = await browser.newPage();
    const done = new Promise<GpuResult>((resolve, reject) => {
      void page.exposeFunction('benchDone', resolve);
      void page.exposeFunction('benchFailed', (message: string) => reject(new Error(message)));
      page.on('pageerror', reject);
    });
    page.on('console', (message) => {
      if (message.type() === 'info') console.error(message.text());
    });
    const opening = page.goto(`http://127.0.0.1:${address.port}${pagePath}`);
    const [result] = await Promise.all([done, opening]);
    return renamedByPlace(result, `Chromium ${browser.version().split('.')[0]}, WebGL2`);
  } finally {
    await browser.close();
    await server.close();
  }
};
