// A Python with PyTorch, where AUTOASSIGN_TORCH names one: the outside authority on its own files.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The program of AUTOASSIGN_TORCH; undefined where the variable is not set. */
export const python: string | undefined = process.env.AUTOASSIGN_TORCH;

/**
 * What a program prints and leaves when it runs in a folder of its own with some files. PyTorch's warnings are no concern of the tests.
 */
export const runPython = (
  program: string,
  files: Readonly<Record<string, Uint8Array>>,
  results: readonly string[] = [],
): { readonly printed: string; readonly files: Readonly<Record<string, Uint8Array>> } => {
  const folder = mkdtempSync(join(tmpdir(), 'autoassign-torch-'));
  try {
    for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes);
    const { stdout, stderr, status, error } = spawnSync(python!, ['-W', 'ignore', '-c', program], {
      cwd: folder,
      encoding: 'utf8',
      maxBuffer: 2 ** 28,
    });
    if (status !== 0) throw new Error(`${python}: ${error?.message ?? stderr}`);
    const left = results.map((name): [string, Uint8Array] => [
      name,
      new Uint8Array(readFileSync(join(folder, name))),
    ]);
    return { printed: stdout, files: Object.fromEntries(left) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
