// Timing libraries against each other: right results first, then interleaved rounds, so that slow minutes hit all alike.
import type { DeviceUsage, Row } from '../record.ts';
import type { Spread } from '../spread.ts';
import { spreadOf } from '../spread.ts';
import type { Outputs } from './compare.ts';
import { faultOf } from './compare.ts';
import type { Library, Prepared, Usage } from './library.ts';
import type { NamedWork, Work } from './work.ts';

/** How long and how often each library runs each task. */
export interface RaceOptions {
  /** Milliseconds per task, library and round; at least one run. */
  readonly time: number;
  readonly rounds: number;
  readonly threads: number;
  /** Milliseconds from which a run counts alone, without rounds; five seconds without it. */
  readonly slow?: number;
  /** Whose results are right, but for work that exceeds it; ours are without it. */
  readonly reference?: Library;
  /** Called with a line of progress. */
  readonly tell: (line: string) => void;
}

/** One library at one task. */
interface Runner {
  readonly library: Library;
  readonly prepared: Prepared;
  readonly samples: number[];
  /** What one run takes of a device. */
  readonly usage?: Usage;
  /** Why there is only one sample. */
  readonly note?: string;
}

/** All libraries at one task; the first runner is ours. */
interface Heat {
  readonly entry: NamedWork;
  readonly runners: readonly Runner[];
  readonly absent: Readonly<Record<string, string>>;
}

/** Lets streams, promises and finalisers of the libraries run. */
const breathe = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

const usualSlowMs = 5_000;
const endlessMs = 60_000;
const timeOnce = async (prepared: Prepared): Promise<number> => {
  const start = performance.now();
  await prepared.run();
  return performance.now() - start;
};

/** A library at the work after its first run, with its results; or why it takes no part. */
const enter = async (
  library: Library,
  work: Work,
  slowMs: number,
): Promise<{ runner: Runner; outputs: Outputs } | string> => {
  try {
    const prepared = await library.prepare(work);
    if (typeof prepared === 'string') return prepared;
    const first = await timeOnce(prepared);
    const outputs = await prepared.outputs();
    const runner = { library, prepared };
    if (first < slowMs && prepared.usage === undefined)
      return { runner: { ...runner, samples: [] }, outputs };
    if (first > 2 * slowMs && !library.compilesFirst)
      return { runner: { ...runner, samples: [first], note: 'one run, the first' }, outputs };
    // the first run may have taken more than a run does
    const before = prepared.usage?.();
    const second = await timeOnce(prepared);
    const after = prepared.usage?.();
    const usage =
      after === undefined ? {} : { usage: { ...after, launches: after.launches - before!.launches } };
    if (second < slowMs) return { runner: { ...runner, ...usage, samples: [] }, outputs };
    return { runner: { ...runner, ...usage, samples: [second], note: 'one run, the second' }, outputs };
  } catch (error) {
    return `failed: ${(error as Error).message.split('\n')[0]}`;
  }
};

/** What is slow: milliseconds from which a run counts alone, and what slow work took per operation, by kind. */
interface Pace {
  readonly slowMs: number;
  readonly slowRates: Map<string, number>;
}

/** What work costs about the same per operation in one library. */
const kindOf = (peer: Library, work: Work): string =>
  `${peer.name}: ${'pass' in work ? `${work.kind} ${work.pass}` : work.kind}`;

/** `enter`, unless slow work of the kind tells that this would take more than `endlessMs`. */
const enterUnlessEndless = async (
  peer: Library,
  { work, flops }: NamedWork,
  { slowRates, slowMs }: Pace,
): Promise<Awaited<ReturnType<typeof enter>>> => {
  const kind = kindOf(peer, work);
  const expected = (slowRates.get(kind) ?? 0) * (flops ?? 0);
  if (expected > endlessMs)
    return `left out: would take about ${(expected / 1e3).toFixed(0)} s, going by smaller work`;
  const entered = await enter(peer, work, slowMs);
  if (typeof entered !== 'string' && flops !== undefined && entered.runner.samples.length > 0)
    slowRates.set(kind, entered.runner.samples[0]! / flops);
  return entered;
};

/** Who takes part. */
interface Field {
  readonly ours: Library;
  readonly peers: readonly Library[];
  readonly reference: Library | undefined;
}

/** The results after one run. */
const outputsOf = async (library: Library, { name, work }: NamedWork): Promise<Outputs> => {
  const prepared = await library.prepare(work);
  if (typeof prepared === 'string')
    throw new Error(`${name}: needs a result to compare with, got '${prepared}'.`);
  await prepared.run();
  const outputs = await prepared.outputs();
  prepared.free();
  return outputs;
};

