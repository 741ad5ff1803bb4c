// Which splits of a dataset to train and to validate on when nobody says.

/** The splits to train and to validate on, as far as there are any. */
export interface TrainingSplits {
  readonly train: string | undefined;
  readonly validation: string | undefined;
}

/**
 * The splits to train and to validate on: trainval and test where a dataset has both, as PASCAL VOC is used, else train and
 * val, valid or validation, with or without a year.
 *
 * Example  trainingSplits(['train2017', 'val2017']) // { train: 'train2017', validation: 'val2017' }
 */
export const trainingSplits = (splits: readonly string[]): TrainingSplits => {
  const find = (...names: readonly string[]): string | undefined =>
    names
      .map((name) => splits.find((split) => split.toLowerCase().replace(/[-_]?\d+$/, '') === name))
      .find((split) => split !== undefined);
  const trainval = find('trainval');
  const test = find('test');
  if (trainval !== undefined && test !== undefined) return { train: trainval, validation: test };
  return { train: find('train', 'training'), validation: find('val', 'valid', 'validation') };
};
