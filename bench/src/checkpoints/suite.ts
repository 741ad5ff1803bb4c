// What reading checkpoints of the published R-50's size takes in time and memory: each reading in a process of its own.
import { strictEqual } from 'node:assert';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inProcess } from '../cpu/processes.ts';
import type { Row } from '../record.ts';
import { type Spread, spreadOf } from '../spread.ts';
import type { GeneratedCheckpoint, GenerateOptions } from './generate.ts';
import type { ReadOptions, ReadResult } from './process.ts';

/** What to measure. */
export interface CheckpointOptions {
  readonly seed: number;
  readonly rounds: number;
}

/** A Python with PyTorch, which then writes files as well and reads them beside us. */
const python = process.env.AUTOASSIGN_TORCH;

const program = new URL('./process.ts', import.meta.url);

const generated = (options: GenerateOptions): Promise<GeneratedCheckpoint> =>
  inProcess<GeneratedCheckpoint>(new URL('./generate.ts', import.meta.url), options);

/** A file to read. */
interface CheckpointFile {
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
}

/** PyTorch saves what it finds in one of our files, in both of its containers. */
const saveWithTorch = (folder: string, path: string): CheckpointFile[] => {
  if (python === undefined) return [];
  const script = `
import torch
content = torch.load(${JSON.stringify(path)})
torch.save(content, 'torch-zip.pth')
torch.save(content, 'torch-legacy.pth', _use_new_zipfile_serialization=False)
`;
  const { status, stderr } = spawnSync(python, ['-W', 'ignore', '-c', script], {
    cwd: folder,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${python}: ${stderr}`);
  return ['zip', 'legacy'].map((kind) => {
    const file = join(folder, `torch-${kind}.pth`);
    return { name: `torch.save, ${kind}`, path: file, bytes: statSync(file).size };
  });
};

/** Milliseconds that torch.load takes for a file, and its version. */
const loadWithTorch = (path: string): { readonly milliseconds: number; readonly version: string } => {
  const script = `
import json, time, torch
start = time.perf_counter()
content = torch.load(${JSON.stringify(path)}, weights_only=True)
print(json.dumps(dict(milliseconds=1000 * (time.perf_counter() - start), version=torch.__version__)))
`;
  const { status, stdout, stderr } = spawnSync(python!, ['-W', 'ignore', '-c', script], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${python}: ${stderr}`);
  return JSON.parse(stdout) as { milliseconds: number; version: string };
};

/** A row per file and way of reading; each round measures all of them one after the other. */
export const checkpointSuite = async ({ seed, rounds }: CheckpointOptions): Promise<Row[]> => {
  const folder = mkdtempSync(join(tmpdir(), 'checkpoints-'));
  try {
    const [torch, plain] = [join(folder, 'ours.pth'), join(folder, 'ours.safetensors')];
    const { bytes, sum } = await generated({ path: torch, seed, kind: 'torch' });
    const other = await generated({ path: plain, seed, kind: 'safetensors' });
    const files: CheckpointFile[] = [
      { name: 'ours, .pth', path: torch, bytes },
      { name: 'ours, .safetensors', path: plain, bytes: other.bytes },
      ...saveWithTorch(folder, torch),
    ];
    const rows: Row[] = [];
    for (const file of files)
      for (const how of ['arrays', 'parameters'] as const) rows.push(await rowOf(file, how, { rounds, sum }));
    return rows;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

const rowOf = async (
  { name, path, bytes }: CheckpointFile,
  how: ReadOptions['how'],
  { rounds, sum }: { readonly rounds: number; readonly sum: number },
): Promise<Row> => {
  const results: ReadResult[] = [];
  const theirs: ReturnType<typeof loadWithTorch>[] = [];
  const hasPeer = python !== undefined && path.endsWith('.pth') && how === 'arrays';
  for (let round = 0; round < rounds; round++) {
    const result = await inProcess<ReadResult>(program, { path, how } satisfies ReadOptions);
    strictEqual(result.sum, sum, `the sum of ${path}`);
    results.push(result);
    if (hasPeer) theirs.push(loadWithTorch(path));
  }
  const ours = spreadOf(results.map(({ milliseconds }) => milliseconds));
  return {
    name: `${how} of ${(bytes / 1e6).toFixed(1)} MB, ${name}`,
    threads: 1,
    unit: 'ms',
    ours,
    cpuMilliseconds: spreadOf(results.map(({ cpuMilliseconds }) => cpuMilliseconds)).median,
    memoryBySize: Math.max(...results.map((result) => result.bytes / bytes)),
    peers: hasPeer ? { 'torch.load': peerOf(theirs, ours) } : {},
  };
};

const peerOf = (theirs: readonly ReturnType<typeof loadWithTorch>[], ours: Spread): Row['peers'][string] => {
  const times = spreadOf(theirs.map(({ milliseconds }) => milliseconds));
  return { version: theirs[0]!.version, ...times, ratio: times.median / ours.median };
};

/** The rows as text. */
export const checkpointText = (rows: readonly Row[]): string =>
  rows
    .flatMap(({ name, ours, memoryBySize = 0, cpuMilliseconds = 0, peers }) => [
      `${name}: ${ours.median.toFixed(0)} ms (${ours.min.toFixed(0)} – ${ours.max.toFixed(0)}), processor ${cpuMilliseconds.toFixed(0)} ms, memory ${memoryBySize.toFixed(2)} times the file`,
      ...Object.entries(peers).map(
        ([peer, { median, version, ratio }]) =>
          `  ${peer} ${version}: ${median.toFixed(0)} ms, ${ratio.toFixed(2)} times ours`,
      ),
    ])
    .join('\n');
