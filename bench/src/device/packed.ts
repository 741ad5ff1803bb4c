// What travels to the device beside the program: which commit it is, and the peers that were installed where it was packed.
import { readFileSync } from 'node:fs';
import type { Importer, Versions } from '../cpu/peers.ts';
import { importFile } from '../cpu/peers.ts';

/** What the program cannot find out where it runs. */
export interface Packed {
  readonly commit: string;
  /** Versions of the packed peers, by package. */
  readonly peers: Versions;
}

/** The file of a `Packed` beside the program. */
export const packedFile = 'packed.json';

/** The name of a peer's bundle beside the program, without its ending. */
export const bundleOf = (name: string): string => `peers/${name}`;

/** What was packed with this program. */
export const readPacked = (): Packed =>
  JSON.parse(readFileSync(new URL(packedFile, import.meta.url), 'utf8')) as Packed;

/** Imports of packed peers. */
export const importPacked: Importer = (name) => importFile(new URL(`${bundleOf(name)}.mjs`, import.meta.url));
