// The verb doctor, as a program of its own: it may load a GPU driver.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));

const doctor = async (...words: string[]): Promise<string> => {
  const given = ['--conditions=@autoassign/source', '--import', 'tsx', main, 'doctor', ...words];
  return (await promisify(execFile)(process.execPath, given, { timeout: 60_000 })).stdout;
};

test('lists every backend, as lines for people and as JSON for programs', async () => {
  const [text, json] = [await doctor(), await doctor('--json')];
  const [machine, ...events] = json
    .trim()
    .split('\n')
    .map(
      (line) => JSON.parse(line) as { event: string; name: string; isAvailable: boolean; reason?: string },
    );
  expect(machine).toMatchObject({ event: 'machine', node: process.version, cores: expect.any(Number) });
  expect(text).toContain(`Node ${process.version}`);
  expect(text).toMatch(/sharp [\d.]+ with libvips [\d.]+; onnxruntime-node /);
  expect(events.map(({ name }) => name)).toEqual(['cpu', 'wasm', 'gpujs', 'webgpu']);
  for (const { name, isAvailable, reason } of events) {
    expect(text).toMatch(new RegExp(`${name} +${isAvailable ? 'runs here' : 'does not run here'}`));
    expect(reason === undefined, 'a reason exactly where one is due').toBe(isAvailable);
  }
  expect(text).toContain('threads: ');
});
