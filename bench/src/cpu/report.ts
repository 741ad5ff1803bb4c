// The comparison as text: a table of ratios, and why libraries are missing from it.
import type { Row } from '../record.ts';

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
  const widths = head.map((title, c) => Math.max(title.length, ...lines.map((line) => line[c]!.length)));
  const text = [head, ...lines].map((line) =>
    line.map((cell, c) => (c === 0 ? cell.padEnd(widths[c]!) : cell.padStart(widths[c]!))).join('  '),
  );
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
