// The verb `ablate` on tiny runs: a grid that is stopped goes on with what is missing, and leaves its table.
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { namesIn, runTiny, testFolder } from './tinyRuns.ts';

let place: Awaited<ReturnType<typeof testFolder>>;
let grid: string;
beforeAll(async () => {
  place = await testFolder();
  grid = join(place.folder, 'grid');
});
afterAll(() => place.remove());

const words = (...more: readonly string[]): string[] => [
  ...[
    'ablate',
    '--out',
    place.folder,
    '--name',
    'grid',
    '--variants',
    'full,retinanet',
    '--steps',
    '1',
    '--seeds',
    '1',
  ],
  ...more,
];

it('stops with a word on how to go on, keeping what is finished', async () => {
  const { exitCode, events, stderr } = await runTiny(words('--json'), {
    interruptAt: ({ event, variant }) => event === 'step' && variant === 'retinanet',
  });
  expect(exitCode).toBe(130);
  expect(stderr).toContain('Stopped with 1 of 2 runs finished. The same command goes on: autoassign ablate');
  expect(events.at(-1)).toEqual({ event: 'stopped', finished: 1, runs: 2 });
});

it('goes on where it was stopped', async () => {
  const kept = await stat(join(grid, 'full-seed0', 'summary.json'));
  const { exitCode, stdout, stderr } = await runTiny(words());
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  expect(stderr).toContain('1 of 2 runs are finished already.');
  expect(stderr).toMatch(/2\/2 retinanet seed 0: Going on after step 1/);
  expect(stdout).toMatch(/retinanet +1 +\d.*one seed, no claim/);
  expect((await stat(join(grid, 'full-seed0', 'summary.json'))).mtimeMs).toBe(kept.mtimeMs);
  expect(await namesIn(grid)).toEqual([
    ...['ablation.csv', 'ablation.json', 'ablation.md', 'ablation.svg'],
    ...['full-seed0', 'grid.json', 'retinanet-seed0'],
  ]);
  const { detector } = JSON.parse(await readFile(join(grid, 'retinanet-seed0', 'config.json'), 'utf8')) as {
    detector: { loss: object };
  };
  expect(detector.loss).toEqual({ kind: 'retinanet' });
  const steps = (await readFile(join(grid, 'retinanet-seed0', 'metrics.jsonl'), 'utf8')).split('\n');
  expect(Object.keys(JSON.parse(steps[0]!) as object)).toEqual([
    ...['step', 'event', 'loss', 'classification', 'box', 'gradientNorm', 'rate', 'epoch'],
  ]);
});

it('does nothing but tell when all runs are finished', async () => {
  const { exitCode, events } = await runTiny(words('--json'));
  expect(exitCode).toBe(0);
  expect(events.map(({ event }) => event)).toEqual(['ablation']);
});

it('refuses a grid whose runs have other settings', async () => {
  const other = [...words().slice(0, -3), '3', '--seeds', '1'];
  const { exitCode, stderr } = await runTiny(other);
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(
    /^autoassign ablate: ablate\(.*grid\.json\): needs .* steps 1, got 3\. Give the same/,
  );
});