const heatOf = async (entry: NamedWork, { ours, peers, reference }: Field, pace: Pace): Promise<Heat> => {
  const first = await enter(ours, entry.work, pace.slowMs);
  if (typeof first === 'string') throw new Error(`${entry.name}: needs a result of ours, got '${first}'.`);
  const isHeld = reference !== undefined && entry.exceedsReference !== true;
  const right = isHeld ? await outputsOf(reference, entry) : first.outputs;
  const fault = faultOf(entry.work, right, first.outputs);
  if (fault !== undefined)
    throw new Error(`${entry.name}: needs a right result of ours, got one that is ${fault}.`);
  const runners = [first.runner];
  const absent: Record<string, string> = {};
  for (const peer of peers) {
    const entered = await enterUnlessEndless(peer, entry, pace);
    if (typeof entered === 'string') {
      absent[peer.name] = entered;
      continue;
    }
    const theirs = faultOf(entry.work, right, entered.outputs);
    if (theirs === undefined) runners.push(entered.runner);
    else {
      absent[peer.name] = `wrong: ${theirs}`;
      entered.runner.prepared.free();
    }
  }
  return { entry, runners, absent };
};

const deviceOf = ({ usage }: Runner, { median }: Spread): { device?: DeviceUsage } => {
  if (usage === undefined) return {};
  const microsecondsPerLaunch = Math.round((1e6 * median) / usage.launches) / 1e3;
  return { device: { microsecondsPerLaunch, ...usage } };
};

/** Milliseconds of runs made for about so long. */
const sample = async (prepared: Prepared, milliseconds: number): Promise<readonly number[]> => {
  if (prepared.time !== undefined) return prepared.time(milliseconds);
  const samples: number[] = [];
  for (let spent = 0; samples.length === 0 || spent < milliseconds; ) {
    const taken = await timeOnce(prepared);
    samples.push(taken);
    spent += taken;
  }
  return samples;
};

const rowOf = ({ entry, runners, absent }: Heat, threads: number): Row => {
  const [ours, ...others] = runners.map((runner) => {
    const spread = spreadOf(runner.samples);
    return { ...runner, spread, device: deviceOf(runner, spread) };
  });
  const { median } = ours!.spread;
  const peers = others.map(({ library, spread, note, device }) => {
    const notes = [
      ...(note === undefined ? [] : [note]),
      ...(threads > 1 && !library.isThreaded ? ['one thread'] : []),
    ];
    const { name, version } = library;
    const told = notes.length === 0 ? {} : { note: notes.join('; ') };
    return [name, { version, ...spread, ratio: spread.median / median, ...device, ...told }] as const;
  });
  return {
    name: entry.name,
    threads,
    unit: 'ms',
    ours: ours!.spread,
    ...(entry.flops === undefined ? {} : { gigaflops: entry.flops / median / 1e6 }),
    ...ours!.device,
    peers: Object.fromEntries(peers),
    ...(Object.keys(absent).length === 0 ? {} : { absent }),
  };
};

/**
 * One row per task: the median over rounds of each round's median, for ours and every peer whose result agrees with ours.
 *
 * Throws  Error when ours fails
 */
export const race = async (
  entries: readonly NamedWork[],
  ours: Library,
  peers: readonly Library[],
  { time, rounds, threads, slow = usualSlowMs, reference, tell }: RaceOptions,
): Promise<Row[]> => {
  const heats: Heat[] = [];
  const pace: Pace = { slowRates: new Map(), slowMs: slow };
  for (const entry of entries) {
    tell(`checking ${entry.name}`);
    heats.push(await heatOf(entry, { ours, peers, reference }, pace));
  }
  // a round that does not count: engines compile what runs often once more, and better
  for (let round = 0; round <= rounds; round++) {
    tell(round === 0 ? 'warming up' : `round ${round} of ${rounds}`);
    for (const { runners } of heats) {
      for (const { prepared, samples, note } of runners) {
        if (note !== undefined) continue;
        const { median } = spreadOf(await sample(prepared, Math.min(time, slow)));
        if (round > 0) samples.push(median);
        await breathe(); // outside the timing
      }
    }
  }
  const rows = heats.map((heat) => rowOf(heat, threads));
  for (const { prepared } of heats.flatMap(({ runners }) => runners)) prepared.free();
  return rows;
};
