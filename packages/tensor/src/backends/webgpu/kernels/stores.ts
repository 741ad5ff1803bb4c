// How elements of a product are stored: by four where they lie together, finished by an epilogue where there is one.
import type { Contraction } from './contraction.ts';

const lanes = [0, 1, 2, 3];

/** Statements that store the elements of a vector from column `first` on, in the row that the text `m` names. */
export const storeVector = (
  contraction: Contraction,
  { first, columns, vector }: { readonly first: string; readonly columns: number; readonly vector: string },
): readonly string[] => {
  const { batch, m, n, place, parts = 1, finish, isTogether, isHalved } = contraction;
  const bound = n % columns === 0 ? '' : `if (n < ${n}) `;
  const at = parts === 1 ? place : `part * ${batch * m * n} + ${place}`;
  const element = (lane: number, position: string): string => {
    const sum = `${vector}.${'xyzw'[lane]}`;
    return finish === undefined ? sum : `finish(${sum}, ${position}, ${finish.channel})`;
  };
  if (isTogether) {
    const value =
      finish === undefined
        ? vector
        : `vec4f(${lanes.map((lane) => element(lane, `place + ${lane}`)).join(', ')})`;
    const stored = isHalved === true ? `toHalves(${value})` : value;
    return [`{ let n = ${first}; ${bound}{ let place = ${at}; result[place / 4] = ${stored}; } }`];
  }
  return lanes.map(
    (lane) =>
      `{ let n = ${first} + ${lane}; ${bound}{ let place = ${at}; result[place] = ${element(lane, 'place')}; } }`,
  );
};
