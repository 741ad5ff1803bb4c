// Numbers as annotation files write them.

/**
 * The number that a text spells in decimals, NaN and infinities included; undefined for any other text.
 *
 * Example  numberIn('1e-7')
 */
export const numberIn = (text: string): number | undefined => {
  if (/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text)) return Number(text);
  if (/^[+-]?nan$/i.test(text)) return Number.NaN;
  if (/^[+-]?inf(?:inity)?$/i.test(text)) return text.startsWith('-') ? -Infinity : Infinity;
  return undefined;
};
