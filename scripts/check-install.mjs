// Installs the packed packages with npm in an empty folder, without install scripts, and uses the program there as people would.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const { packageManager } = JSON.parse(readFileSync('package.json', 'utf8'));
const archives = mkdtempSync(join(tmpdir(), 'packed-'));
const home = mkdtempSync(join(tmpdir(), 'installed-'));

// what npm and vitest leave in the environment of scripts would reach the program
const { PATH, HOME } = process.env;
const registry = Object.entries(process.env).filter(([name]) => /^npm_config_(registry|cache)$/i.test(name));
const environment = { PATH, HOME, ...Object.fromEntries(registry) };

/** The standard output of a command; a failure ends the check. */
const run = (command, args, options = {}) => {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', ...options });
  if (status === 0) return stdout;
  console.error(`failed with ${status}: ${command} ${args.join(' ')}\n${stdout}\n${stderr}`);
  rmSync(archives, { recursive: true, force: true });
  rmSync(home, { recursive: true, force: true });
  process.exit(1);
};
const autoassign = (...words) =>
  run('npx', ['--no-install', 'autoassign', ...words], { cwd: home, env: environment });
const require = (isRight, what) => {
  if (isRight) return;
  console.error(`failed: ${what}`);
  process.exitCode = 1;
};

for (const folder of readdirSync('packages'))
  run('npx', ['--yes', packageManager, 'pack', '--pack-destination', archives], {
    cwd: join('packages', folder),
  });
writeFileSync(join(home, 'package.json'), '{ "private": true }');
const files = readdirSync(archives).map((file) => join(archives, file));
run('npm', ['install', ...files, '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'], {
  cwd: home,
  env: environment,
});

const { version } = JSON.parse(readFileSync('packages/cli/package.json', 'utf8'));
require(autoassign('--version').trim() === version, 'the version is that of the package');
const backends = autoassign('doctor', '--json')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line));
require(backends.some(
  ({ name, isAvailable }) => name === 'wasm' && isAvailable,
), 'doctor finds the backend wasm');
require(/^recipe:/m.test(autoassign('config')), 'config prints settings');
const measured = autoassign(
  ...['bench', '--rounds', '1', '--size', '64x64', '--threads', '1', '--backends', 'wasm', '--json'],
);
require(measured.trim().split('\n').length === 2, 'bench measures prediction and training');
autoassign('demo', '--quick', '--steps', '3', '--threads', '1', 'recipe.batchSize=2', '--quiet');
const { recipe } = JSON.parse(readFileSync(join(home, 'runs/demo/config.json'), 'utf8'));
require(recipe.batchSize === 2, 'a setting of the command line is in config.json');
const shapes = join(home, 'runs/data');
const pictures = readdirSync(shapes, { recursive: true }).filter((file) => /\.(png|jpe?g)$/.test(file));
autoassign('predict', join(shapes, pictures[0]), '--weights', 'runs/demo', '--threads', '1', '--quiet');
const results = ['runs/demo/config.json', 'runs/demo/summary.json', 'runs/predict/detections.json'];
for (const file of results) require(existsSync(join(home, file)), `${file} is there`);
rmSync(archives, { recursive: true, force: true });
rmSync(home, { recursive: true, force: true });
