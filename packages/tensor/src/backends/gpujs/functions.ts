// Exponential, logarithm and power as functions in GPU.js' part of JavaScript, for modes whose own are not accurate.
//
// Polynomials and the split of ln 2 are those of the Cephes library (expf and logf). There are no casts between floats and their
// bits, so powers of two are multiplied up and taken off in a ladder of exact factors.

const ladder = [64, 32, 16, 8, 4, 2, 1] as const;

/** 2^k for a whole k with |k| < 128. */
const powerOfTwo = `function powerOfTwo(k) {
  let m = Math.abs(k);
  let s = 1;
${ladder
  .map(
    (n) =>
      `  if (m >= ${n}) { if (k < 0) { s = s * ${2 ** -n}; } else { s = s * ${2 ** n}; } m = m - ${n}; }`,
  )
  .join('\n')}
  return s;
}`;

const expCoefficients = [
  1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1,
];
const logCoefficients = [
  7.0376836292e-2, -1.151461031e-1, 1.167699874e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
  2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
];

/** The polynomial with the coefficients, highest power first, by Horner's rule. */
const polynomial = (x: string, [first = 0, ...rest]: readonly number[]): string =>
  rest.reduce((sum, c) => `(${sum} * ${x} ${c < 0 ? '-' : '+'} ${Math.abs(c)})`, String(first));

/** e^r 2^n for |r| < 0.4 and whole n, in two steps so that the power of two always exists. */
const scaledExponential = `function scaledExponential(r, n) {
  let p = ${polynomial('r', expCoefficients)};
  let q = p * r * r + r + 1;
  let half = Math.floor(n * 0.5);
  let rest = n - half;
  let first = powerOfTwo(half);
  let second = first;
  if (rest > half) { second = first * 2; }
  return q * first * second;
}`;

const exponential = `function exponential(x) {
  let c = x;
  if (x > 89) { c = 89; }
  if (x < -104) { c = -104; }
  let t = c * ${Math.LOG2E};
  let n = Math.floor(t + 0.5);
  let r = c - n * 0.693359375;
  let s = r + n * 0.000212194440054;
  return scaledExponential(s, n);
}`;

/** The whole number e and m in [sqrt(1/2), sqrt(2)) with x = m 2^e, for finite x > 0; the code of a function that has x. */
const split = `  let m = x;
  let e = 0;
  if (m < ${2 ** -126}) { m = m * ${2 ** 24}; e = -24; }
${ladder.map((n) => `  if (m >= ${2 ** n}) { m = m * ${2 ** -n}; e = e + ${n}; }`).join('\n')}
${ladder.map((n) => `  if (m < ${2 ** (1 - n)}) { m = m * ${2 ** n}; e = e - ${n}; }`).join('\n')}
  if (m > ${Math.SQRT2}) { m = m * 0.5; e = e + 1; }
  let f = m - 1;`;

const logarithm = `function logarithm(x, infinity, nan) {
${split}
  let square = f * f;
  let p = ${polynomial('f', logCoefficients)};
  let cubic = p * f * square;
  let low = cubic - e * 0.000212194440054;
  let sum = low - 0.5 * square;
  let value = f + sum + e * 0.693359375;
  if (x >= infinity) { value = infinity; }
  if (x === 0) { value = -infinity; }
  if (x < 0) { value = nan; }
  if (!(x === x)) { value = nan; }
  return value;
}`;

/**
 * x^y for finite x > 0. The logarithm is the sum of a multiple of 2^-10 and a small rest, and y that of a multiple of 2^-5 and a rest;
 * the products of the large parts are exact, so the error stays that of the small ones.
 */
const positivePower = `function positivePower(x, y) {
${split}
  let fh = Math.floor(f * 1024) * ${2 ** -10};
  let fl = f - fh;
  let square = fh * fh * 0.5;
  let squareHigh = Math.floor(square * 1024) * ${2 ** -10};
  let squareLow = square - squareHigh;
  let p = ${polynomial('f', logCoefficients)};
  let cubic = p * f * f * f;
  let cubicHigh = Math.floor(cubic * 1024) * ${2 ** -10};
  let cubicLow = cubic - cubicHigh;
  let large = e * 0.693359375 + fh - squareHigh + cubicHigh;
  let small = fl - squareLow + cubicLow - fl * (f + fh) * 0.5 - e * 0.000212194440054;
  let yh = Math.floor(y * 32) * 0.03125;
  let yl = y - yh;
  let upper = Math.floor(large * 4) * 0.25;
  let lower = large - upper;
  let estimate = (y * (large + small)) * ${Math.LOG2E};
  let n = Math.floor(estimate + 0.5);
  if (n > 200) { n = 200; }
  if (n < -200) { n = -200; }
  let a = yh * upper - n * 0.693359375;
  let b = a + yh * lower;
  let c = yl * upper + yl * lower + y * small + n * 0.000212194440054;
  let r = b + c;
  if (r > 1) { r = 1; }
  if (r < -1) { r = -1; }
  return scaledExponential(r, n);
}`;

/** x^y as JavaScript has it. */
const power = `function power(x, y, infinity, nan) {
  let a = Math.abs(x);
  let isWhole = Math.floor(y) === y ? 1 : 0;
  let isOdd = isWhole > 0.5 && !(Math.floor(y * 0.5) * 2 === y) ? 1 : 0;
  let isNegative = x < 0 ? 1 : 0;
  if (x === 0) { if (1 / x < 0) { isNegative = 1; } }
  let value = 1;
  if (a > 0 && a < infinity && Math.abs(y) < infinity) { value = positivePower(a, y); }
  if (a === 0) { if (y > 0) { value = 0; } else { value = infinity; } }
  if (a >= infinity) { if (y > 0) { value = infinity; } else { value = 0; } }
  if (y >= infinity) { if (a > 1) { value = infinity; } else { value = 0; } }
  if (y <= -infinity) { if (a > 1) { value = 0; } else { value = infinity; } }
  if (a === 1) { value = 1; if (Math.abs(y) >= infinity) { value = nan; } }
  if (isNegative > 0.5 && isOdd > 0.5) { value = -value; }
  if (x < 0 && isWhole < 0.5 && a < infinity) { value = nan; }
  if (!(x === x)) { value = nan; }
  if (y === 0) { value = 1; }
  if (!(y === y)) { value = nan; }
  return value;
}`;

/** The functions by name, callers after what they call. */
const table: Readonly<Record<string, string>> = {
  powerOfTwo,
  scaledExponential,
  exponential,
  logarithm,
  positivePower,
  power,
};

const callsIn = (text: string): string[] =>
  Object.keys(table).filter((name) => new RegExp(`\\b${name}\\(`).test(text));

/** The functions that statements call, directly or not, and whether they take infinity and NaN. */
export const functionsUsed = (
  statements: string,
): { readonly functions: readonly string[]; readonly special: boolean } => {
  const found = new Set<string>();
  const visit = (text: string): void => {
    for (const name of callsIn(text)) {
      if (found.has(name)) continue;
      found.add(name);
      visit(table[name]!);
    }
  };
  visit(statements);
  return {
    functions: Object.keys(table)
      .filter((name) => found.has(name))
      .map((name) => table[name]!),
    special: found.has('logarithm') || found.has('power'),
  };
};
