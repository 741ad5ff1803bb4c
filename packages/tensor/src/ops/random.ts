// Random bits as a pure function of a key: the counter-based generator Threefry-2x32.
import { describeInputs, ShapeError, sentence } from '../errors.ts';
import type { Primitive } from '../primitive.ts';
import type { Shape } from '../tensor.ts';
import { elementsOf } from './views.ts';

/** Attrs of randomBits: the result's shape, and how many leading bits of each word are kept (1 to 32). */
export type RandomAttrs = { readonly shape: Shape; readonly bits: number };

/** The primitive that gives random words for a key. */
export const randomBitsOp: Primitive<RandomAttrs> = {
  name: 'randomBits',
  infer: ([key], { shape }) => {
    if (key!.dtype !== 'i32' || key!.shape.join() !== '2')
      throw new ShapeError(
        sentence({
          where: 'randomBits',
          needs: 'a key i32[2]',
          got: describeInputs({ key: key! }),
          advice: 'Make one with key(seed) or split.',
        }),
      );
    return { shape, dtype: 'i32' };
  },
  reference: ([key], out, { bits }) => {
    const [k0, k1] = elementsOf(key!) as unknown as readonly [number, number];
    const words = new Int32Array(2);
    for (let i = 0; i < out.data.length; i++) {
      if (i % 2 === 0) threefry(k0, k1, i, words);
      const word = words[i % 2]!;
      out.data[i] = bits === 32 ? word : word >>> (32 - bits);
    }
  },
};

const rotations = [13, 15, 26, 6, 17, 29, 16, 24] as const;
const rotate = (x: number, by: number): number => (x << by) | (x >>> (32 - by));

/**
 * Two random words for one counter, 20 rounds.
 *
 * Source  Salmon et al., Parallel Random Numbers: As Easy as 1, 2, 3 (2011), Threefry-2x32
 */
const threefry = (k0: number, k1: number, counter: number, words: Int32Array): void => {
  const keys = [k0, k1, k0 ^ k1 ^ 0x1bd11bda] as const;
  let x = (counter + k0) | 0;
  let y = k1 | 0;
  for (let round = 0; round < 20; round++) {
    x = (x + y) | 0;
    y = rotate(y, rotations[round % 8]!) ^ x;
    if (round % 4 === 3) {
      const injection = (round + 1) / 4;
      x = (x + keys[injection % 3]!) | 0;
      y = (y + keys[(injection + 1) % 3]! + injection) | 0;
    }
  }
  words[0] = x;
  words[1] = y;
};
