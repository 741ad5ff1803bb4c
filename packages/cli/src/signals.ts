// Turns Ctrl-C (SIGINT) and SIGTERM into a graceful stop: the first asks, the second exits at once.
import { exitCodes } from './exitCodes.ts';

/** The signals that ask the program to stop. */
type StopSignal = 'SIGINT' | 'SIGTERM';

/** Where signals come from; `process` is one. */
export interface SignalSource {
  on(signal: StopSignal, listener: () => void): unknown;
  off(signal: StopSignal, listener: () => void): unknown;
}

/** What to do at the first and at the second signal, and the clock in milliseconds. */
export interface StopActions {
  readonly onFirst: (signal: StopSignal) => void;
  readonly exitNow: (exitCode: number) => void;
  readonly now?: () => number;
}

/** A listener for stop signals: the abort signal to hand on, the exit status owed, and how to stop listening. */
export interface StopListener {
  readonly signal: AbortSignal;
  readonly exitCode: () => number | undefined;
  readonly close: () => void;
}

/** A package runner passes Ctrl-C on to a child that the terminal has told already: an echo, not a second press. */
const echoMilliseconds = 200;

const exitCodeBySignal = { SIGINT: exitCodes.interrupted, SIGTERM: exitCodes.terminated } as const;

/**
 * A listener whose abort signal fires at the first Ctrl-C or SIGTERM; the second one calls `exitNow`.
 *
 * Units    a repeat within 0.2 s of the first is taken for an echo of it
 * Example  const stop = listenForStop(process, { onFirst: () => {}, exitNow: process.exit })
 */
export function listenForStop(source: SignalSource, actions: StopActions): StopListener {
  const now = actions.now ?? performance.now.bind(performance);
  const controller = new AbortController();
  let first: { readonly signal: StopSignal; readonly at: number } | undefined;

  const receive = (signal: StopSignal): void => {
    if (first === undefined) {
      first = { signal, at: now() };
      controller.abort();
      actions.onFirst(signal);
    } else if (now() - first.at > echoMilliseconds) {
      actions.exitNow(exitCodeBySignal[signal]);
    }
  };
  const onInterrupt = (): void => receive('SIGINT');
  const onTerminate = (): void => receive('SIGTERM');
  source.on('SIGINT', onInterrupt);
  source.on('SIGTERM', onTerminate);

  return {
    signal: controller.signal,
    exitCode: () => (first === undefined ? undefined : exitCodeBySignal[first.signal]),
    close: () => {
      source.off('SIGINT', onInterrupt);
      source.off('SIGTERM', onTerminate);
    },
  };
}
