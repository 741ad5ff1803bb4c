// Rows of the tables being filled: which entries of the file they came from, and whether their ids are unique.
import type { Identifiers } from '../columns.ts';
import { repeatedIds } from '../ids.ts';
import type { FileAtHand } from './entries.ts';

/** Rows and the entries they came from, in the order of the file. */
export interface EntryIndices {
  /** Notes that the next row came from that entry. */
  add(entry: number): void;
  /** A function from a row to its entry, for rows that never fall. */
  reader(): (row: number) => number;
}

/**
 * An empty list; it takes memory only where entries became no row.
 *
 * Example  const entries = entryIndices(); entries.add(0); entries.add(2); entries.reader()(1) // 2
 */
export const entryIndices = (): EntryIndices => {
  // from rows[i] on, an entry is its row plus shifts[i]
  const rows: number[] = [];
  const shifts: number[] = [];
  let count = 0;
  let shift = 0;
  return {
    add: (entry) => {
      if (entry - count !== shift) {
        shift = entry - count;
        rows.push(count);
        shifts.push(shift);
      }
      count += 1;
    },
    reader: () => {
      let next = 0;
      return (row) => {
        while (next < rows.length && rows[next]! <= row) next += 1;
        return row + (next === 0 ? 0 : shifts[next - 1]!);
      };
    },
  };
};

/**
 * Calls `refuse` with every row whose id an earlier row has, and notes a problem for it.
 */
export const refuseRepeated = (
  { label, file, problems }: FileAtHand,
  section: string,
  ids: Identifiers,
  entryOf: (row: number) => number,
  refuse: (row: number) => void,
): void => {
  const repeated = repeatedIds(ids);
  if (repeated.size === 0) return;
  const firsts = new Map<number, number>();
  ids.forEach((id, row) => {
    if (!repeated.has(id)) return;
    const entry = entryOf(row);
    const first = firsts.get(id);
    if (first === undefined) {
      firsts.set(id, entry);
      return;
    }
    refuse(row);
    problems.addOf('duplicate id', () => {
      const place = `${section}[${entry}].id`;
      const message = `${label}(${file}): needs unique ids, got ${id} in both ${section}[${first}] and ${section}[${entry}]. Give each entry its own id.`;
      return { file, place, message, ...(section === 'annotations' ? { annotationId: id } : {}) };
    });
  });
};
