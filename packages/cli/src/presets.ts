// What a training run can begin with, by name: a network, its recipe and the size of its images.
import type { DetectorConfig } from '@autoassign/detector';
import { demoConfig } from '@autoassign/detector';
import { nearestName } from '@autoassign/detector/schema';
import { UsageError } from './exitCodes.ts';
import { smallImages } from './imagePlan.ts';
import { paperPresets } from './paperPresets.ts';
import { demoRecipe, photographRecipe } from './recipe.ts';
import type { ImagePlan, TrainingRecipe } from './runConfig.ts';

/** What a run begins with: a network, its recipe and the size of its images. */
export interface Beginning {
  readonly detector: (classes: readonly string[]) => DetectorConfig;
  readonly recipe: TrainingRecipe;
  readonly images: ImagePlan;
  /** The weights that its recipe is meant to begin with (`--init`); from nothing when absent. */
  readonly pretrained?: string;
  /** What is chosen from the data instead. */
  readonly fits?: {
    readonly padding: true;
    readonly colour?: true;
    /** More steps than the recipe has, until every image is seen so often. */
    readonly epochs?: number;
  };
}

/** A beginning that has a name. */
export interface Preset extends Beginning {
  /** What it is for, in one line. */
  readonly description: string;
  /** Where its values come from, by the path of a setting; `all` for those that no other path names. */
  readonly origin: Readonly<Record<string, string>>;
}

/** The presets of `--preset`. */
const presets: Readonly<Record<string, Preset>> = {
  small: {
    description: 'the network of the demo, with the recipe for photographs; trains from scratch on a CPU',
    detector: demoConfig,
    recipe: photographRecipe,
    images: smallImages,
    origin: { all: 'this project' },
    fits: { padding: true, colour: true, epochs: 15 },
  },
  shapes: {
    description: 'the network of the demo, with the recipe for shapes',
    detector: demoConfig,
    recipe: demoRecipe,
    images: smallImages,
    origin: { all: 'this project' },
    fits: { padding: true },
  },
  ...paperPresets,
};

/** The names of the presets, with what each is for. */
export const presetDescriptions: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(presets).map(([name, { description }]) => [name, description]),
);

/**
 * The preset of a name.
 *
 * Throws   UsageError that lists the names
 */
export function presetNamed(name: string): Preset {
  const preset = Object.hasOwn(presets, name) ? presets[name] : undefined;
  if (preset !== undefined) return preset;
  const names = Object.keys(presets);
  const meant = nearestName(name, names);
  const advice = meant === undefined ? 'Take one of them.' : `Did you mean '${meant}'?`;
  throw new UsageError(`--preset needs one of ${names.join(', ')}, got '${name}'. ${advice}`);
}
