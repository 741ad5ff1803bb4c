// The package runs in browsers: outside platform/node no source imports a module of Node.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const source = fileURLToPath(new URL('../../src/', import.meta.url));
const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((path) =>
  path.endsWith('.ts'),
);

test('only platform/node imports modules of Node or sharp', () => {
  const importing = files.filter((path) =>
    /from '(node:|sharp)|import\('(node:|sharp)|\bBuffer\b|\bprocess\./.test(
      readFileSync(source + path, 'utf8'),
    ),
  );
  expect(importing).toContain('platform/node/files.ts');
  expect(importing.filter((path) => !path.startsWith('platform/node/'))).toEqual([]);
});
