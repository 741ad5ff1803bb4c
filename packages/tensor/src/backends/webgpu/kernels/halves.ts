// Numbers of half precision as they lie in buffers: two to a word of 32 bits, the first in its low half.
//
// A zero's sign says what rounding may have lost: it is set where the number was positive. Sums of products do not see it, for a sum that
// begins with +0 and adds -0 stays as it is, and masks of rectifiers, which ask whether a number is positive, get the right answer.
import type { ProductArithmetic } from '../kernel.ts';

/** Rounding to the nearest half, ties to even. The language's own function may round in another way. */
export const toHalf = `fn toHalf(value: vec4f) -> vec4f {
  let bits = bitcast<vec4u>(value);
  let odd = (bits >> vec4u(13u)) & vec4u(1u);
  let nearest = bitcast<vec4f>((bits + vec4u(0xfffu) + odd) & vec4u(0xffffe000u));
  let subnormal = round(value * 16777216.0) / 16777216.0;
  let infinite = bitcast<vec4f>((bits & vec4u(0x80000000u)) | vec4u(0x7f800000u));
  let finite = select(nearest, subnormal, abs(value) < vec4f(6.103515625e-5));
  return select(finite, infinite, abs(nearest) > vec4f(65504.0));
}`;

/** The bits of four numbers as halves: the device's own conversion, which is the one that strips use. */
const ownBits = `fn halfBits(value: vec4f) -> vec4u {
  let words = bitcast<vec2u>(vec4h(value));
  return vec4u(words.x & 0xffffu, words.x >> 16u, words.y & 0xffffu, words.y >> 16u);
}`;

/** The same by arithmetic of integers. */
const emulatedBits = `fn halfBits(value: vec4f) -> vec4u {
  let half = toHalf(value);
  let bits = bitcast<vec4u>(half);
  let magnitude = bits & vec4u(0x7fffffffu);
  let normal = (magnitude - vec4u(0x38000000u)) >> vec4u(13u);
  let subnormal = vec4u(abs(half) * 16777216.0);
  let special = select(vec4u(0x7c00u), vec4u(0x7e00u), magnitude > vec4u(0x7f800000u));
  let finite = select(normal, subnormal, magnitude < vec4u(0x38800000u));
  return ((bits >> vec4u(16u)) & vec4u(0x8000u)) | select(finite, special, magnitude >= vec4u(0x7f800000u));
}`;

const toHalves = `fn toHalves(value: vec4f) -> vec2u {
  let rounded = halfBits(value);
  let zero = select(vec4u(0u), vec4u(0x8000u), value > vec4f(0.0));
  let bits = select(rounded, zero, (rounded & vec4u(0x7fffu)) == vec4u(0u));
  return vec2u(bits.x | (bits.y << 16u), bits.z | (bits.w << 16u));
}`;

/** Numbers from the bits of halves, one or four at a time. */
const fromBits = (name: string, float: string, unsigned: string): string => {
  const all = (bits: string): string => (unsigned === 'u32' ? bits : `${unsigned}(${bits})`);
  return `fn ${name}(bits: ${unsigned}) -> ${float} {
  let magnitude = bits & ${all('0x7fffu')};
  let normal = bitcast<${float}>((magnitude << ${all('13u')}) + ${all('0x38000000u')});
  let subnormal = ${float}(magnitude) / 16777216.0;
  let special = bitcast<${float}>((magnitude << ${all('13u')}) | ${all('0x7f800000u')});
  let finite = select(normal, subnormal, magnitude < ${all('0x400u')});
  let size = select(finite, special, magnitude >= ${all('0x7c00u')});
  return bitcast<${float}>(bitcast<${unsigned}>(size) | ((bits & ${all('0x8000u')}) << ${all('16u')}));
}`;
};

const fromHalf = `${fromBits('fromBits', 'f32', 'u32')}
fn fromHalf(word: u32, at: i32) -> f32 {
  return fromBits((word >> (u32(at & 1) * 16u)) & 0xffffu);
}`;

const fromHalves = `${fromBits('fromFourBits', 'vec4f', 'vec4u')}
fn fromHalves(words: vec2u) -> vec4f {
  return fromFourBits(vec4u(words.x & 0xffffu, words.x >> 16u, words.y & 0xffffu, words.y >> 16u));
}`;

/** 1 where the number was positive or is NaN, else 0. */
const positivity = `fn positivity(word: u32, at: i32) -> f32 {
  let bits = (word >> (u32(at & 1) * 16u)) & 0xffffu;
  return select(0.0, 1.0, (bits == 0x8000u) | (bits - 1u < 0x7fffu) | (bits > 0xfc00u));
}`;

/** Whether halves are numbers of the device's own, or words taken apart by arithmetic. */
const isEmulated = (products: ProductArithmetic | undefined): boolean => products === 'emulated half';

/** The extensions that storing halves needs. */
export const halfExtensions = (products: ProductArithmetic | undefined): readonly string[] =>
  isEmulated(products) ? [] : ['f16'];

/** The functions that store four numbers as halves, by `toHalves`. */
export const storeHalves = (products: ProductArithmetic | undefined): readonly string[] =>
  isEmulated(products) ? [toHalf, emulatedBits, toHalves] : [ownBits, toHalves];

/** How elements of a buffer are read, one by one or four together; places are counted in single elements or in fours. */
export interface ElementReads {
  readonly types: { readonly element: string; readonly vector: string };
  readonly element: (name: string, place: string) => string;
  readonly vector: (name: string, place: string) => string;
  readonly declarations: readonly string[];
}

const plainReads: ElementReads = {
  types: { element: 'f32', vector: 'vec4f' },
  element: (name, place) => `${name}[${place}]`,
  vector: (name, place) => `${name}[${place}]`,
  declarations: [],
};

const ownReads: ElementReads = {
  types: { element: 'f16', vector: 'vec4h' },
  element: (name, place) => `f32(${name}[${place}])`,
  vector: (name, place) => `vec4f(${name}[${place}])`,
  declarations: [],
};

const emulatedReads: ElementReads = {
  types: { element: 'u32', vector: 'vec2u' },
  element: (name, place) => `fromHalf(${name}[(${place}) / 2], ${place})`,
  vector: (name, place) => `fromHalves(${name}[${place}])`,
  declarations: [fromHalf, fromHalves],
};

/** How a product reads an operand that is stored as halves, or as single numbers. */
export const readsOf = (areHalves: boolean, products: ProductArithmetic | undefined): ElementReads => {
  if (!areHalves) return plainReads;
  return isEmulated(products) ? emulatedReads : ownReads;
};

/** How a mask reads halves: a number that is positive exactly where the stored one was. */
export const signReads: Pick<ElementReads, 'element' | 'declarations'> & { readonly type: string } = {
  type: 'u32',
  element: (name, place) => `positivity(${name}[(${place}) / 2], ${place})`,
  declarations: [positivity],
};
