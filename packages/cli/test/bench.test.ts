// The verb bench, on images and a network so small that it takes a moment.
import { expect, test } from 'vitest';
import type { BenchOptions } from '../src/options.ts';
import { benchVerb } from '../src/verbs/bench.ts';
import { tryProgram } from './surroundings.ts';

const tiny = [
  'detector.backbone.stem.widths=[8, 8]',
  'detector.backbone.planes=[8, 8, 8, 8]',
  'detector.neck.channels=8',
  'detector.head.groups=1',
];
const words = [
  'bench',
  '--backends',
  'wasm',
  '--threads',
  '1',
  '--size',
  '32x64',
  '--classes',
  '2',
  '--rounds',
  '2',
];
const bench = (...more: string[]) =>
  tryProgram([...words, ...more, ...tiny], (context, options) =>
    benchVerb(options as unknown as BenchOptions, context),
  ).outcome;

test('measures prediction and training, for people and for programs', async () => {
  const [text, json, quiet] = [await bench('--batch', '2'), await bench('--json'), await bench('--quiet')];
  expect(text.exitCode).toBe(0);
  expect(text.stdout).toMatch(/^small: 2 of 32x64, 2 classes, 2 rounds\n/);
  expect(text.stdout).toMatch(/wasm with 1 thread +predict +[\d.,]+ .*\nwasm with 1 thread +train +[\d.,]+ /);
  expect(text.stderr).toContain('train on wasm 3/3');
  const events = json.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(events.map(({ work }) => work)).toEqual(['predict', 'train']);
  for (const { milliseconds, firstMilliseconds, peakBytes, height, width } of events) {
    expect(milliseconds).toHaveLength(2);
    for (const time of [...(milliseconds as number[]), firstMilliseconds]) expect(time).toBeGreaterThan(0);
    expect(peakBytes).toBeGreaterThan(0);
    expect([height, width]).toEqual([32, 64]);
  }
  expect({ ...quiet, calls: [] }).toEqual({ exitCode: 0, calls: [], stdout: '', stderr: '' });
});

test('ends between rounds when it is told to', async () => {
  const tried = tryProgram([...words, ...tiny], (context, options) =>
    benchVerb(options as unknown as BenchOptions, context),
  );
  tried.signals.emit('SIGINT');
  const { exitCode, stdout } = await tried.outcome;
  expect({ exitCode, stdout }).toEqual({ exitCode: 130, stdout: '' });
});
