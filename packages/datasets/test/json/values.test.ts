// Numbers, texts and members taken from bytes, against the engine's own JSON.
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fieldSpans } from '../../src/json/fields.ts';
import { countLineEnds } from '../../src/json/lines.ts';
import { membersAt } from '../../src/json/members.ts';
import { numberIn } from '../../src/json/numbers.ts';
import { jsonScanner } from '../../src/json/scanner.ts';
import { shownText, textIn } from '../../src/json/values.ts';

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const digits = (minLength: number, maxLength: number): fc.Arbitrary<string> =>
  fc.stringMatching(new RegExp(`^[0-9]{${minLength},${maxLength}}$`));

/** Numbers as people and programs write them: any doubles, and digits with points and exponents where rounding is hard. */
const anyNumber: fc.Arbitrary<string> = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
  fc.maxSafeInteger().map(String),
  fc.tuple(fc.integer({ min: -999, max: 9999 }), digits(1, 25)).map(([whole, rest]) => `${whole}.${rest}`),
  fc
    .tuple(fc.constantFrom('', '-'), fc.nat(), fc.option(digits(1, 20)), fc.integer({ min: -340, max: 320 }))
    .map(([sign, whole, rest, exponent]) => `${sign}${whole}${rest === null ? '' : `.${rest}`}e${exponent}`),
  // around 2^53, where integers begin to round
  fc.bigInt({ min: 2n ** 53n - 20n, max: 2n ** 53n + 20n }).map(String),
  fc
    .tuple(fc.bigInt({ min: 2n ** 53n - 20n, max: 2n ** 53n + 20n }), fc.nat({ max: 15 }))
    .map(([value, point]) => {
      const text = String(value);
      return `${text.slice(0, text.length - point) || '0'}${point === 0 ? '' : `.${text.slice(text.length - point)}`}`;
    }),
  fc.constantFrom(
    '0',
    '-0',
    '-0.0',
    '0e5',
    '0.00000000000000000000001',
    '5e-324',
    '1e400',
    '2.2250738585072011e-308',
  ),
);

test('numbers are those of JSON.parse, to the last bit', () => {
  fc.assert(
    fc.property(anyNumber, (text) => {
      const bytes = encode(`[${text}]`);
      expect(numberIn(bytes, 1, bytes.length - 1)).toBe(JSON.parse(text) as number);
    }),
    { numRuns: 2000 },
  );
});

test('words for what is no number', () => {
  const words: readonly (readonly [string, number])[] = [
    ['NaN', Number.NaN],
    ['Infinity', Number.POSITIVE_INFINITY],
    ['-Infinity', Number.NEGATIVE_INFINITY],
  ];
  for (const [word, value] of words) expect(numberIn(encode(word), 0, word.length)).toBe(value);
});

test('texts are those of JSON.parse, with every escape', () => {
  const anyText = fc.oneof(
    fc.array(fc.nat({ max: 0xffff }), { maxLength: 12 }).map((units) => String.fromCharCode(...units)),
    fc.string(),
  );
  const escaped = (text: string): string =>
    `"${Array.from({ length: text.length }, (_, i) => `\\u${text.charCodeAt(i).toString(16).padStart(4, '0')}`).join('')}"`;
  fc.assert(
    fc.property(anyText, (text) => {
      for (const json of [JSON.stringify(text), escaped(text)]) {
        const bytes = encode(json);
        expect(textIn(bytes, 0, bytes.length)).toBe(JSON.parse(json));
      }
    }),
    { numRuns: 60 },
  );
  expect(textIn(Uint8Array.of(0x22, 0xff, 0x22), 0, 3)).toBeUndefined();
});

test('members are those of JSON.parse', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.nat({ max: 3 }), (value, blanks) => {
      const bytes = encode(JSON.stringify(value, null, blanks));
      const text = (start: number, end: number): string =>
        new TextDecoder().decode(bytes.subarray(start, end));
      const found = membersAt(bytes, 0).map(({ keyStart, keyEnd, start, end }) => [
        JSON.parse(text(keyStart, keyEnd)),
        JSON.parse(text(start, end)),
      ]);
      expect(Object.fromEntries(found)).toEqual(JSON.parse(JSON.stringify(value)));
      expect(found).toHaveLength(Object.keys(value).length);
    }),
    { numRuns: 60 },
  );
});

describe('fields', () => {
  const names = ['id', 'ide', 'x1', 'y1', 'bbox'];
  const read = (json: string): (string | undefined)[] => {
    const spans = fieldSpans(names);
    const found: (string | undefined)[] = [];
    const entry = (_: number, __: number, { bytes, ...rest }: Parameters<typeof spans.find>[0]): void => {
      spans.find({ bytes, ...rest });
      for (const [i, start] of spans.starts.entries())
        found.push(start < 0 ? undefined : new TextDecoder().decode(bytes.subarray(start, spans.ends[i])));
    };
    const scanner = jsonScanner({ label: 'test', file: 'x.json', names: ['a'], entry });
    scanner.push(encode(`{"a": [${json}]}`));
    scanner.finish();
    return found;
  };

  test('are found by name, the last of two counts, and escapes spell the same name', () => {
    expect(read('{"id": 1, "ID": 2, "ide": [3 ], "x": 4, "": 5}')).toEqual([
      '1',
      '[3 ]',
      undefined,
      undefined,
      undefined,
    ]);
    expect(read('{"id":1,"id" :2 }')[0]).toBe('2');
    expect(read('{"\\u0069d": 7}')[0]).toBe('7');
    expect(read('{"y1": 1, "x1": 2}')).toEqual([undefined, undefined, '2', '1', undefined]);
    expect(read('{"a": {"id": 1}, "b": [{"id": 2}]}')[0]).toBeUndefined();
  });

  test('no name is mistaken for another', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.oneof(fc.string(), fc.constantFrom(...names)), { minLength: 1 }),
        (keys) => {
          const found = read(JSON.stringify(Object.fromEntries(keys.map((key, i) => [key, `${i}`]))));
          const value = (name: string): string | undefined =>
            keys.includes(name) ? `"${keys.indexOf(name)}"` : undefined;
          expect(found).toEqual(names.map(value));
        },
      ),
      { numRuns: 60 },
    );
  });
});

test('line ends are counted in short and in long lines', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 400 }), { maxLength: 60 }), fc.nat({ max: 50 }), (lengths, start) => {
      const text = lengths.map((length) => 'x'.repeat(length)).join('\n');
      const from = Math.min(start, text.length);
      expect(countLineEnds(encode(text), from, text.length)).toBe(text.slice(from).split('\n').length - 1);
    }),
    { numRuns: 100 },
  );
});

test('what a message shows of a file is one line without control characters', () => {
  const bytes = encode('[1,\r\n\t2, "a\u001b[31m"]');
  expect(shownText(bytes, 0, bytes.length, 60)).toBe('[1, 2, "a [31m"]');
  expect(shownText(encode('ä'.repeat(100)), 0, 200, 10)).toBe('ä'.repeat(10));
});
