// A process made of plain data for tests: streams that remember what was written, signals sent by hand.
import { EventEmitter } from 'node:events';
import type { SpeechOptions, Work } from '../src/program/specification.ts';
import { verbTable } from '../src/program/verbTable.ts';
import type { Surroundings, VerbContext, Verbs } from '../src/program.ts';
import { runProgram } from '../src/program.ts';

interface RecordedStream {
  write(text: string): boolean;
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly text: () => string;
}

export function recordedStream(shape: { isTTY?: boolean; columns?: number } = {}): RecordedStream {
  const pieces: string[] = [];
  return {
    ...shape,
    write: (text) => pieces.push(text) > 0,
    text: () => pieces.join(''),
  };
}

interface Call {
  readonly verb: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly context: VerbContext;
}

interface Outcome {
  readonly exitCode: number;
  readonly calls: readonly Call[];
  readonly stdout: string;
  readonly stderr: string;
}

interface Tried {
  readonly signals: EventEmitter;
  readonly exits: readonly number[];
  readonly outcome: Promise<Outcome>;
}

/** Verbs for every line of the table, each doing what `workOf` gives for its name. */
export function verbsThat(workOf: (name: string) => Work<SpeechOptions>): Verbs {
  const verbs: Record<string, unknown> = {};
  for (const { name } of verbTable) {
    const [first = '', second] = name.split(' ');
    if (second === undefined) verbs[first] = workOf(name);
    else verbs[first] = { ...(verbs[first] as object | undefined), [second]: workOf(name) };
  }
  return verbs as unknown as Verbs;
}

/** A run of the program whose verbs only remember how they were called, then do `work`. */
export function tryProgram(
  words: readonly string[],
  work: (context: VerbContext, options: object) => Promise<void> = () => Promise.resolve(),
  environment: Surroundings['environment'] = {},
): Tried {
  const calls: Call[] = [];
  const exits: number[] = [];
  const signals = new EventEmitter();
  const [stdout, stderr] = [recordedStream(), recordedStream()];
  const verbs = verbsThat((verb) => (options, context) => {
    calls.push({ verb, options: { ...options }, context });
    return work(context, options);
  });
  const surroundings: Surroundings = {
    stdout,
    stderr,
    environment,
    signals,
    exitNow: (code) => exits.push(code),
  };
  const outcome = runProgram(verbs, words, surroundings).then((exitCode) => ({
    exitCode,
    calls,
    stdout: stdout.text(),
    stderr: stderr.text(),
  }));
  return { signals, exits, outcome };
}
