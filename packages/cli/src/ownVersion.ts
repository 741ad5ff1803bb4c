// The program's version, as its manifest has it.
import { createRequire } from 'node:module';

/** The version in this package's manifest. */
export function ownVersion(): string {
  const manifest = createRequire(import.meta.url)('../package.json') as { readonly version: string };
  return manifest.version;
}
