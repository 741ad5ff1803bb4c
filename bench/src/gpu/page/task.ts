// What the server and the page tell each other.
import type { Versions } from '../../cpu/peers.ts';
import type { GpuOptions } from '../suite.ts';
import type { PageApi } from './fields.ts';

/** A module of a peer. */
export interface PeerModule {
  readonly url: string;
  /** The global that holds the exports where it is no ES module. */
  readonly global?: string;
}

/** What the page is to do. */
export interface PageTask {
  readonly api: PageApi;
  /** Where each piece of work is: together they would be longer than a text may be. */
  readonly entries: readonly string[];
  /** Modules of peers by package. */
  readonly modules: Readonly<Record<string, PeerModule>>;
  readonly versions: Versions;
  readonly options: GpuOptions;
}

/** Makes JSON of values with arrays. */
export const withBase64 = (_: string, value: unknown): unknown =>
  value instanceof Float32Array
    ? { base64: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64') }
    : value;

const isPacked = (value: unknown): value is { readonly base64: string } =>
  typeof value === 'object' && value !== null && 'base64' in value;

/** Takes values with arrays out of JSON. */
export const withArrays = (_: string, value: unknown): unknown => {
  if (!isPacked(value)) return value;
  const bytes = Uint8Array.from(atob(value.base64), (letter) => letter.charCodeAt(0));
  return new Float32Array(bytes.buffer);
};
