// Prediction with the paper's network on a picture of 800x1067, beside PyTorch where AUTOASSIGN_TORCH names a python3 with it.
import { inProcess } from '../cpu/processes.ts';
import { formatRatio } from '../cpu/report.ts';
import type { Row } from '../record.ts';
import type { PredictOptions } from './process.ts';

const program = new URL('./process.ts', import.meta.url);

/** Two rows, without and with fused multiply-add; results must agree with PyTorch's to 1e-4 of the largest value. */
export const predictSuite = async (
  options: Pick<PredictOptions, 'threads' | 'seed' | 'rounds'>,
): Promise<Row[]> => {
  const rows: Row[] = [];
  for (const fma of [false, true]) {
    const given: PredictOptions = { ...options, fma, isMemory: false };
    const row = await inProcess<Row>(program, given);
    const { residentMiB } = await inProcess<Pick<Row, 'residentMiB'>>(program, { ...given, isMemory: true });
    rows.push({ ...row, ...(residentMiB === undefined ? {} : { residentMiB }) });
  }
  return rows;
};

/** The rows as text. */
export const predictText = (rows: readonly Row[]): string =>
  rows
    .flatMap(({ name, threads, ours, gigaflops, peers, absent = {}, parts = [], ...used }) => [
      `${name}, ${threads} threads: ${ours.median.toFixed(0)} ms (${ours.min.toFixed(0)} – ${ours.max.toFixed(0)}), ${gigaflops?.toFixed(0)} GFLOP/s, ${used.cpuMilliseconds} ms of processors, ${used.residentMiB} MiB`,
      ...parts.map((part) => `  ${part.name}: ${part.milliseconds.toFixed(1)} ms`),
      ...Object.entries(peers).map(
        ([peer, { version, median, min, max, ratio, cpuMilliseconds }]) =>
          `  ${peer} ${version}: ${median.toFixed(0)} ms (${min.toFixed(0)} – ${max.toFixed(0)}), ${cpuMilliseconds} ms of processors; ours takes ${formatRatio(1 / ratio)} times as long`,
      ),
      ...Object.entries(absent).map(([peer, reason]) => `  without ${peer}: ${reason}`),
    ])
    .join('\n');
