// What takes the place of a picture that cannot be read: other images, in an order that depends on the seed alone.
import { mixSeeds } from '../random.ts';
import type { Survey } from './survey.ts';

/** When so many pictures in a row cannot be read, it is not the pictures' fault. */
const mostTries = 64;

/**
 * Other usable images of a group, each once and at most 64, by their places in `usable`.
 *
 * Example  const [first] = replacements(survey, image, survey.groupOf(image), mixSeeds(seed, epoch, index))
 */
export function* replacements(
  survey: Survey,
  image: number,
  group: number,
  seed: number,
): Generator<number, void, undefined> {
  const count = survey.usable.length;
  const start = mixSeeds(seed, 1) % count;
  const stride = strideThrough(count, mixSeeds(seed, 2));
  let tries = 0;
  for (let i = 0; i < count && tries < mostTries; i++) {
    const candidate = (start + i * stride) % count;
    if (candidate === image || survey.groupOf(candidate) !== group) continue;
    tries += 1;
    yield candidate;
  }
}

/** A step that visits all of `count` places before it comes back to the first: it has no divisor in common with their number. */
const strideThrough = (count: number, random: number): number => {
  let stride = 1 + (random % count);
  while (greatestDivisor(stride, count) > 1) stride += 1;
  return stride;
};

const greatestDivisor = (a: number, b: number): number => (b === 0 ? a : greatestDivisor(b, a % b));
