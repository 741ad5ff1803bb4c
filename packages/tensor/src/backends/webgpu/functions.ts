// Functions of numbers in WGSL, where the language's own are not exact enough or say nothing of NaN, infinities and subnormals.

/** A function and the functions that it calls. */
interface WgslFunction {
  readonly code: string;
  readonly calls?: readonly FunctionName[];
}

/** The functions that expressions may call. */
export type FunctionName =
  | 'isNan'
  | 'infinity'
  | 'notANumber'
  | 'keyOf'
  | 'minimumOf'
  | 'maximumOf'
  | 'expOf'
  | 'logOf'
  | 'powOf'
  | 'productOf'
  | 'toInteger'
  | 'powerOfIntegers'
  | 'rounded';

const functions: Readonly<Record<FunctionName, WgslFunction>> = {
  // By its bits: a compiler may take x != x for false.
  isNan: {
    code: 'fn isNan(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }',
  },
  // Constant expressions must be finite; a variable's value is none.
  infinity: {
    code: 'fn infinity() -> f32 { var bits = 0x7f800000u; return bitcast<f32>(bits); }',
  },
  notANumber: {
    code: 'fn notANumber() -> f32 { var bits = 0x7fc00000u; return bitcast<f32>(bits); }',
  },
  // Integers in the order of the numbers, -0 below 0.
  keyOf: {
    code: 'fn keyOf(x: f32) -> i32 { let bits = bitcast<i32>(x); return bits ^ ((bits >> 31u) & 0x7fffffff); }',
  },
  minimumOf: {
    calls: ['isNan', 'notANumber', 'keyOf'],
    code: `fn minimumOf(a: f32, b: f32) -> f32 {
  if (isNan(a) || isNan(b)) { return notANumber(); }
  return select(b, a, keyOf(a) <= keyOf(b));
}`,
  },
  maximumOf: {
    calls: ['isNan', 'notANumber', 'keyOf'],
    code: `fn maximumOf(a: f32, b: f32) -> f32 {
  if (isNan(a) || isNan(b)) { return notANumber(); }
  return select(b, a, keyOf(a) >= keyOf(b));
}`,
  },
  // Cephes' expf: its split of ln 2 and its polynomial; scaling in two steps makes underflow gradual.
  expOf: {
    calls: ['isNan'],
    code: `fn expOf(given: f32) -> f32 {
  let x = clamp(given, -104.0, 89.0);
  let n = floor(x * 1.44269504088896341 + 0.5);
  let r = (x - n * 0.693359375) - n * -2.12194440054e-4;
  var p = 1.98756915e-4;
  p = p * r + 1.3981999507e-3;
  p = p * r + 8.3334519073e-3;
  p = p * r + 4.1665795894e-2;
  p = p * r + 1.6666665459e-1;
  p = p * r + 5.0000001201e-1;
  let value = p * (r * r) + r + 1.0;
  let k = i32(n);
  let half = k >> 1u;
  let result = value * bitcast<f32>((half + 127) << 23u) * bitcast<f32>((k - half + 127) << 23u);
  return select(result, given, isNan(given));
}`,
  },
  // Cephes' logf. A subnormal number is its bits as an integer times 2^-149, so that no subnormal takes part in arithmetic.
  logOf: {
    calls: ['isNan', 'infinity', 'notANumber'],
    code: `fn logOf(x: f32) -> f32 {
  var bits = bitcast<i32>(x);
  if ((bits & 0x7fffffff) == 0) { return -infinity(); }
  if (isNan(x) || bits < 0) { return notANumber(); }
  if (bits == 0x7f800000) { return x; }
  var scale = 0;
  if (bits < 0x00800000) { bits = bitcast<i32>(f32(bits)); scale = 149; }
  bits += 0x3f800000 - 0x3f3504f3;
  let exponent = f32((bits >> 23u) - 127 - scale);
  let m = bitcast<f32>((bits & 0x7fffff) + 0x3f3504f3) - 1.0;
  let square = m * m;
  var p = 7.0376836292e-2;
  p = p * m - 1.151461031e-1;
  p = p * m + 1.167699874e-1;
  p = p * m - 1.2420140846e-1;
  p = p * m + 1.4249322787e-1;
  p = p * m - 1.6668057665e-1;
  p = p * m + 2.0000714765e-1;
  p = p * m - 2.4999993993e-1;
  p = p * m + 3.3333331174e-1;
  var sum = p * m * square;
  sum += exponent * -2.12194440054e-4;
  sum -= 0.5 * square;
  return m + sum + exponent * 0.693359375;
}`,
  },
  // The product and its rounding error, by halves of 12 bits (Dekker): fma need not be exact in WGSL.
  productOf: {
    code: `fn productOf(a: f32, b: f32) -> vec2f {
  let p = a * b;
  let upperA = bitcast<f32>(bitcast<u32>(a) & 0xfffff000u);
  let upperB = bitcast<f32>(bitcast<u32>(b) & 0xfffff000u);
  let lowerA = a - upperA;
  let lowerB = b - upperB;
  return vec2f(p, (((upperA * upperB - p) + upperA * lowerB) + lowerA * upperB) + lowerA * lowerB);
}`,
  },
  // x^y = 2^(y log2 x) with the logarithm in two floats: one would lose all bits that y multiplies in. Its series in
  // s = (m - 1) / (m + 1) needs them in the first term only.
  powOf: {
    calls: ['isNan', 'infinity', 'notANumber', 'productOf', 'expOf'],
    code: `fn powOf(x: f32, y: f32) -> f32 {
  let xBits = bitcast<u32>(x);
  let yBits = bitcast<u32>(y);
  let size = xBits & 0x7fffffffu;
  if ((yBits & 0x7fffffffu) == 0u) { return 1.0; }
  if (isNan(x) || isNan(y)) { return notANumber(); }
  let isUp = (yBits >> 31u) == 0u;
  if ((yBits & 0x7fffffffu) == 0x7f800000u) {
    if (size == 0x3f800000u) { return notANumber(); }
    return select(0.0, infinity(), (size > 0x3f800000u) == isUp);
  }
  let isWhole = floor(y) == y;
  let isOdd = isWhole && abs(y) < 16777216.0 && (i32(y) & 1) != 0;
  let isNegative = (xBits >> 31u) != 0u;
  let sign = select(1.0, -1.0, isNegative && isOdd);
  if (size == 0u || size == 0x7f800000u) { return sign * select(0.0, infinity(), (size == 0u) != isUp); }
  if (isNegative && !isWhole) { return notANumber(); }
  var bits = i32(size);
  var scale = 0;
  if (bits < 0x00800000) { bits = bitcast<i32>(f32(bits)); scale = 149; }
  bits += 0x3f800000 - 0x3f3504f3;
  let exponent = f32((bits >> 23u) - 127 - scale);
  let m = bitcast<f32>((bits & 0x7fffff) + 0x3f3504f3);
  let a = m - 1.0;
  let b = m + 1.0;
  let q = a / b;
  let back = productOf(q, b);
  let rest = (((a - back.x) - back.y) - q * (m - (b - 1.0))) / b;
  let square = q * q;
  var p = 0.18181818;
  p = p * square + 0.22222222;
  p = p * square + 0.28571429;
  p = p * square + 0.4;
  p = p * square + 0.66666667;
  let upper = 2.0 * q;
  let lower = 2.0 * rest + p * square * q;
  let scaled = productOf(upper, 1.44269502162933349609375);
  let scaledRest = scaled.y + (upper * 1.92596299e-8 + lower * 1.44269504);
  let whole = exponent + scaled.x;
  let wholeRest = (scaled.x - (whole - exponent)) + scaledRest;
  let rough = y * whole;
  if (rough > 130.0) { return sign * infinity(); }
  if (rough < -152.0) { return sign * 0.0; }
  let power = productOf(y, whole);
  let n = floor(power.x + 0.5);
  let fraction = (power.x - n) + (power.y + y * wholeRest);
  let k = i32(n);
  let half = k >> 1u;
  return sign * expOf(fraction * 0.69314718056) * bitcast<f32>((half + 127) << 23u) * bitcast<f32>((k - half + 127) << 23u);
}`,
  },
  // `never` is false: there is a workgroup. No compiler knows that there is one.
  rounded: {
    code: `var<private> never: bool;
fn rounded(x: f32) -> f32 { return select(x, 0.0, never); }`,
  },
  toInteger: {
    calls: ['isNan'],
    code: `fn toInteger(x: f32) -> i32 {
  if (isNan(x)) { return 0; }
  if (x >= 2147483648.0) { return 2147483647; }
  if (x <= -2147483648.0) { return -2147483647 - 1; }
  return i32(x);
}`,
  },
  powerOfIntegers: {
    code: `fn powerOfIntegers(base: i32, exponent: i32) -> i32 {
  if (exponent < 0) { return select(select(0, select(-1, 1, (exponent & 1) == 0), base == -1), 1, base == 1); }
  var result = 1;
  var factor = base;
  for (var left = exponent; left > 0; left >>= 1u) {
    if ((left & 1) != 0) { result *= factor; }
    factor *= factor;
  }
  return result;
}`,
  },
};

/** The declarations of some functions and of all that they call, each once, callees first. */
export const declarationsOf = (names: Iterable<FunctionName>): readonly string[] => {
  const declared = new Map<FunctionName, string>();
  const declare = (name: FunctionName): void => {
    if (declared.has(name)) return;
    const { code, calls = [] } = functions[name];
    calls.forEach(declare);
    declared.set(name, code);
  };
  for (const name of names) declare(name);
  return [...declared.values()];
};
