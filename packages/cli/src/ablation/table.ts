// The results of an ablation as a table: rows of numbers, and the same as Markdown, CSV and lines for the terminal.
import { textTable } from '../textTable.ts';
import type { PairedDifference, Spread } from './statistics.ts';
import { pairedDifference, spreadOf } from './statistics.ts';
import { variantMeaning } from './variants.ts';

/** What one finished run came to. */
export interface RunScores {
  readonly variant: string;
  readonly seed: number;
  /** Shares from 0 to 1. */
  readonly ap: number;
  readonly ap50: number;
  readonly ap75: number;
  readonly seconds: number;
}

/** A variant over all seeds that finished. */
export interface VariantRow {
  readonly variant: string;
  readonly meaning: string;
  readonly ap: Spread;
  readonly ap50: Spread;
  readonly ap75: Spread;
  readonly seconds: Spread;
  /** Of the AP, from the first variant, over the seeds that both have; undefined for the first itself and without such seeds. */
  readonly difference?: PairedDifference;
}

/** The rows of an ablation in the order of the variants; the first is what the others are compared with. */
export function variantRows(variants: readonly string[], runs: readonly RunScores[]): readonly VariantRow[] {
  const ofVariant = (variant: string): readonly RunScores[] => runs.filter((run) => run.variant === variant);
  const references = new Map(ofVariant(variants[0] ?? '').map(({ seed, ap }) => [seed, ap]));
  return variants.map((variant, index) => {
    const own = ofVariant(variant);
    const pairs = own.flatMap(({ seed, ap }): [number, number][] => {
      const reference = references.get(seed);
      return reference === undefined ? [] : [[ap, reference]];
    });
    const difference = index === 0 ? undefined : pairedDifference(pairs);
    const spread = (name: 'ap' | 'ap50' | 'ap75' | 'seconds'): Spread =>
      spreadOf(own.map((run) => run[name]));
    const scores = {
      ap: spread('ap'),
      ap50: spread('ap50'),
      ap75: spread('ap75'),
      seconds: spread('seconds'),
    };
    const row = { variant, meaning: variantMeaning(variant), ...scores };
    return difference === undefined ? row : { ...row, difference };
  });
}

/** A share in points with one decimal, such as `46.5`. */
function points(share: number): string {
  return (100 * share).toFixed(1);
}

/** As `+1.2` or `-0.3`. */
function signed(share: number): string {
  const text = points(share);
  return share >= 0 && !text.startsWith('-') ? `+${text}` : text;
}

function spreadText({ mean, deviation, count }: Spread): string {
  if (count === 0) return '';
  return deviation === undefined ? points(mean) : `${points(mean)} ± ${points(deviation)}`;
}

function differenceTexts(difference: PairedDifference | undefined): readonly [string, string, string] {
  if (difference === undefined) return ['', '', ''];
  const { mean, error, interval, claim } = difference;
  return [
    error === undefined ? signed(mean) : `${signed(mean)} ± ${points(error)}`,
    interval === undefined ? '' : `${signed(interval[0])} to ${signed(interval[1])}`,
    claim,
  ];
}

const headings = ['variant', 'seeds', 'AP', 'AP50', 'AP75', 'difference', '95 % interval', 'claim'] as const;

function cellsOf(row: VariantRow): readonly string[] {
  const { variant, ap, ap50, ap75, difference } = row;
  return [
    variant,
    String(ap.count),
    spreadText(ap),
    spreadText(ap50),
    spreadText(ap75),
    ...differenceTexts(difference),
  ];
}

/** The lines of the table for the terminal. */
export function ablationLines(rows: readonly VariantRow[]): readonly string[] {
  return textTable(headings, rows.map(cellsOf));
}

/** How the numbers of a table are to be read. */
function readingHints(rows: readonly VariantRow[]): string {
  const first = rows[0]?.variant ?? '';
  const compared = rows.filter(({ difference }) => difference?.interval !== undefined).length;
  const several =
    compared > 1
      ? ` With ${compared} comparisons at 95 %, about ${(0.05 * compared).toFixed(1)} would be called better or worse by chance alone.`
      : '';
  return [
    'AP in points, mean ± standard deviation of the sample of runs.',
    `Differences of AP are from \`${first}\`, seed by seed: mean ± its standard error over the seeds, and the 95 % interval by Student's t.`,
    `A difference whose interval covers 0 is within noise.${several}`,
  ].join(' ');
}

/** The table in Markdown under a title, with what was run and how to read it. */
export function ablationMarkdown(title: string, setting: string, rows: readonly VariantRow[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const shown = [headings[0], 'what it is', ...headings.slice(1)];
  const lines = rows.map((row) => {
    const [name = '', ...others] = cellsOf(row);
    return line([`\`${name}\``, row.meaning, ...others]);
  });
  const table = [line(shown), line(shown.map(() => '---')), ...lines].join('\n');
  return `# ${title}\n\n${setting}\n\n${table}\n\n${readingHints(rows)}\n\n![AP of every variant](ablation.svg)\n`;
}

const csvNames = [
  'variant',
  'seeds',
  'ap',
  'ap_deviation',
  'ap50',
  'ap50_deviation',
  'ap75',
  'ap75_deviation',
  'seconds',
  'difference',
  'difference_error',
  'interval_low',
  'interval_high',
  'claim',
] as const;

/** The table as CSV: shares from 0 to 1 in full precision, empty where there is no value. */
export function ablationCsv(rows: readonly VariantRow[]): string {
  const lines = rows.map(({ variant, ap, ap50, ap75, seconds, difference }) => {
    const scores = [ap, ap50, ap75].flatMap(({ mean, deviation }) => [mean, deviation]);
    const [low, high] = difference?.interval ?? [];
    const numbers = [ap.count, ...scores, seconds.mean, difference?.mean, difference?.error, low, high];
    const cells = numbers.map((value) => (value === undefined || Number.isNaN(value) ? '' : String(value)));
    return [variant, ...cells, difference?.claim ?? ''].map(quotedCell).join(',');
  });
  return `${[csvNames.join(','), ...lines].join('\n')}\n`;
}

function quotedCell(text: string): string {
  return text.includes(',') ? `"${text}"` : text;
}
