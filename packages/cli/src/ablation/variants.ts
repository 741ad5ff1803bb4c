// The variants that an ablation compares: AutoAssign, the same with one part changed, and other assignments on the same network.
import { nearestName } from '@autoassign/detector/schema';
import { UsageError } from '../exitCodes.ts';

/** What a variant is in words, and the settings that make it, as they could be typed. */
interface Variant {
  readonly meaning: string;
  readonly settings: readonly string[];
}

function variant(meaning: string, ...settings: readonly string[]): Variant {
  return { meaning, settings: settings.map((setting) => `detector.loss.${setting}`) };
}

const variants: Readonly<Record<string, Variant>> = {
  full: variant('AutoAssign'),
  'no-center': variant('every location inside an object counts the same', 'centerWeighting=off'),
  'fixed-center': variant('centre prior of mean 0 and sigma 1, not learned', 'centerWeighting=fixed'),
  'no-confidence': variant('weights from the centre prior alone', 'confidenceWeighting=false'),
  'no-weighting': variant(
    'neither centre nor confidence weighting',
    'centerWeighting=off',
    'confidenceWeighting=false',
  ),
  'no-objectness': variant('class probabilities alone', 'objectness=off'),
  'explicit-objectness': variant('objectness learned from inside and outside', 'objectness=explicit'),
  fcos: variant('FCOS: centre sampling and scale ranges', 'kind=fcos'),
  atss: variant('ATSS: a threshold of its own per object', 'kind=atss'),
  retinanet: variant('RetinaNet: two IoU thresholds', 'kind=retinanet'),
  freeanchor: variant('FreeAnchor: likelihood of bags', 'kind=freeanchor'),
};

/** The names of all variants. */
export const variantNames: readonly string[] = Object.keys(variants);

/** A variant in words. */
export function variantMeaning(name: string): string {
  return variants[name]?.meaning ?? '';
}

/** The settings that make a variant, in the form key=value. */
export function variantSettings(name: string): readonly string[] {
  return variants[name]?.settings ?? [];
}

/**
 * The names of a list of variants, each known.
 *
 * Throws   UsageError that says which name was probably meant, and which there are
 */
export function knownVariants(names: readonly string[]): readonly string[] {
  const unknown = names.find((name) => !Object.hasOwn(variants, name));
  if (unknown === undefined) return names;
  const meant = nearestName(unknown, variantNames);
  const advice = meant === undefined ? '' : `Did you mean '${meant}'? `;
  throw new UsageError(
    `--variants needs names of variants, got '${unknown}'. ${advice}There are ${variantNames.join(', ')}.`,
  );
}
