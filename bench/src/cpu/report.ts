// The comparison as text: a table of ratios, and why libraries are missing from it.
import type { DeviceUsage, Row } from '../record.ts';
import type { Spread } from '../spread.ts';

/** A ratio with the digits that a reader needs. */
export const formatRatio = (ratio: number): string =>
  ratio >= 100 ? ratio.toFixed(0) : ratio >= 10 ? ratio.toFixed(1) : ratio.toFixed(2);

const peerNames = (rows: readonly Row[]): string[] => [
  ...new Set(rows.flatMap(({ peers, absent = {} }) => [...Object.keys(peers), ...Object.keys(absent)])),
];

const cellOf = ({ peers, absent }: Row, name: string): string => {
  const peer = peers[name];
  if (peer !== undefined) return `${formatRatio(peer.ratio)}${peer.note === undefined ? '' : '*'}`;
  const reason = absent?.[name];
  if (reason === undefined) return '';
  return reason.startsWith('wrong') ? 'wrong' : reason.startsWith('failed') ? 'failed' : '-';
};

const alignedText = (lines: readonly (readonly string[])[]): string[] => {
  const widths = lines[0]!.map((_, c) => Math.max(...lines.map((line) => line[c]!.length)));
  return lines.map((line) =>
    line.map((cell, c) => (c === 0 ? cell.padEnd(widths[c]!) : cell.padStart(widths[c]!))).join('  '),
  );
};

/** What the runs took of the device as a table, by task and library; undefined where no row tells. */
export const deviceTable = (rows: readonly Row[]): string | undefined => {
  const lines = rows.flatMap(({ name, ours, device, peers }) => {
    const entries: readonly (readonly [string, Spread & { readonly device?: DeviceUsage }])[] = [
      ['ours', device === undefined ? ours : { ...ours, device }],
      ...Object.entries(peers),
    ];
    return entries.flatMap(([library, { median, device: used }]) => {
      if (used === undefined) return [];
      const mib = used.peakBytes === undefined ? '' : (used.peakBytes / 2 ** 20).toFixed(1);
      const perLaunch = used.microsecondsPerLaunch.toFixed(1);
      return [[name, library, median.toFixed(2), String(used.launches), perLaunch, mib]];
    });
  });
  const head = ['task', 'library', 'median ms', 'launches', 'us per launch', 'peak MiB'];
  return lines.length === 0 ? undefined : alignedText([head, ...lines]).join('\n');
};

/** Rows as a table: our median and rate, then theirs / ours for every library. */
export const ratioTable = (rows: readonly Row[]): string => {
  const names = peerNames(rows);
  const head = ['task', 'threads', 'ours ms', 'min', 'max', 'GFLOP/s', ...names];
  const lines = rows.map((row) => [
    row.name,
    String(row.threads),
    ...[row.ours.median, row.ours.min, row.ours.max].map((ms) => ms.toFixed(2)),
    row.gigaflops?.toFixed(1) ?? '',
    ...names.map((name) => cellOf(row, name)),
  ]);
  const text = alignedText([head, ...lines]);
  return names.length === 0 ? text.join('\n') : [...text, ...notesOf(rows, names)].join('\n');
};

const notesOf = (rows: readonly Row[], names: readonly string[]): string[] => {
  const versions = names.flatMap((name) => {
    const version = rows.find(({ peers }) => peers[name] !== undefined)?.peers[name]?.version;
    return version === undefined ? [] : [`${name} ${version}`];
  });
  const reasons = names.flatMap((name) => {
    return [...tasksByReason(rows, name)].map(([reason, [first, ...more]]) => {
      const further = more.length === 0 ? '' : ` and ${more.length} more`;
      return `  ${name}: ${reason} (${first}${further})`;
    });
  });
  return [
    `Columns of libraries: theirs / ours, above 1 ours is faster. ${versions.join(', ')}.`,
    ...(reasons.length === 0 ? [] : ['Missing or marked *:', ...reasons]),
  ];
};

/** What to say of a library, with the tasks it holds for. */
const tasksByReason = (rows: readonly Row[], name: string): Map<string, string[]> => {
  const byReason = new Map<string, string[]>();
  for (const row of rows) {
    const reason = row.absent?.[name] ?? row.peers[name]?.note;
    if (reason !== undefined) byReason.set(reason, [...(byReason.get(reason) ?? []), row.name]);
  }
  return byReason;
};
