// Tables of plain text for the terminal: columns as wide as what is in them.

/** A cell; numbers are set to the right. */
export type Cell = string | number;

const gap = '  ';

/** How many columns a text takes on a terminal: one for each character, two for each wide one. */
function widthOf(text: string): number {
  let width = 0;
  for (const character of text) width += isWide(character) ? 2 : 1;
  return width;
}

function isWide(character: string): boolean {
  return /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}]/u.test(
    character,
  );
}

/** A number with commas between thousands and at most two decimals, such as `1,234.5`. */
export function formatCount(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 2 });
}

/**
 * The lines of a table under its headings, without white space at their ends.
 *
 * Example  textTable(['class', 'objects'], [['RBC', 4155], ['WBC', 372]])
 */
export function textTable(
  headings: readonly string[],
  rows: readonly (readonly Cell[])[],
): readonly string[] {
  const isNumeric = headings.map((_, column) => rows.some((row) => typeof row[column] === 'number'));
  const texts = rows.map((row) =>
    headings.map((_, column) => {
      const cell = row[column] ?? '';
      return typeof cell === 'number' ? formatCount(cell) : oneLineOf(cell);
    }),
  );
  const all = [headings, ...texts];
  const widths = headings.map((_, column) => Math.max(...all.map((row) => widthOf(row[column] ?? ''))));
  return all.map((row) =>
    row
      .map((text, column) => {
        const padding = ' '.repeat((widths[column] ?? 0) - widthOf(text));
        return isNumeric[column] ? padding + text : text + padding;
      })
      .join(gap)
      .trimEnd(),
  );
}

/** Text that cannot move the cursor: names come from files. */
function oneLineOf(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ');
}
