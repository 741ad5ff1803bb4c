// The names that other programs give to the parameters of this detector, as data, and their translation both ways.

/** Whose names a checkpoint has: those of mmdetection, which are ours; Megvii's on cvpods; or a ResNet's alone. */
export type NameScheme = 'mmdetection' | 'megvii' | 'backbone';

/**
 * How names of one scheme become ours: the first rule that fits. `{n}` is a number, `{n+3}` or `{3n+1}` one that follows from it, `{rest}`
 * whatever remains.
 */
interface NameRule {
  readonly ours: string;
  readonly theirs: string;
  /** The values of `{n}` that the rule is for; all unless given. */
  readonly from?: number;
  readonly to?: number;
}

/**
 * Megvii's names.
 *
 * Source   the authors' repository on cvpods, whose ResNet is that of detectron2
 */
const megvii: readonly NameRule[] = [
  { ours: 'backbone.conv1.weight', theirs: 'backbone.bottom_up.stem.conv1.weight' },
  { ours: 'backbone.bn1.{rest}', theirs: 'backbone.bottom_up.stem.conv1.norm.{rest}' },
  {
    ours: 'backbone.layer{n}.{block}.downsample.0.weight',
    theirs: 'backbone.bottom_up.res{n+1}.{block}.shortcut.weight',
  },
  {
    ours: 'backbone.layer{n}.{block}.downsample.1.{rest}',
    theirs: 'backbone.bottom_up.res{n+1}.{block}.shortcut.norm.{rest}',
  },
  {
    ours: 'backbone.layer{n}.{block}.bn{conv}.{rest}',
    theirs: 'backbone.bottom_up.res{n+1}.{block}.conv{conv}.norm.{rest}',
  },
  {
    ours: 'backbone.layer{n}.{block}.conv{conv}.weight',
    theirs: 'backbone.bottom_up.res{n+1}.{block}.conv{conv}.weight',
  },
  { ours: 'neck.lateral_convs.{n}.conv.{rest}', theirs: 'backbone.fpn_lateral{n+3}.{rest}' },
  { ours: 'neck.fpn_convs.{n}.conv.{rest}', theirs: 'backbone.fpn_output{n+3}.{rest}', to: 2 },
  { ours: 'neck.fpn_convs.{n}.conv.{rest}', theirs: 'backbone.top_block.p{n+3}.{rest}', from: 3 },
  { ours: 'bbox_head.cls_convs.{n}.conv.{rest}', theirs: 'head.cls_subnet.{3n}.{rest}' },
  { ours: 'bbox_head.cls_convs.{n}.gn.{rest}', theirs: 'head.cls_subnet.{3n+1}.{rest}' },
  { ours: 'bbox_head.reg_convs.{n}.conv.{rest}', theirs: 'head.bbox_subnet.{3n}.{rest}' },
  { ours: 'bbox_head.reg_convs.{n}.gn.{rest}', theirs: 'head.bbox_subnet.{3n+1}.{rest}' },
  { ours: 'bbox_head.conv_cls.{rest}', theirs: 'head.cls_score.{rest}' },
  { ours: 'bbox_head.conv_reg.{rest}', theirs: 'head.bbox_pred.{rest}' },
  { ours: 'bbox_head.conv_centerness.{rest}', theirs: 'head.obj_score.{rest}' },
  { ours: 'bbox_head.scales.{n}.scale', theirs: 'head.scales.{n}.scale' },
  { ours: 'bbox_head.center_prior.mean', theirs: 'mu' },
  { ours: 'bbox_head.center_prior.sigma', theirs: 'sigma' },
];

/** The names of a ResNet of torchvision, or of one that mmdetection starts from. */
const backbone: readonly NameRule[] = [{ ours: 'backbone.{rest}', theirs: '{rest}' }];

const rules: Readonly<Record<NameScheme, readonly NameRule[]>> = {
  mmdetection: [{ ours: '{rest}', theirs: '{rest}' }],
  megvii,
  backbone,
};

