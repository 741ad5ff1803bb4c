// Kernels survive a minifier, as they are text: a minified bundle computes what the sources compute.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'vite';
import { expect, test } from 'vitest';

const entry = `
import { add, compile, createBackend, exp, log1p, matmul, mul, read, sum, tensor, topK } from ${JSON.stringify(fileURLToPath(new URL('../../src/index.ts', import.meta.url)))};
export const run = async (name, options) => {
  const backend = await createBackend(name, options);
  const f = compile((x, k) => {
    const y = exp(mul(matmul(x, x), 0.125));
    return [sum(log1p(y), 1), topK(y, 2).indices, add(mul(k, k), k)];
  }, { backend });
  const results = await f(tensor([[1, 2, -3], [0.5, -1, 2], [3, 0, 1]]), tensor(Int32Array.of(123456789, -7)));
  const values = [];
  for (const result of results) values.push(Array.from(await read(result)));
  await backend.destroy();
  return values;
};
`;

test('a minified bundle computes on gpujs', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'minified-'));
  try {
    writeFileSync(join(folder, 'entry.js'), entry);
    await build({
      configFile: false,
      logLevel: 'silent',
      root: folder,
      resolve: { conditions: ['@autoassign/source', 'module', 'browser', 'production'] },
      build: {
        minify: true,
        target: 'es2022',
        outDir: join(folder, 'dist'),
        lib: { entry: join(folder, 'entry.js'), formats: ['es'], fileName: () => 'bundle.mjs' },
      },
    });
    const bundle = (await import(pathToFileURL(join(folder, 'dist/bundle.mjs')).href)) as {
      run(name: string, options: object): Promise<number[][]>;
    };
    const [sums, ...integers] = await bundle.run('cpu', {});
    for (const mode of ['cpu', 'webasm'])
      expect(await bundle.run('gpujs', { mode })).toEqual([
        sums!.map((value) => expect.closeTo(value, 5)),
        ...integers,
      ]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
