// What the WebAssembly backend would run on here.
import type { Fact } from '../survey.ts';
import { hasRelaxedSimd, requireFeatures } from './features.ts';
import { coresHere, missingForThreads } from './threads/platform.ts';

/** The engine's features and threads. Throws UnsupportedError without SIMD. */
export const surveyWasm = (): Readonly<Record<string, Fact>> => {
  requireFeatures({});
  const missing = missingForThreads();
  return {
    'fused multiply-add': hasRelaxedSimd(),
    threads: missing === undefined ? coresHere() : `1 (${missing})`,
  };
};