/** What a scheme has that no detector needs: classifiers of pretrained networks, the input's mean and deviation, averages beside weights. */
const needless: Readonly<Record<NameScheme, RegExp>> = {
  mmdetection: /^(data_preprocessor\.(mean|std)|head\.fc\..*|ema_.*|steps|n_averaged)$/,
  megvii: /^pixel_(mean|std)$/,
  backbone: /^fc\./,
};

/** What tells a scheme by a name of it; tried in this order. */
const signs: readonly (readonly [scheme: NameScheme, sign: RegExp])[] = [
  ['megvii', /^(backbone\.bottom_up|backbone\.fpn_lateral\d|head\.cls_subnet)\b/],
  ['mmdetection', /^(backbone|neck|bbox_head)\./],
  ['backbone', /^(conv1\.weight|layer\d+\.\d+\.)/],
];

/**
 * The scheme of a file's names; undefined when no name of it belongs to one.
 *
 * Example  schemeOf(['head.cls_subnet.0.weight']) // 'megvii'
 */
export const schemeOf = (names: Iterable<string>): NameScheme | undefined => {
  const all = [...names];
  return signs.find(([, sign]) => all.some((name) => sign.test(name)))?.[0];
};

/** Whether an array is one that files of a scheme have beside the detector's. */
export const isNeedless = (scheme: NameScheme, name: string): boolean => needless[scheme].test(name);

/** Our names for the names of a scheme; undefined for a name that no rule fits. */
export const ourNames = (scheme: NameScheme): Translation => translation(rules[scheme], 'theirs', 'ours');

/**
 * A scheme's names for ours; undefined for a name that no rule fits.
 *
 * Example  theirNames('megvii')('bbox_head.center_prior.mean') // 'mu'
 */
export const theirNames = (scheme: NameScheme): Translation => translation(rules[scheme], 'ours', 'theirs');

/** A name for a name. */
export type Translation = (name: string) => string | undefined;

type Side = 'ours' | 'theirs';

const translation = (scheme: readonly NameRule[], from: Side, to: Side): Translation => {
  const patterns = scheme.map((rule) => ({ rule, values: patternOf(rule[from]) }));
  return (name) => {
    for (const { rule, values } of patterns) {
      const found = values(name);
      const n = Number(found?.get('n') ?? 0);
      if (found === undefined || n < (rule.from ?? 0) || n > (rule.to ?? n)) continue;
      return filled(rule[to], found);
    }
    return undefined;
  };
};

const placeholder = /\{(\d*)([a-z]+)(?:\+(\d+))?\}/g;

const filled = (pattern: string, values: ReadonlyMap<string, string>): string =>
  pattern.replace(placeholder, (_, factor: string, key: string, shift = '0') =>
    key === 'rest' ? values.get(key)! : String(Number(factor || 1) * Number(values.get(key)) + Number(shift)),
  );

/** What the placeholders of a pattern stand for in a name; undefined when it does not fit. */
const patternOf = (pattern: string): ((name: string) => ReadonlyMap<string, string> | undefined) => {
  const places = [...pattern.matchAll(placeholder)];
  const literal = pattern.split(/\{[^}]*\}/).map((text) => text.replaceAll('.', '\\.'));
  const groups = places.map(([, , key]) => (key === 'rest' ? '(.+)' : '(\\d+)'));
  const expression = new RegExp(`^${literal.map((text, i) => `${text}${groups[i] ?? ''}`).join('')}$`);
  return (name) => {
    const found = expression.exec(name);
    if (found === null) return undefined;
    const values = places.map(([, factor, key, shift], i): [string, string] => {
      const text = found[i + 1]!;
      return [
        key!,
        key === 'rest' ? text : String((Number(text) - Number(shift ?? 0)) / Number(factor || 1)),
      ];
    });
    return values.every(([key, value]) => key === 'rest' || /^\d+$/.test(value))
      ? new Map(values)
      : undefined;
  };
};

/** What data-parallel training puts before every name. */
const parallelPrefix = 'module.';

/** The prefix of data-parallel training and averaging when all names of arrays in modules have it, else ''. */
export const sharedPrefix = (names: readonly string[]): string => {
  const inModules = names.filter((name) => name.includes('.'));
  return inModules.length > 0 && inModules.every((name) => name.startsWith(parallelPrefix))
    ? parallelPrefix
    : '';
};
