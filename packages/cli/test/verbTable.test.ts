// The table of verbs: everything that is made from it holds for each of them.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { verbTable, verbWords } from '../src/program/verbTable.ts';
import { tryProgram } from './surroundings.ts';

const here = import.meta.dirname;

/** The words of an example, with files and folders that exist in place of the user's. */
const wordsOf = (words: string): string[] =>
  words.split(' ').map((word) => {
    if (/\.(pth|safetensors|yaml)$/.test(word)) return import.meta.filename;
    return /^(photos|path\/to\/folder|runs\/\S+)$/.test(word) ? here : word;
  });

describe.each(verbTable.map((spec) => [spec.name, spec] as const))('%s', (name, spec) => {
  it('has examples that call it', async () => {
    expect(spec.examples.length).toBeGreaterThan(0);
    for (const { words } of spec.examples) {
      const { exitCode, calls, stderr } = await tryProgram(wordsOf(words)).outcome;
      expect({ exitCode, stderr, verbs: calls.map(({ verb }) => verb) }, words).toEqual({
        exitCode: 0,
        stderr: '',
        verbs: [name],
      });
    }
  });

  it('has a help that lists its options and examples', async () => {
    const { exitCode, stdout } = await tryProgram([...name.split(' '), '--help']).outcome;
    expect(exitCode).toBe(0);
    for (const { flags } of spec.options) expect(stdout).toContain(flags);
    for (const { words } of spec.examples) expect(stdout).toContain(`autoassign ${words}`);
  });

  it('speaks to programs, and keeps silent', () => {
    const flags = spec.options.map((option) => option.flags);
    if (name !== 'completion') expect(flags).toEqual(expect.arrayContaining(['--json', '--quiet']));
  });

  it('is named in errors', async () => {
    const { exitCode, stderr } = await tryProgram([...name.split(' '), '--no-such-option']).outcome;
    expect(exitCode).toBe(2);
    expect(stderr.startsWith(`autoassign ${name}: `)).toBe(true);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });
});

describe('README', () => {
  const text = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');
  const lines = [...text.matchAll(/^npm run (?:--silent )?autoassign -- ([^#>\n]*)/gm)].map(([, words]) =>
    words!.trim(),
  );
  it('shows most verbs', () => {
    expect(lines.length).toBeGreaterThan(15);
  });

  it.each(lines)('%s is a command line that the program takes', async (line) => {
    const { exitCode, stderr } = await tryProgram(wordsOf(line)).outcome;
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  });
});

describe('verbWords', () => {
  it('finds the verb, or the word before one', () => {
    expect(verbWords(['data', 'info', 'photos'])).toEqual(['data', 'info']);
    expect(verbWords(['data', 'photos'])).toEqual(['data']);
    expect(verbWords(['data-info', 'train'])).toEqual([]);
    expect(verbWords([])).toEqual([]);
  });
});
