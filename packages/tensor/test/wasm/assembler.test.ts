// The assembler: what its instructions compute, judged by JavaScript; numbers, control flow and whole modules.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Expression } from '../../src/backends/wasm/assembler/code.ts';
import {
  block,
  branch,
  branchIf,
  choose,
  forRange,
  ifElse,
  increment,
  loop,
} from '../../src/backends/wasm/assembler/control.ts';
import { flatten, signed, unsigned } from '../../src/backends/wasm/assembler/encode.ts';
import type { ModuleBuilder } from '../../src/backends/wasm/assembler/module.ts';
import { moduleBuilder } from '../../src/backends/wasm/assembler/module.ts';
import { memory as bulk, f32, f64, i32, select } from '../../src/backends/wasm/assembler/scalar.ts';
import { f32x4, i32x4, v128 } from '../../src/backends/wasm/assembler/vector.ts';

const memory = new WebAssembly.Memory({ initial: 1 });
const floats = new Float32Array(memory.buffer);
const integers = new Int32Array(memory.buffer);

/** Instantiates a module and gives a function that calls its exports by name. */
function instantiate(module: ModuleBuilder, imports: WebAssembly.Imports = {}) {
  const compiled = new WebAssembly.Module(module.toBytes());
  const { exports } = new WebAssembly.Instance(compiled, { ...imports, env: { memory } });
  return (name: string, ...values: readonly number[]): unknown =>
    (exports[name] as (...values: readonly number[]) => unknown)(...values);
}

/** Writes two vectors to memory, applies the code to them and reads the resulting vector. */
function onVectors(
  code: (a: Expression<'v128'>, b: Expression<'v128'>) => Expression<'v128'>,
  kind: 'f32' | 'i32',
  a: readonly number[],
  b: readonly number[],
): number[] {
  const module = moduleBuilder();
  module.define({ exportName: 'run', params: [], result: 'void' }, () => [
    v128.store(32, code(v128.load(0), v128.load(16))),
  ]);
  const view = kind === 'f32' ? floats : integers;
  view.set([...a, ...b]);
  instantiate(module)('run');
  return Array.from(view.subarray(8, 12));
}

type Meaning = (a: number, b: number) => number;

const floatMeanings: Readonly<Record<string, Meaning>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  min: Math.min,
  max: Math.max,
  // unlike min and max these keep the first operand where the comparison is false, so also beside NaN
  pmin: (a, b) => [a, b][Number(b < a)] ?? Number.NaN,
  pmax: (a, b) => [a, b][Number(a < b)] ?? Number.NaN,
};

const comparisons: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  eq: (a, b) => a === b,
  ne: (a, b) => a !== b,
  lt: (a, b) => a < b,
  gt: (a, b) => a > b,
  le: (a, b) => a <= b,
  ge: (a, b) => a >= b,
};

const roundToEven = (x: number): number => {
  const near = Math.round(x);
  return near - x === 0.5 && near % 2 !== 0 ? near - 1 : near;
};

const floatUnaries: Readonly<Record<string, (x: number) => number>> = {
  abs: Math.abs,
  neg: (x) => -x,
  sqrt: Math.sqrt,
  ceil: Math.ceil,
  floor: Math.floor,
  trunc: Math.trunc,
  nearest: roundToEven,
};

const integerMeanings: Readonly<Record<string, Meaning>> = {
  add: (a, b) => (a + b) | 0,
  sub: (a, b) => (a - b) | 0,
  mul: Math.imul,
  minS: Math.min,
  maxS: Math.max,
  eq: (a, b) => (a === b ? -1 : 0),
  ne: (a, b) => (a !== b ? -1 : 0),
  ltS: (a, b) => (a < b ? -1 : 0),
  gtS: (a, b) => (a > b ? -1 : 0),
  leS: (a, b) => (a <= b ? -1 : 0),
  geS: (a, b) => (a >= b ? -1 : 0),
};

const floatPairs = [
  [
    [1.5, -2.5, 0, Number.NaN],
    [2, -2.5, -0, 1],
  ],
  [
    [Infinity, -0.5, 3.5, 2 ** 30],
    [-1, 4.25, 3.25, 2 ** -30],
  ],
] as const;

const integerPairs = [
  [
    [1, -2, 2 ** 31 - 1, -(2 ** 31)],
    [1, 3, 2 ** 31 - 1, 1],
  ],
] as const;

type Table = Readonly<Record<string, (a: Expression<'v128'>, b: Expression<'v128'>) => Expression<'v128'>>>;

