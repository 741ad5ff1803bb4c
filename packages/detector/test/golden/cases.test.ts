// Finding golden cases: a path that is no folder is a mistake, never a folder without cases.
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test, vi } from 'vitest';
import { goldenFolder } from './cases.ts';

afterEach(() => vi.unstubAllEnvs());

test.each(['/no/such/folder', '', fileURLToPath(import.meta.url)])('refuses "%s"', (path) => {
  vi.stubEnv('AUTOASSIGN_GOLDEN', path);
  expect(() => goldenFolder('head')).toThrow(`AUTOASSIGN_GOLDEN: needs a folder, got "${path}"`);
});
