// A bound on how deep values are nested and how large they are when written out, so that nobody who walks them meets a trap.
import type { Refuse, TorchValue } from './values.ts';

/** The values directly inside a value. */
const childrenOf = (value: TorchValue): readonly TorchValue[] => {
  if (Array.isArray(value)) return value;
  if (value instanceof Set) return [...value];
  return value instanceof Map ? [...value.entries()].flat() : [];
};

/** A value whose children are being measured. */
interface Visit {
  readonly value: TorchValue;
  readonly children: readonly TorchValue[];
  next: number;
  depth: number;
  expanded: number;
}

const isContainer = (
  value: TorchValue,
): value is TorchValue[] | Set<TorchValue> | Map<TorchValue, TorchValue> =>
  Array.isArray(value) || value instanceof Set || value instanceof Map;

const visitOf = (value: TorchValue): Visit => ({
  value,
  children: childrenOf(value),
  next: 0,
  depth: 1,
  expanded: 1,
});

/**
 * Refuses values that are nested deeper than a limit, that contain themselves, or that are larger than a limit when everything that is
 * referred to several times counts as often.
 */
export const requireShallow = (
  root: TorchValue,
  limits: { readonly depth: number; readonly expanded: number },
  refuse: Refuse,
): void => {
  const measured = new Map<TorchValue, Pick<Visit, 'depth' | 'expanded'>>();
  const path: Visit[] = isContainer(root) ? [visitOf(root)] : [];
  const open = new Set<TorchValue>([root]);
  for (let visit = path.at(-1); visit !== undefined; visit = path.at(-1)) {
    const child = visit.children[visit.next];
    if (visit.next === visit.children.length) {
      path.pop();
      open.delete(visit.value);
      measured.set(visit.value, visit);
      const parent = path.at(-1);
      if (parent !== undefined) absorb(parent, visit, limits, refuse);
      continue;
    }
    visit.next += 1;
    if (child === undefined || !isContainer(child)) {
      visit.expanded += 1;
      continue;
    }
    const known = measured.get(child);
    if (known !== undefined) {
      absorb(visit, known, limits, refuse);
      continue;
    }
    if (open.has(child) || path.length >= limits.depth)
      refuse(
        `values of at most ${limits.depth} levels`,
        open.has(child) ? 'one that contains itself' : 'deeper ones',
      );
    open.add(child);
    path.push(visitOf(child));
  }
};

const absorb = (
  parent: Visit,
  child: Pick<Visit, 'depth' | 'expanded'>,
  limits: { readonly depth: number; readonly expanded: number },
  refuse: Refuse,
): void => {
  parent.depth = Math.max(parent.depth, child.depth + 1);
  parent.expanded += child.expanded;
  if (parent.depth > limits.depth) refuse(`values of at most ${limits.depth} levels`, 'deeper ones');
  if (parent.expanded > limits.expanded)
    refuse(`values of at most ${limits.expanded} parts`, 'more, as parts of parts are repeated');
};
