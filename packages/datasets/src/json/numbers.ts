// Numbers from the bytes of their digits, exactly as JSON.parse rounds them.

const [minus, point, zero, nine] = [0x2d, 0x2e, 0x30, 0x39];

/** Powers of ten that are doubles without rounding. */
const powers = Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));

/** Integers up to here are doubles without rounding. */
const largestMantissa = 2 ** 53;

/**
 * The double nearest to the number written in a span: valid JSON, or NaN, Infinity or -Infinity.
 *
 * Source   W. D. Clinger, How to Read Floating Point Numbers Accurately (1990): a mantissa and a power of ten that are both
 *          exact give the nearest double by one multiplication or division; the engine reads the others
 * Example  numberIn(new TextEncoder().encode('-12.5e1'), 0, 7) // -125
 */
export const numberIn = (bytes: Uint8Array, start: number, end: number): number => {
  const isNegative = bytes[start] === minus;
  let at = isNegative ? start + 1 : start;
  let mantissa = 0;
  let firstDigit = -1;
  let pointAt = -1;
  for (; at < end; at++) {
    const byte = bytes[at]!;
    if (byte >= zero && byte <= nine) {
      mantissa = mantissa * 10 + (byte - zero);
      if (firstDigit < 0 && byte !== zero) firstDigit = at;
    } else if (byte === point) pointAt = at;
    else break;
  }
  // An exponent, a word, or more digits than a double holds; 17 characters with a point are up to 16 digits.
  const digits = firstDigit < 0 ? 0 : at - firstDigit - (pointAt > firstDigit ? 1 : 0);
  const decimals = pointAt < 0 ? 0 : at - pointAt - 1;
  if (at < end || digits > 16 || mantissa > largestMantissa || decimals > 22)
    return numberByEngine(bytes, start, end);
  const value = mantissa / powers[decimals]!;
  return isNegative ? -value : value;
};

const numberByEngine = (bytes: Uint8Array, start: number, end: number): number => {
  let text = '';
  for (let i = start; i < end; i++) text += String.fromCharCode(bytes[i]!);
  return Number(text);
};
