// Damage to files, as a disk, a network or an editor does it.
import * as fc from 'fast-check';

/** One way to damage bytes. */
export type Damage = (bytes: Uint8Array) => Uint8Array;

/** How far into the file, 0 to 1; without the leaning towards both ends that arbitraries have. */
const place = fc.noBias(fc.nat({ max: 2 ** 30 - 1 })).map((part) => part / 2 ** 30);

const flipped: fc.Arbitrary<Damage> = fc.tuple(place, fc.integer({ min: 0, max: 7 })).map(
  ([at, bit]): Damage =>
    (bytes) => {
      const copy = bytes.slice();
      const index = Math.floor(at * bytes.length);
      if (bytes.length > 0) copy[index] = copy[index]! ^ (1 << bit);
      return copy;
    },
);

const cutOff: fc.Arbitrary<Damage> = place.map(
  (at): Damage =>
    (bytes) =>
      bytes.slice(0, Math.floor(at * bytes.length)),
);

const replaced: fc.Arbitrary<Damage> = fc
  .tuple(place, fc.nat({ max: 40 }), fc.oneof(fc.uint8Array({ maxLength: 8 }), snippets()))
  .map(
    ([at, length, inserted]): Damage =>
      (bytes) => {
        const index = Math.floor(at * bytes.length);
        return Uint8Array.from([...bytes.subarray(0, index), ...inserted, ...bytes.subarray(index + length)]);
      },
  );

/** Pieces that mean something to a reader of texts. */
function snippets(): fc.Arbitrary<Uint8Array> {
  const texts = [
    '<',
    '</',
    '>',
    '&',
    '&#0;',
    '<!DOCTYPE a [<!ENTITY b "c">]>',
    '<![CDATA[',
    '<!--',
    '\r\n',
    '\n\n',
    '\0',
    '..',
    '/',
    '1e999',
    'NaN',
    '-1',
    '0',
    ' ',
  ];
  return fc.constantFrom(...texts).map((text) => new TextEncoder().encode(text));
}

/** One to three damages, one after the other. */
export const anyDamage: fc.Arbitrary<Damage> = fc
  .array(fc.oneof({ arbitrary: flipped, weight: 3 }, cutOff, { arbitrary: replaced, weight: 3 }), {
    minLength: 1,
    maxLength: 3,
  })
  .map(
    (damages): Damage =>
      (bytes) =>
        damages.reduce((damaged, damage) => damage(damaged), bytes),
  );
