// Which rows of a file's class weights belong to which class of a configuration.
import { sentence } from '@autoassign/tensor';
import { WeightsError } from '../errors.ts';

/** The classes of a configuration in a file. */
export interface ClassMatch {
  /** Classes whose weights come from the file. */
  readonly kept: readonly string[];
  /** Classes that the file does not have; their weights begin anew. */
  readonly fresh: readonly string[];
  /** By label of the configuration: the row in the file, where it has one. */
  readonly rows: readonly (number | undefined)[];
}

/** Whether a parameter has a row per class. */
export const isPerClass = (name: string): boolean =>
  /^bbox_head\.(conv_cls\.(weight|bias)|center_prior\.(mean|sigma))$/.test(name);

/** The classes to match, and what is known of those of the file. */
interface ClassQuestion {
  readonly ours: readonly string[];
  /** How many the file has weights for. */
  readonly count: number;
  /** Their names, when they are known. */
  readonly theirs: readonly string[] | undefined;
}

/**
 * The classes by name where names are known and some are the same; undefined when the file's are taken as they stand, since there are as
 * many and the names are the same, unknown, or all different. Where numbers differ without common names, all begin anew.
 */
export const matchClasses = ({ ours, count, theirs }: ClassQuestion): ClassMatch | undefined => {
  const rows = ours.map((name) => (theirs?.length === count ? placeOf(name, theirs) : undefined));
  const hasCommon = rows.some((row) => row !== undefined);
  const isSame = rows.every((row, label) => row === label);
  if (count === ours.length && (isSame || !hasCommon)) return undefined;
  return {
    kept: ours.filter((_, label) => rows[label] !== undefined),
    fresh: ours.filter((_, label) => rows[label] === undefined),
    rows,
  };
};

const placeOf = (name: string, names: readonly string[]): number | undefined => {
  const place = names.indexOf(name);
  return place < 0 ? undefined : place;
};

/** Rows picked out of stored ones where the file has them, of initial ones elsewhere. */
export const pickRows = (
  { rows }: ClassMatch,
  stored: ArrayLike<number>,
  initial: ArrayLike<number>,
): Float32Array => {
  const picked = Float32Array.from(initial);
  const width = initial.length / rows.length;
  for (const [label, row] of rows.entries()) {
    if (row === undefined) continue;
    for (let i = 0; i < width; i++) picked[label * width + i] = stored[row * width + i]!;
  }
  return picked;
};

/** Refuses a match in which a class has no weights. */
export const requireClasses = (match: ClassMatch, label: string | undefined): void => {
  if (match.fresh.length === 0) return;
  throw new WeightsError(
    sentence({
      where: 'loadCheckpoint',
      label,
      needs: `weights for every class, '${match.fresh[0]}' among them`,
      got: `those for ${match.kept.length} of ${match.rows.length}`,
      advice: "Give the file's own classes, or train further from it.",
    }),
  );
};
