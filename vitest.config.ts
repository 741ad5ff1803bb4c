// Tests import the packages' TypeScript sources (the "@autoassign/source" condition): no build step.
import { existsSync } from 'node:fs';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';

const source = '@autoassign/source';
const chromium = [process.env.CHROME_BIN, '/usr/bin/chromium', '/usr/bin/google-chrome'].find(
  (path) => path && existsSync(path),
);
if (chromium === undefined) {
  const message = 'no Chromium found (set CHROME_BIN, or install the package "chromium")';
  if (process.env.CI) throw new Error(`Browser tests cannot run: ${message}.`);
  console.warn(`Skipping the browser tests: ${message}.`);
}

const node = {
  resolve: { conditions: [source, 'module', 'node', 'development|production'] },
  ssr: { resolve: { conditions: [source, 'module', 'node', 'development|production'] } },
  test: {
    name: 'node',
    include: ['packages/*/test/**/*.test.ts', 'bench/test/**/*.test.ts'],
    exclude: ['packages/*/test/browser/**'],
    pool: 'threads' as const,
    testTimeout: 60_000,
  },
};

const browser = (executablePath: string) => ({
  resolve: { conditions: [source, 'module', 'browser', 'development|production'] },
  test: {
    name: 'browser',
    include: ['packages/*/test/browser/**/*.test.ts'],
    testTimeout: 60_000,
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      provider: playwright({ launchOptions: { executablePath, args: ['--no-sandbox'] } }),
      instances: [{ browser: 'chromium' as const }],
    },
  },
});

export default defineConfig({
  test: {
    reporters: ['default', ['json', { outputFile: 'node_modules/.cache/vitest.json' }]],
    coverage: { provider: 'v8', include: ['packages/*/src/**'], reporter: ['text-summary', 'lcov'] },
    projects: chromium === undefined ? [node] : [node, browser(chromium)],
  },
});