describe('vector instructions', () => {
  test.each(Object.entries(floatMeanings))('f32x4.%s', (name, meaning) => {
    const code = (f32x4 as unknown as Table)[name];
    for (const [a, b] of floatPairs)
      expect(onVectors(code!, 'f32', a, b)).toEqual(a.map((x, at) => Math.fround(meaning(x, b[at] ?? 0))));
  });

  test.each(Object.entries(comparisons))('f32x4.%s', (name, meaning) => {
    const code = (f32x4 as unknown as Table)[name];
    for (const [a, b] of floatPairs) {
      const chosen = onVectors(
        (x, y) => v128.bitselect(f32x4.const(1), f32x4.const(0), code!(x, y)),
        'f32',
        a,
        b,
      );
      expect(chosen).toEqual(a.map((x, at) => Number(meaning(x, b[at] ?? 0))));
    }
  });

  test.each(Object.entries(floatUnaries))('f32x4.%s', (name, meaning) => {
    const code = (f32x4 as unknown as Table)[name];
    for (const [a, b] of floatPairs) {
      expect(onVectors(code!, 'f32', a, b)).toEqual(a.map((x) => Math.fround(meaning(x))));
      expect(onVectors((_, y) => code!(y, y), 'f32', a, b)).toEqual(b.map((x) => Math.fround(meaning(x))));
    }
  });

  test.each(Object.entries(integerMeanings))('i32x4.%s', (name, meaning) => {
    const code = (i32x4 as unknown as Table)[name];
    for (const [a, b] of integerPairs)
      expect(onVectors(code!, 'i32', a, b)).toEqual(a.map((x, at) => meaning(x, b[at] ?? 0)));
  });

  test('shifts, bits, conversions and lanes', () => {
    const a = [1, -8, 0x7f00ff00, -(2 ** 31)];
    const b = [3, 5, 0x00ff00ff, 7];
    const on = (code: Parameters<typeof onVectors>[0]): number[] => onVectors(code, 'i32', a, b);
    const lanewise = (meaning: Meaning): number[] => a.map((x, at) => meaning(x, b[at] ?? 0));
    expect(on((x) => i32x4.shl(x, 3))).toEqual(lanewise((x) => x << 3));
    expect(on((x) => i32x4.shrS(x, 3))).toEqual(lanewise((x) => x >> 3));
    expect(on((x) => i32x4.shrU(x, 3))).toEqual(lanewise((x) => x >>> 3));
    expect(on((x) => i32x4.neg(x))).toEqual(lanewise((x) => -x | 0));
    expect(on((x) => i32x4.abs(x))).toEqual(lanewise((x) => Math.abs(x) | 0));
    expect(on((x, y) => v128.and(x, y))).toEqual(lanewise((x, y) => x & y));
    expect(on((x, y) => v128.or(x, y))).toEqual(lanewise((x, y) => x | y));
    expect(on((x, y) => v128.xor(x, y))).toEqual(lanewise((x, y) => x ^ y));
    expect(on((x, y) => v128.andnot(x, y))).toEqual(lanewise((x, y) => x & ~y));
    expect(on((x) => v128.not(x))).toEqual(lanewise((x) => ~x));
    expect(on((x) => i32x4.truncSaturateF32x4(f32x4.convertI32x4(x)))).toEqual([
      1,
      -8,
      0x7f00ff00,
      -(2 ** 31),
    ]);
    expect(on((x, y) => v128.shuffle(x, y, [0, 5, 7, 2]))).toEqual([1, 5, 7, 0x7f00ff00]);
    expect(on((x) => i32x4.replaceLane(x, 2, i32x4.extractLane(x, 1)))).toEqual([1, -8, -8, -(2 ** 31)]);
    expect(on(() => v128.load32Splat(0, 4))).toEqual([-8, -8, -8, -8]);
    expect(on(() => v128.load32Zero(0, 4))).toEqual([-8, 0, 0, 0]);
    expect(on((x) => v128.load32Lane(16, x, 3, 4))).toEqual([1, -8, 0x7f00ff00, 5]);
    expect(on((x) => i32x4.splat(v128.anyTrue(x)))).toEqual([1, 1, 1, 1]);
    expect(on((x) => i32x4.splat(i32x4.allTrue(i32x4.eq(x, x))))).toEqual([1, 1, 1, 1]);
    expect(on(() => i32x4.consts([4, 3, 2, -1]))).toEqual([4, 3, 2, -1]);
    expect(onVectors((x) => f32x4.replaceLane(x, 3, 2.5), 'f32', [1, 2, 3, 4], b)).toEqual([1, 2, 3, 2.5]);
    expect(onVectors((x) => f32x4.splat(f32x4.extractLane(x, 1)), 'f32', [1, 2, 3, 4], b)).toEqual([
      2, 2, 2, 2,
    ]);
  });
});

