// Round numbers along the axes of a chart.

/** The first of 1, 2, 5, 10 times a power of ten that is at least `rough`. */
function roundStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  const factor = [1, 2, 5, 10].find((candidate) => candidate * power >= rough * (1 - 1e-9)) ?? 10;
  return factor * power;
}

/** Ticks at round, evenly spaced values, from at or below `least` to at or above `most`; about `count` of them. */
export function linearTicks(least: number, most: number, count = 6): readonly number[] {
  const span = most > least ? most - least : Math.abs(most) || 1;
  const step = roundStep(span / Math.max(1, count - 1));
  const first = Math.floor(least / step + 1e-9);
  const last = Math.max(first + 1, Math.ceil(most / step - 1e-9));
  const decimals = Math.max(0, Math.ceil(-Math.log10(step) - 1e-9));
  const digits = Math.min(20, decimals + 1);
  return Array.from({ length: last - first + 1 }, (_, index) =>
    Number(((first + index) * step).toFixed(digits)),
  );
}

/** Ticks at 1, 2 and 5 times powers of ten that enclose the positive range; powers of ten alone over many decades. */
export function logTicks(least: number, most: number): readonly number[] {
  const [from, to] = [Math.floor(Math.log10(least)), Math.ceil(Math.log10(most))];
  const factors = to - from > 3 ? [1] : [1, 2, 5];
  const all: number[] = [];
  for (let power = from; power <= to; power += 1) {
    for (const factor of factors) all.push(Number(`${factor}e${power}`));
  }
  const first = all.findLastIndex((tick) => tick <= least);
  const last = all.findIndex((tick) => tick >= most);
  const chosen = all.slice(Math.max(0, first), last === -1 ? all.length : last + 1);
  return chosen.length > 1 ? chosen : all.slice(Math.max(0, first), Math.max(0, first) + 2);
}

/** A tick as short text: `0.25`, `1500`, `20k`, `1e-5`. */
export function formatTick(value: number): string {
  const size = Math.abs(value);
  if (size >= 10_000 && size < 1e6) return `${Number((value / 1000).toPrecision(6))}k`;
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential().replace('e+', 'e');
  return String(Number(value.toPrecision(6)));
}
