// Decoding as ONNX operators: each level's best pairs of location and class, with their boxes.
import type { OnnxWriter } from '@autoassign/tensor';
import type { TestConfig } from '../config.ts';
import type { FeatureLevel } from '../geometry/points.ts';

/** Names of the network's outputs. */
export interface RawNames {
  /** f32[N,R,K] */
  readonly logits: string;
  /** f32[N,R] */
  readonly objectness: string;
  /** f32[N,R,4] */
  readonly distances: string;
}

/** What decoding depends on besides the network's output. */
export interface DecodeSetting {
  readonly levels: readonly FeatureLevel[];
  readonly classes: number;
  /** Boxes are cut to it. */
  readonly imageSize: { readonly height: number; readonly width: number };
  readonly test: TestConfig;
  /** Whether scores have the objectness as a factor. */
  readonly usesObjectness: boolean;
}

/** Names of [N,C] values of the candidates of all levels, and of their boxes [N,C,4]. */
export interface CandidateNames {
  /** Not cut to the image. */
  readonly boxes: string;
  /** What chose them and is held to the threshold: class probabilities, or scores (`megvii`). */
  readonly ranks: string;
  readonly scores: string;
  readonly labels: string;
}

/** How many candidates a level has. */
const countOf = ({ height, width }: FeatureLevel, { classes, test }: DecodeSetting): number => {
  const most = test.variant === 'megvii' ? height * width : height * width * classes;
  return Math.min(test.candidatesPerLevel, most);
};

/** How many candidates an image has, those that count for nothing included. */
export const candidateCount = (setting: DecodeSetting): number =>
  setting.levels.reduce((sum, level) => sum + countOf(level, setting), 0);

/** The entries of [N,C,4] at places [N,D] of the second axis. */
export const pickRows = ({ add, integers }: OnnxWriter, x: string, places: string): string =>
  add('GatherND', [x, add('Unsqueeze', [places, integers([-1])])], { attributes: { batch_dims: 1 } });

/** The entries of [N,C] at places [N,D]. */
export const pick = ({ add }: OnnxWriter, x: string, places: string): string =>
  add('GatherElements', [x, places], { attributes: { axis: 1 } });

/** Each level's pairs of the highest ranks [N,R,K], as numbers location * classes + class. */
const bestPairs = (
  { add, addAll, integers }: OnnxWriter,
  ranks: string,
  setting: DecodeSetting,
): { readonly values: string; readonly pairs: string } => {
  const { levels, classes } = setting;
  let start = 0;
  const best = levels.map((level) => {
    const end = start + level.height * level.width;
    const part = add('Slice', [ranks, integers([start]), integers([end]), integers([1])]);
    const flat = add('Reshape', [part, integers([0, -1])]);
    const [values, within] = addAll('TopK', [flat, integers([countOf(level, setting)])], { outputs: 2 });
    const pairs = add('Add', [within!, integers([start * classes])]);
    start = end;
    return { values: values!, pairs };
  });
  const join = (names: readonly string[]): string => add('Concat', names, { attributes: { axis: 1 } });
  return { values: join(best.map(({ values }) => values)), pairs: join(best.map(({ pairs }) => pairs)) };
};

/** The corners of a box of no size at every location: (x, y, x, y), row by row. */
const cornersOf = (levels: readonly FeatureLevel[]): number[] =>
  levels.flatMap(({ height, width, stride }) =>
    Array.from({ length: height * width }, (_, cell) => {
      const [x, y] = [(cell % width) * stride, Math.floor(cell / width) * stride];
      return [x, y, x, y];
    }).flat(),
  );

/** Adds the choice of the candidates to a graph. */
export const candidateNodes = (writer: OnnxWriter, raw: RawNames, setting: DecodeSetting): CandidateNames => {
  const { add, integers, floats } = writer;
  const { test, usesObjectness } = setting;
  const probabilities = add('Sigmoid', [raw.logits]);
  const objectness = (): string => add('Sigmoid', [raw.objectness]);
  const isRankedByScore = test.variant === 'megvii' && usesObjectness;
  const ranked = isRankedByScore
    ? add('Mul', [probabilities, add('Unsqueeze', [objectness(), integers([2])])])
    : probabilities;
  const { values, pairs } = bestPairs(writer, ranked, setting);
  const classes = integers([setting.classes]);
  const places = add('Div', [pairs, classes]);
  const points = cornersOf(setting.levels);
  const corners = add('Gather', [floats(points, [points.length / 4, 4]), places]);
  const reach = add('Mul', [pickRows(writer, raw.distances, places), floats([-1, -1, 1, 1])]);
  return {
    boxes: add('Add', [corners, reach]),
    ranks: values,
    scores:
      usesObjectness && !isRankedByScore ? add('Mul', [values, pick(writer, objectness(), places)]) : values,
    labels: add('Mod', [pairs, classes]),
  };
};
