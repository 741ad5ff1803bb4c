// What runs in the page: the race of one API, from work that the page fetches.
import type { Importer } from '../../cpu/peers.ts';
import { race } from '../../cpu/race.ts';
import type { NamedWork } from '../../cpu/work.ts';
import { oursNamed } from '../ours.ts';
import type { GpuResult } from '../suite.ts';
import { openField } from './fields.ts';
import type { PageTask } from './task.ts';
import { withArrays } from './task.ts';

declare const benchDone: (result: GpuResult) => void;
declare const benchFailed: (message: string) => void;

const fetched = async <T>(path: string): Promise<T> =>
  JSON.parse(await (await fetch(path)).text(), withArrays) as T;

const run = async (): Promise<GpuResult> => {
  const { api, entries, modules, versions, options } = await fetched<PageTask>(`${location.pathname}/task`);
  const work: NamedWork[] = [];
  for (const path of entries) work.push(await fetched<NamedWork>(path));
  const { adapter, ours, oursToo, openPeers } = await openField(api);
  const load: Importer = async <Module>(name: string): Promise<Module> => {
    const { url, global } = modules[name]!;
    const module: unknown = await import(/* @vite-ignore */ url);
    return (global === undefined ? module : Reflect.get(globalThis, global)) as Module;
  };
  const { libraries, absent } = options.peers
    ? await openPeers(load, versions)
    : { libraries: [], absent: {} };
  const { time, rounds, slow } = options;
  const rows = await race(work, ours, [...oursToo, ...libraries], {
    ...{ time, rounds, slow, threads: 1 },
    reference: oursNamed('wasm', 'wasm'),
    tell: (line) => console.info(`gpu, ${api} in a page: ${line}`),
  });
  return { rows, adapter, missing: absent };
};

try {
  benchDone(await run());
} catch (error) {
  benchFailed((error as Error).message);
}
