// Checking a configuration that came from a file: every field known, of its type, within its range, and fitting the others.
import { sentence } from '@autoassign/tensor';
import { blockWidth, type DetectorConfig, stageWidths, stemWidth } from './config.ts';
import { ConfigError } from './errors.ts';
import { detectorSchema } from './schema/detectorSchema.ts';
import { firstProblem, type Problem, wrongValue } from './schema/problem.ts';

/** What keeps a value from being a configuration, or undefined when it is one. */
export const configProblem = (value: unknown): Problem | undefined =>
  firstProblem(detectorSchema, value) ?? fitProblem(value as DetectorConfig);

/**
 * The value as a configuration, when it is one.
 *
 * Throws   ConfigError naming the field that is unknown, missing, of another type, out of range or at odds with another
 * Example  const config = validateConfig(JSON.parse(text))
 */
export const validateConfig = (value: unknown): DetectorConfig => {
  const problem = configProblem(value);
  if (problem !== undefined) throw new ConfigError(sentence({ where: 'validateConfig', ...problem }));
  return value as DetectorConfig;
};

/** The first of the fields that do not fit each other. */
const fitProblem = ({ classes, backbone, neck, head }: DetectorConfig): Problem | undefined => {
  const repeated = classes.find((name, i) => classes.indexOf(name) !== i);
  if (repeated !== undefined) return wrongValue('classes', 'different names', repeated);
  const stages = backbone.planes.length;
  for (const name of ['depths', 'strides', 'deformable'] as const)
    if (backbone[name] !== undefined && backbone[name].length !== stages)
      return wrongValue(`backbone.${name}`, `${stages} entries, as many as backbone.planes`, backbone[name]);
  if (neck.stages > stages)
    return wrongValue('neck.stages', `at most the ${stages} stages there are`, neck.stages);
  if (backbone.frozenParts > stages + 1)
    return wrongValue('backbone.frozenParts', `at most stem and ${stages} stages`, backbone.frozenParts);
  if (neck.channels % head.groups !== 0)
    return wrongValue(
      'head.groups',
      `a divisor of the ${neck.channels} channels of neck.channels`,
      head.groups,
    );
  for (const name of ['cardinality', 'deformable'] as const)
    if (backbone.block !== 'bottleneck' && backbone[name] !== undefined)
      return wrongValue(`backbone.${name}`, "nothing unless backbone.block is 'bottleneck'", backbone[name]);
  return groupsProblem(backbone);
};

const groupsProblem = (backbone: DetectorConfig['backbone']): Problem | undefined => {
  const { norm, stem, planes } = backbone;
  if (norm.kind !== 'group') return undefined;
  const widths = [
    ...(stem.kind === 'plain' ? stem.widths : []),
    stemWidth(backbone),
    ...planes.map((count) => blockWidth(backbone, count)),
    ...stageWidths(backbone),
  ];
  const odd = widths.find((width) => width % norm.channelsPerGroup !== 0);
  if (odd === undefined) return undefined;
  const needs = `a divisor of every width, also of ${odd}`;
  return wrongValue('backbone.norm.channelsPerGroup', needs, norm.channelsPerGroup);
};
