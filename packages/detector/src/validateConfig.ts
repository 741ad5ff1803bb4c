// Checking a configuration that came from a file: every field known, of its type, within its range, and fitting the others.
import { sentence } from '@autoassign/tensor';
import { blockWidth, type DetectorConfig, stageWidths, stemWidth } from './config.ts';
import { ConfigError } from './errors.ts';

/** Nothing when the value at `path` is as it should be; throws otherwise. */
type Check = (value: unknown, path: string) => void;

const complain = (path: string, needs: string, value: unknown): never => {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  const got = text.length > 80 ? `${text.slice(0, 77)}...` : text;
  const advice = 'Correct this field.';
  throw new ConfigError(sentence({ where: 'validateConfig', label: path, needs, got, advice }));
};

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** An object with exactly these fields. */
const fields =
  (checks: Readonly<Record<string, Check>>): Check =>
  (value, path) => {
    if (!isRecord(value)) return complain(path, 'an object', value);
    const below = (name: string): string => (path === '' ? name : `${path}.${name}`);
    for (const name of Object.keys(value))
      if (!Object.hasOwn(checks, name)) unknownField(below(name), Object.keys(checks));
    for (const [name, check] of Object.entries(checks)) check(value[name], below(name));
  };

const unknownField = (path: string, known: readonly string[]): never => {
  const needs = `only the fields ${known.join(', ')}`;
  const got = `a field '${path.split('.').at(-1)}'`;
  const advice = 'Remove it or correct its name.';
  throw new ConfigError(sentence({ where: 'validateConfig', label: path, needs, got, advice }));
};

/** An object whose field `kind` decides which further fields it has. */
const variant =
  (kinds: Readonly<Record<string, Readonly<Record<string, Check>>>>): Check =>
  (value, path) => {
    const kind = isRecord(value) ? value.kind : undefined;
    if (typeof kind !== 'string' || !Object.hasOwn(kinds, kind))
      return complain(`${path}.kind`, `one of ${Object.keys(kinds).join(', ')}`, kind);
    fields({ kind: () => undefined, ...kinds[kind] })(value, path);
  };

const listOf =
  (check: Check, least = 1): Check =>
  (value, path) => {
    if (!Array.isArray(value) || value.length < least)
      return complain(path, `a list of at least ${least}`, value);
    value.forEach((item, i) => {
      check(item, `${path}.${i}`);
    });
  };

const triple =
  (check: Check): Check =>
  (value, path) => {
    if (!Array.isArray(value) || value.length !== 3) return complain(path, 'a list of three numbers', value);
    listOf(check)(value, path);
  };

const numberIn =
  (needs: string, holds: (value: number) => boolean): Check =>
  (value, path) => {
    if (typeof value !== 'number' || !Number.isFinite(value) || !holds(value)) complain(path, needs, value);
  };

const anyNumber: Check = numberIn('a finite number', () => true);
const positive: Check = numberIn('a number above 0', (x) => x > 0);
const notNegative: Check = numberIn('a number of at least 0', (x) => x >= 0);
const fraction: Check = numberIn('a number in [0, 1]', (x) => x >= 0 && x <= 1);
const probability: Check = numberIn('a number between 0 and 1', (x) => x > 0 && x < 1);
const count: Check = numberIn('an integer of at least 1', (x) => Number.isSafeInteger(x) && x >= 1);
const countOrZero: Check = numberIn('an integer of at least 0', (x) => Number.isSafeInteger(x) && x >= 0);

const oneOf =
  (...choices: readonly string[]): Check =>
  (value, path) => {
    if (typeof value !== 'string' || !choices.includes(value))
      complain(path, `one of ${choices.join(', ')}`, value);
  };

/** A field that may be missing. */
const optional =
  (check: Check): Check =>
  (value, path) => {
    if (value !== undefined) check(value, path);
  };

const className: Check = (value, path) => {
  if (typeof value !== 'string' || value === '') complain(path, 'a class name', value);
};

const yesOrNo: Check = (value, path) => {
  if (typeof value !== 'boolean') complain(path, 'true or false', value);
};

