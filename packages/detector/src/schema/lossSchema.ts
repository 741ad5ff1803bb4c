// The schema of what a detector is trained with: AutoAssign and what it is compared with, each with its fields and their meanings.
import type {
  AtssLossConfig,
  AutoAssignLossConfig,
  CenterWeighting,
  FcosLossConfig,
  FreeAnchorLossConfig,
  LossConfig,
  Objectness,
  RetinaNetLossConfig,
} from '../lossConfig.ts';
import {
  choice,
  count,
  countOrZero,
  type Fields,
  field,
  fraction,
  listOf,
  notNegative,
  optional,
  positive,
  type Schema,
  variants,
  yesOrNo,
} from './fields.ts';

const autoAssign: Fields<Omit<AutoAssignLossConfig, 'kind'>> = {
  positiveWeight: field("The factor of the positives' term.", notNegative),
  negativeWeight: field("The factor of the negatives' term.", notNegative),
  centerWeight: field("The factor of the centre prior's term.", notNegative),
  localizationWeight: field('The factor of the localization loss inside confidences.', notNegative),
  forceTopK: field(
    'An object with fewer locations inside than this takes its nearest ones as well; 0 for none.',
    countOrZero,
  ),
  centerWeighting: field(
    'How much a location counts by where it lies; learned when left out.',
    optional(
      choice<CenterWeighting>({
        learned: 'a Gaussian learned per class',
        fixed: 'a Gaussian of mean 0 and sigma 1',
        off: 'all locations alike',
      }),
    ),
  ),
  confidenceWeighting: field(
    "Whether sure locations count more among an object's positives; true when left out.",
    optional(yesOrNo),
  ),
  objectness: field(
    'What the objectness map is; implicit when left out.',
    optional(
      choice<Objectness>({
        implicit: "a factor of every class's probability, learned through it",
        explicit: 'the same factor, learned from labels of its own',
        off: 'not used',
      }),
    ),
  ),
};

const focalAndBox = {
  focalAlpha: field(
    'The factor of positives in the focal loss, that of negatives is 1 less this; 0.25 when left out.',
    optional(fraction),
  ),
  focalGamma: field('The exponent of the focal loss; 2 when left out.', optional(notNegative)),
} as const;

const boxWeight = (unsaid: number): Schema<number | undefined> =>
  field(`The factor of the GIoU loss; ${unsaid} when left out.`, optional(notNegative));

const anchorScales = field(
  "The sides of a location's square anchors; 4, 5.04 and 6.35 when left out.",
  optional(listOf(positive)),
  'strides',
);

const fcos: Fields<Omit<FcosLossConfig, 'kind'>> = {
  ...focalAndBox,
  boxWeight: boxWeight(1),
  centerRadius: field(
    "How far from an object's middle its locations may lie; 1.5 when left out.",
    optional(positive),
    'strides',
  ),
  rangeFactor: field(
    'The farthest side of an object that a level answers for; 8 when left out.',
    optional(positive),
    'strides',
  ),
};

const atss: Fields<Omit<AtssLossConfig, 'kind'>> = {
  ...focalAndBox,
  boxWeight: boxWeight(2),
  candidatesPerLevel: field(
    'How many locations of every level an object looks at; 9 when left out.',
    optional(count),
  ),
  anchorScale: field('The side of the anchors; 8 when left out.', optional(positive), 'strides'),
};

const retinaNet: Fields<Omit<RetinaNetLossConfig, 'kind'>> = {
  ...focalAndBox,
  boxWeight: boxWeight(1),
  positiveIou: field('From this IoU on a location is positive; 0.5 when left out.', optional(fraction)),
  negativeIou: field('Below this IoU a location is negative; 0.4 when left out.', optional(fraction)),
  anchorScales,
  forceBest: field(
    'Whether every object gets its best location, however low its IoU; true when left out.',
    optional(yesOrNo),
  ),
};

const freeAnchor: Fields<Omit<FreeAnchorLossConfig, 'kind'>> = {
  bagSize: field("How many locations an object's bag holds; 16 when left out.", optional(count)),
  anchorScales,
  localizationWeight: field(
    'The factor of the localization loss inside likelihoods; 5 when left out.',
    optional(notNegative),
  ),
  boxThreshold: field(
    'From this IoU on a predicted box may be one of an object; 0.6 when left out.',
    optional(fraction),
  ),
  positiveShare: field(
    "The factor of the positives' term, that of the negatives' is 1 less this; 0.5 when left out.",
    optional(fraction),
  ),
};

/** The schema of `LossConfig`. */
export const lossSchema: Schema<LossConfig> = variants<LossConfig>(
  {
    autoassign: {
      description: 'AutoAssign, with the switches of its ablations; also a loss without a kind.',
      fields: autoAssign,
    },
    fcos: {
      description: "FCOS: locations near the middle of objects of their level's size.",
      fields: fcos,
    },
    atss: { description: 'ATSS: IoU thresholds from the statistics of every object.', fields: atss },
    retinanet: { description: 'RetinaNet: two thresholds on the IoU of anchors.', fields: retinaNet },
    freeanchor: { description: 'FreeAnchor: the likelihood of bags of locations.', fields: freeAnchor },
  },
  'autoassign',
);
