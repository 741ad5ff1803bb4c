// The libraries we are compared with: installed on demand into bench/peers, imported from there, never part of the workspace.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gpuJs } from './libraries/gpuJs.ts';
import { jax } from './libraries/jax.ts';
import { jsPytorch } from './libraries/jsPytorch.ts';
import { onnxruntime } from './libraries/onnxruntime.ts';
import { tfjs } from './libraries/tfjs.ts';
import { torch } from './libraries/torch.ts';
import type { Library, Peers } from './library.ts';
import { openAll } from './library.ts';

/** Imports a package of bench/peers. */
export type Importer = <Module>(name: string) => Promise<Module>;

const folder = fileURLToPath(new URL('../../peers/', import.meta.url));
const manifest = join(folder, 'package.json');

const wanted = (): Record<string, string> =>
  (JSON.parse(readFileSync(manifest, 'utf8')) as { dependencies: Record<string, string> }).dependencies;

/** The version of a package of bench/peers that is installed, if one is. */
const installedVersion = (name: string): string | undefined => {
  try {
    const text = readFileSync(join(folder, 'node_modules', name, 'package.json'), 'utf8');
    return (JSON.parse(text) as { version: string }).version;
  } catch {
    return undefined;
  }
};

/** Versions of packages, by name. */
export type Versions = Readonly<Record<string, string>>;

/** The versions of those of the packages that are installed in bench/peers. */
export const installedVersions = (names: readonly string[]): Versions =>
  Object.fromEntries(
    names.flatMap((name) => {
      const version = installedVersion(name);
      return version === undefined ? [] : [[name, version] as const];
    }),
  );

/** Installs what bench/peers names and lacks, saying so; no package's install script runs. */
export const installPeers = (): void => {
  const missing = Object.entries(wanted()).filter(([name, version]) => installedVersion(name) !== version);
  if (missing.length === 0) return;
  console.log(
    `Installing ${missing.map((entry) => entry.join(' ')).join(', ')} into bench/peers (about 700 MB) …`,
  );
  const flags = ['--ignore-scripts', '--omit=optional', '--no-package-lock', '--no-audit', '--no-fund'];
  execFileSync('npm', ['install', ...flags], { cwd: folder, stdio: 'inherit' });
};

/** Imports a file as it is, with all its exports under their names. */
export const importFile = async <Module>(url: URL): Promise<Module> => {
  const module = (await import(/* @vite-ignore */ url.href)) as { readonly default?: object };
  // CommonJS packages put their exports under `default`, not all of them also under names
  return { ...module.default, ...module } as Module;
};

/** The file that a package of bench/peers starts with. */
export const peerFile = (name: string): string => createRequire(manifest).resolve(name);

/** Imports of bench/peers. */
export const importPeer: Importer = (name) => importFile(pathToFileURL(peerFile(name)));

/** All peers of the suite `cpu`, ready to compute with a number of threads. */
export const openPeers = async (threads: number): Promise<Peers> => {
  const openers: Readonly<Record<string, () => Promise<Library>>> = {
    'tfjs-wasm': () => tfjs(importPeer, 'wasm'),
    'tfjs-cpu': () => tfjs(importPeer, 'cpu'),
    // node before web: both register as `cpu` in a package they share, and the first stays
    'ort-node': () => onnxruntime(importPeer, 'node', threads),
    'ort-web': () => onnxruntime(importPeer, 'web', threads),
    'jax-js': () => jax(importPeer, installedVersion('@jax-js/jax')),
    'gpu.js': () => gpuJs(importPeer, installedVersion('gpu.js')),
    'js-pytorch': () => jsPytorch(importPeer, installedVersion('js-pytorch')),
    PyTorch: () => torch(join(folder, 'torch_peer.py'), { threads }),
  };
  return openAll(openers);
};
