// Rows of different places in one table.
import type { GpuResult } from '../suite.ts';

/** The result with the place in the name of every row. */
export const renamedByPlace = (result: GpuResult, place: string): GpuResult => ({
  ...result,
  adapter: `${result.adapter} (${place})`,
  rows: result.rows.map((row) => ({ ...row, name: `${row.name}, ${place}` })),
});