const autoAssign: Readonly<Record<string, Check>> = {
  positiveWeight: notNegative,
  negativeWeight: notNegative,
  centerWeight: notNegative,
  localizationWeight: notNegative,
  forceTopK: countOrZero,
  centerWeighting: optional(oneOf('learned', 'fixed', 'off')),
  confidenceWeighting: optional(yesOrNo),
  objectness: optional(oneOf('implicit', 'explicit', 'off')),
};

/** A loss without a kind is that of AutoAssign. */
const lossConfig: Check = (value, path) => {
  const kinds = { autoassign: autoAssign };
  if (isRecord(value) && value.kind === undefined)
    fields({ kind: () => undefined, ...autoAssign })(value, path);
  else variant(kinds)(value, path);
};

const detectorConfig: Check = fields({
  classes: listOf(className),
  input: fields({
    mean: triple(anyNumber),
    std: triple(positive),
    order: oneOf('rgb', 'bgr'),
    padMultiple: count,
  }),
  backbone: fields({
    stem: variant({ pooled: { width: count }, plain: { widths: listOf(count) } }),
    block: oneOf('basic', 'bottleneck'),
    style: optional(oneOf('caffe', 'pytorch')),
    cardinality: optional(fields({ groups: count, widthPerGroup: count })),
    planes: listOf(count),
    depths: listOf(count),
    strides: listOf(count),
    norm: variant({ group: { channelsPerGroup: count }, frozenBatch: {} }),
    frozenParts: countOrZero,
  }),
  neck: fields({ channels: count, stages: count, extraLevels: countOrZero }),
  head: fields({ convs: count, groups: count, priorProbability: probability, distanceBias: anyNumber }),
  loss: lossConfig,
  test: fields({
    variant: optional(oneOf('mmdetection', 'megvii')),
    scoreThreshold: fraction,
    candidatesPerLevel: count,
    iouThreshold: fraction,
    limit: count,
    augmentation: optional(
      fields({
        scales: listOf(positive),
        flips: optional(listOf(oneOf('horizontal', 'vertical'), 0)),
        iouThreshold: optional(fraction),
        limit: optional(count),
        softSigma: optional(positive),
        votingIou: optional(fraction),
      }),
    ),
  }),
});

/**
 * The value as a configuration, when it is one.
 *
 * Throws   ConfigError naming the field that is unknown, missing, of another type, out of range or at odds with another
 * Example  const config = validateConfig(JSON.parse(text))
 */
export const validateConfig = (value: unknown): DetectorConfig => {
  detectorConfig(value, '');
  const config = value as DetectorConfig;
  checkFit(config);
  return config;
};

/** Fields that must fit each other. */
const checkFit = ({ classes, backbone, neck, head }: DetectorConfig): void => {
  const repeated = classes.find((name, i) => classes.indexOf(name) !== i);
  if (repeated !== undefined) complain('classes', 'different names', repeated);
  const stages = backbone.planes.length;
  for (const name of ['depths', 'strides'] as const)
    if (backbone[name].length !== stages)
      complain(`backbone.${name}`, `${stages} entries, as many as backbone.planes`, backbone[name]);
  if (neck.stages > stages) complain('neck.stages', `at most the ${stages} stages there are`, neck.stages);
  if (backbone.frozenParts > stages + 1)
    complain('backbone.frozenParts', `at most stem and ${stages} stages`, backbone.frozenParts);
  if (neck.channels % head.groups !== 0)
    complain('head.groups', `a divisor of the ${neck.channels} channels of neck.channels`, head.groups);
  if (backbone.block !== 'bottleneck' && backbone.cardinality !== undefined)
    complain('backbone.cardinality', "nothing unless backbone.block is 'bottleneck'", backbone.cardinality);
  checkGroups(backbone);
};

const checkGroups = (backbone: DetectorConfig['backbone']): void => {
  const { norm, stem, planes } = backbone;
  if (norm.kind !== 'group') return;
  const widths = [
    ...(stem.kind === 'plain' ? stem.widths : []),
    stemWidth(backbone),
    ...planes.map((count) => blockWidth(backbone, count)),
    ...stageWidths(backbone),
  ];
  const odd = widths.find((width) => width % norm.channelsPerGroup !== 0);
  if (odd !== undefined)
    complain(
      'backbone.norm.channelsPerGroup',
      `a divisor of every width, also of ${odd}`,
      norm.channelsPerGroup,
    );
};
