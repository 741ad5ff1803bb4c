// Bundles the program of bench/device into .device/program, with the installed peers that compute with WebGPU beside it.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { installedVersions, peerFile } from '../cpu/peers.ts';
import { webgpuPackages } from '../gpu/peers.ts';
import { commitOf } from '../record.ts';
import type { Packed } from './packed.ts';
import { bundleOf, packedFile } from './packed.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const outDir = fileURLToPath(new URL('../../../.device/program/', import.meta.url));
// as Node would choose: TensorFlow.js mixes classes of both kinds where a bundler prefers ES modules
const mainFields = ['main'];
const conditions = ['@autoassign/source', 'module', 'node', 'development|production'];

const peers = installedVersions(webgpuPackages);
const peerBundles = Object.keys(peers).map((name) => [bundleOf(name), peerFile(name)] as const);

await build({
  root,
  configFile: false,
  logLevel: 'warn',
  resolve: { conditions, mainFields },
  ssr: { noExternal: true, external: ['webgpu', 'sharp', 'gl'], resolve: { conditions, mainFields } },
  build: {
    ssr: true,
    outDir,
    emptyOutDir: true,
    target: 'node20',
    minify: false,
    rolldownOptions: {
      input: {
        program: fileURLToPath(new URL('./program.ts', import.meta.url)),
        ...Object.fromEntries(peerBundles),
      },
      output: { entryFileNames: '[name].mjs', chunkFileNames: '[name]-[hash].mjs' },
    },
  },
});
const packed: Packed = { commit: commitOf(), peers };
writeFileSync(`${outDir}${packedFile}`, JSON.stringify(packed, null, 2));
const left = webgpuPackages.filter((name) => peers[name] === undefined);
if (left.length > 0)
  console.log(`Without ${left.join(', ')}: not in bench/peers, which a bench with --peers installs.`);