describe('encoding', () => {
  test('LEB128 numbers decode to themselves', () => {
    const decode = (bytes: readonly number[]): bigint =>
      bytes.reduce((sum, byte, at) => sum | (BigInt(byte & 0x7f) << BigInt(7 * at)), 0n);
    fc.assert(
      fc.property(fc.nat(2 ** 32 - 1), fc.integer(), (natural, integer) => {
        expect(Number(decode(unsigned(natural)))).toBe(natural);
        const bytes = signed(integer);
        expect(Number(BigInt.asIntN(7 * bytes.length, decode(bytes)))).toBe(integer);
      }),
      { seed: 3 },
    );
  });

  test('chunks flatten in order, whatever their nesting', () => {
    const nested = fc.letrec((tie) => ({
      chunk: fc.oneof({ maxDepth: 4 }, fc.nat(255), fc.array(tie('chunk'))),
    })).chunk as fc.Arbitrary<number | number[]>;
    fc.assert(
      fc.property(fc.array(nested, { maxLength: 40 }), (chunks) => {
        expect(Array.from(flatten(chunks))).toEqual((chunks as unknown[]).flat(Number.POSITIVE_INFINITY));
      }),
      { seed: 4 },
    );
  });
});

describe('modules', () => {
  test('loops, blocks, branches and conditionals', () => {
    const module = moduleBuilder();
    module.define({ exportName: 'sumBelow', params: ['i32', 'i32'], result: 'i32' }, ([to, step], local) => {
      const [sum, at] = [local('i32'), local('i32')];
      return [forRange(at, 0, to, step, [increment(sum, at)]), sum];
    });
    module.define({ exportName: 'firstSquareAbove', params: ['i32'], result: 'i32' }, ([limit], local) => {
      const root = local('i32');
      return [
        block(loop(increment(root, 1), branchIf(1, i32.gtS(i32.mul(root, root), limit)), branch(0))),
        i32.mul(root, root),
      ];
    });
    module.define({ exportName: 'sign', params: ['i32'], result: 'i32' }, ([x], local) => {
      const sign = local('i32');
      return [ifElse(i32.ltS(x, 0), [sign.set(-1)], [sign.set(select('i32', 1, 0, x))]), sign];
    });
    module.define({ exportName: 'quotient', params: ['i32', 'i32'], result: 'i32' }, ([a, b]) => [
      choose(i32.eqz(b), i32.const(0), i32.divS(a, b)),
    ]);
    const call = instantiate(module);
    expect([call('sumBelow', 10, 3), call('sumBelow', 0, 1), call('sumBelow', -4, 1)]).toEqual([18, 0, 0]);
    expect([call('firstSquareAbove', 24), call('firstSquareAbove', 25)]).toEqual([25, 36]);
    expect([call('sign', -9), call('sign', 0), call('sign', 4)]).toEqual([-1, 0, 1]);
    expect([call('quotient', 7, 0), call('quotient', 7, 2)]).toEqual([0, 3]);
  });

  test('imports may come after functions that are called already', () => {
    const module = moduleBuilder();
    const twice = module.define({ params: ['f64'], result: 'f64' }, ([x]) => [f64.add(x, x)]);
    module.define({ exportName: 'run', params: ['f32'], result: 'f32' }, ([x]) => {
      const pow = module.importFunction('math', 'pow', { params: ['f64', 'f64'], result: 'f64' });
      return [f32.demote(twice.call(pow.call(f64.promote(x), 3)))];
    });
    expect(instantiate(module, { math: { pow: Math.pow } })('run', 2)).toBe(16);
  });

  test('bulk memory and scalar memory', () => {
    const module = moduleBuilder();
    module.define({ exportName: 'run', params: [], result: 'void' }, () => [
      bulk.fill(0, 0xff, 12),
      bulk.copy(12, 4, 4),
      i32.store(0, i32.load(8), 4),
      f32.store(16, f32.sqrt(f32.load(20))),
    ]);
    integers.fill(0);
    floats[5] = 9;
    instantiate(module)('run');
    expect(Array.from(integers.subarray(0, 4))).toEqual([-1, -1, -1, -1]);
    expect(floats[4]).toBe(3);
  });

  test('once makes equal functions one', () => {
    const module = moduleBuilder();
    const make = () => module.define({ params: [], result: 'i32' }, () => [i32.const(1)]);
    expect(module.once('one', make)).toBe(module.once('one', make));
    expect(module.once('other', make)).not.toBe(module.once('one', make));
  });

  test('a module may want a shared memory', () => {
    const limits = { minimumPages: 1, maximumPages: 4, shared: true };
    const module = new WebAssembly.Module(moduleBuilder(limits).toBytes());
    const shared = new WebAssembly.Memory({ initial: 1, maximum: 4, shared: true });
    expect(() => new WebAssembly.Instance(module, { env: { memory: shared } })).not.toThrow();
    expect(() => new WebAssembly.Instance(module, { env: { memory } })).toThrow(WebAssembly.LinkError);
  });
});
