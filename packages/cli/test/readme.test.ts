// The README's examples are the first code that people run: each is type-checked and run as it stands.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeShapes } from '@autoassign/datasets';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tinyWeights } from './library/tinyWeights.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
// below this package, so that its imports resolve as a user's would
const cache = join(root, 'packages/cli/node_modules/.cache');
mkdirSync(cache, { recursive: true });
const folder = mkdtempSync(join(cache, 'readme-'));

const examples = readFileSync(join(root, 'README.md'), 'utf8')
  .split(/^### @?(?=autoassign)/m)
  .slice(1)
  .map((section) => ({
    name: section.split('\n')[0]!.replace('autoassign/', ''),
    code: /```ts\n([\s\S]*?)```/
      .exec(section)![1]!
      .replace('path/to/folder', join(folder, 'shapes'))
      .replace('runs/train/best.safetensors', join(folder, 'tiny.safetensors'))
      .replace('street.jpg', join(folder, 'shapes/images/train-000000.jpg')),
  }));

/** The examples of the package's own README stand for data of the user's: they are type-checked only. */
const ownExamples = [
  ...readFileSync(join(root, 'packages/datasets/README.md'), 'utf8').matchAll(/```ts\n([\s\S]*?)```/g),
].map(([, code]) => code!);

const run = (...args: string[]): string =>
  execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

beforeAll(async () => {
  await writeShapes(join(folder, 'shapes'), { train: 4, validation: 2 });
  writeFileSync(join(folder, 'tiny.safetensors'), await tinyWeights());
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(join(root, 'packages/cli'), join(folder, 'node_modules/autoassign'), 'junction');
  for (const { name, code } of examples) writeFileSync(join(folder, `${name}.ts`), code);
  for (const [i, code] of ownExamples.entries()) writeFileSync(join(folder, `own${i}.ts`), code);
  const config = {
    extends: join(root, 'tsconfig.base.json'),
    compilerOptions: {
      composite: false,
      declaration: false,
      declarationMap: false,
      isolatedDeclarations: false,
      noEmit: true,
      types: ['node'],
      lib: ['es2023', 'dom'],
    },
    include: ['*.ts'],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('README', () => {
  test('has an example for every library package', () => {
    expect(examples.map(({ name }) => name)).toEqual([
      'tensor',
      'autograd',
      'detector',
      'datasets',
      'autoassign',
    ]);
  });

  test('and one for every reader in the README of the datasets', () => {
    for (const reader of ['openDataset', 'openCoco', 'openVoc', 'openObjects365', 'openWiderFace'])
      expect(ownExamples.some((code) => code.includes(`await ${reader}(`))).toBe(true);
  });

  test('the examples of both have no type errors', () => {
    const typescript = dirname(fileURLToPath(import.meta.resolve('typescript/package.json')));
    run(join(typescript, 'bin/tsc'), '-p', folder);
  });

  test.each(examples.map(({ name }) => name))('the example of %s runs and prints numbers', (name) => {
    const printed = run('--conditions=@autoassign/source', '--import', 'tsx', join(folder, `${name}.ts`));
    expect(printed).toMatch(/\d/);
    expect(printed).not.toMatch(/NaN|undefined/);
  });
});
