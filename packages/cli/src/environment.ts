// What a run ran on, for `env.json`: enough to explain a difference between two runs, and nothing private.
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { arch, availableParallelism, cpus, release, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import sharp from 'sharp';

/** How a run was started. */
export interface RunStart {
  /** The words after the program's name. */
  readonly commandLine: readonly string[];
  /** Threads that compute. */
  readonly threads: number;
}

/** The machine, the versions, the command line and the threads of a run. */
export interface RunEnvironment extends RunStart {
  readonly date: string;
  readonly node: string;
  readonly platform: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly packages: Readonly<Record<string, string>>;
  /** The commit of the repository around the working folder; absent outside of one. */
  readonly git?: { readonly commit: string; readonly isClean: boolean };
}

const packageNames = [
  '@autoassign/tensor',
  '@autoassign/autograd',
  '@autoassign/datasets',
  '@autoassign/detector',
];

function versionIn(manifest: string): string {
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version?: string };
  return version ?? 'unknown';
}

function packageVersions(): Record<string, string> {
  const require = createRequire(import.meta.url);
  const versions: Record<string, string> = {
    autoassign: versionIn(require.resolve('../package.json')),
    // Decoders decide pixels; their manifests are not among sharp's exports.
    sharp: sharp.versions.sharp,
    vips: sharp.versions.vips,
  };
  for (const name of packageNames) versions[name] = versionIn(require.resolve(`${name}/package.json`));
  return versions;
}

/** The version of a package that is installed where the program or the working folder finds it; undefined when it is not. */
export function installedVersion(name: string): string | undefined {
  const starts = [import.meta.dirname, process.cwd()];
  for (const start of starts)
    for (let folder = start; ; folder = dirname(folder)) {
      const manifest = join(folder, 'node_modules', name, 'package.json');
      if (existsSync(manifest)) return versionIn(manifest);
      if (dirname(folder) === folder) break;
    }
  return undefined;
}

async function gitState(folder: string): Promise<RunEnvironment['git']> {
  const git = async (...words: string[]): Promise<string> => {
    const { stdout } = await promisify(execFile)('git', words, { cwd: folder, timeout: 5_000 });
    return stdout.trim();
  };
  try {
    const commit = await git('rev-parse', 'HEAD');
    return { commit, isClean: (await git('status', '--porcelain', '--untracked-files=no')) === '' };
  } catch {
    return undefined; // no git, no repository, or no commit yet
  }
}

/** The environment of this process, with the git commit of the repository that holds `folder`. */
export async function collectEnvironment(
  { commandLine, threads }: RunStart,
  folder: string = process.cwd(),
): Promise<RunEnvironment> {
  const git = await gitState(folder);
  return {
    date: new Date().toISOString(),
    commandLine,
    node: process.version,
    platform: `${process.platform} ${arch()} ${release()}`,
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    threads,
    memoryBytes: totalmem(),
    packages: packageVersions(),
    ...(git === undefined ? {} : { git }),
  };
}
