// Completion: a real bash, which has read the script, offers what the tables hold.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bashScript } from '../src/completion/bash.ts';
import { verbTable } from '../src/program/verbTable.ts';
import { settingPaths } from '../src/settings/paths.ts';
import { tryProgram } from './surroundings.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'completion-'));
  writeFileSync(join(folder, 'script'), bashScript);
  writeFileSync(join(folder, 'cat picture.jpg'), '');
  mkdirSync(join(folder, 'photos'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What bash offers after command lines; their last words are what the cursor stands behind. */
function offered(...lines: readonly (readonly string[])[]): string[][] {
  const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;
  const tries = lines.map(
    (words) =>
      `COMP_WORDS=(autoassign ${words.map(quoted).join(' ')}); COMP_CWORD=${words.length}; _autoassign; printf '%s\\n' "\${COMPREPLY[@]}"; echo ---`,
  );
  const program = ['set -u', 'source ./script', ...tries].join('\n');
  const text = execFileSync('bash', ['--norc', '-c', program], { cwd: folder, encoding: 'utf8' });
  return text
    .split('---\n')
    .slice(0, lines.length)
    .map((part) => part.split('\n').filter((word) => word !== ''));
}

describe('bash', () => {
  it('offers every verb, and every option of each', () => {
    const names = verbTable.map(({ name }) => name.split(' '));
    const [first, data, ...options] = offered([''], ['data', ''], ...names.map((words) => [...words, '--']));
    expect(new Set(first)).toEqual(new Set([...names.map(([word]) => word), '--help', '--version']));
    expect(data).toEqual(names.filter(([word]) => word === 'data').map(([, word]) => word));
    for (const [i, { name, options: specs }] of verbTable.entries())
      expect(options[i], name).toEqual([...specs.map(({ flags }) => flags.split(' ')[0]), '--help']);
  });

  it('offers what begins with what was typed', () => {
    const [verbs, options, nothing, words] = offered(
      ['tr'],
      ['train', '--ba'],
      ['train', '--zzz'],
      ['train', '--precision', 'em'],
    );
    expect(verbs).toEqual(['train']);
    expect(options).toEqual(['--batch', '--backend']);
    expect(nothing).toEqual([]);
    expect(words).toEqual(['emulated\\ mixed']);
  });

  it('offers the words there are for an option, and paths', () => {
    const [backends, presets, formats, folders, files, shells] = offered(
      ['train', '--backend', ''],
      ['train', '--preset', 'sm'],
      ['data', 'convert', '--to', ''],
      ['train', '--data', ''],
      ['predict', 'cat'],
      ['completion', ''],
    );
    expect(backends).toEqual(['cpu', 'wasm', 'gpujs', 'webgpu']);
    expect(presets).toEqual(['small']);
    expect(formats).toEqual(['coco', 'voc']);
    expect(folders).toEqual(['photos']);
    expect(files).toEqual(['cat picture.jpg']);
    expect(shells).toEqual(['bash', 'zsh', 'fish']);
  });

  it('offers settings and the words there are for them', () => {
    const [settings, kinds, begun, flags] = offered(
      ['train', '--data', 'photos', 'recipe.optimizer.'],
      ['train', 'recipe.optimizer.kind', '='],
      ['train', 'recipe.optimizer.kind', '=', 's'],
      ['config', 'images.train.enlarge', '='],
    );
    const known = new Set(settingPaths.map(({ path }) => `${path}=`));
    expect(new Set(settings)).toEqual(
      new Set([...known].filter((path) => path.startsWith('recipe.optimizer.'))),
    );
    expect(kinds).toEqual(['adamw', 'sgd']);
    expect(begun).toEqual(['sgd']);
    expect(flags).toEqual(['true', 'false']);
  });
});

describe('autoassign completion', () => {
  it.each(['bash', 'zsh', 'fish'])('%s names every option', async (shell) => {
    const { createVerbs } = await import('../src/verbs/index.ts');
    const tried = tryProgram(['completion', shell], (context) =>
      createVerbs().completion({ shell: shell as 'bash' }, context),
    );
    const { exitCode, stdout } = await tried.outcome;
    expect(exitCode).toBe(0);
    for (const { options } of verbTable)
      for (const { flags } of options) expect(stdout).toContain(flags.split(' ')[0]?.slice(2));
    for (const { path } of settingPaths.filter(({ node }) => node.type === 'number'))
      expect(stdout).toContain(`${path}=`);
  });
});
