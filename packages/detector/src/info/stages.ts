// The parts of a network that its costs are told by, and which part a parameter or an operation belongs to.
import type { Graph, Slot } from '@autoassign/tensor';
import type { DetectorConfig } from '../config.ts';

/** The parts in the order in which images pass them. */
export const stageNames = ({ backbone }: DetectorConfig): readonly string[] => [
  'stem',
  ...backbone.planes.map((_, i) => `layer${i + 1}`),
  'neck',
  'head towers',
  'predictions',
];

/** The part that a parameter or a labelled operation belongs to; undefined for names that are neither. */
export const stageOf = (name: string): string | undefined => {
  const layer = /^backbone\.(layer\d+)\./.exec(name)?.[1];
  if (layer !== undefined) return layer;
  if (name.startsWith('backbone.')) return 'stem';
  if (name.startsWith('neck.')) return 'neck';
  if (/^bbox_head\.(cls|reg)_convs\./.test(name)) return 'head towers';
  return name.startsWith('bbox_head.') ? 'predictions' : undefined;
};

/** A step of a program, as far as its part can be told from it. */
type Placed = Pick<Graph['steps'][number], 'inputs' | 'output' | 'label'>;

/**
 * The part that computes every value, as its number in `names`: that of its label, else the last of those that its inputs come from.
 * Values made of arguments alone have none.
 */
export const stagesByValue = (
  steps: readonly Placed[],
  names: readonly string[],
): ReadonlyMap<Slot, number> => {
  const stages = new Map<Slot, number>();
  for (const { inputs, output, label } of steps) {
    const own = label === undefined ? -1 : names.indexOf(stageOf(label) ?? '');
    const stage = own >= 0 ? own : Math.max(-1, ...inputs.map((slot) => stages.get(slot) ?? -1));
    if (stage >= 0) stages.set(output, stage);
  }
  return stages;
};
