// Where every slot of a plan lies in one run: a table that is kept from run to run, in which only what moved is written anew.
import type { Slot } from '../../graph/graph.ts';
import type { Plan } from '../../graph/plan.ts';
import type { Address } from './memory.ts';

/** What a run of a program is given. */
interface Places {
  /** By argument. */
  readonly args: readonly Address[];
  /** New buffers, by the order of `results` of the table. */
  readonly results: readonly Address[];
  /** Kept values, by their numbers. */
  readonly kept: readonly Address[];
  /** Where the plan's own memory begins. */
  readonly workspace: Address;
}

/** The addresses of a plan's slots. */
export interface AddressTable {
  /** The slots that need a new buffer in every run. */
  readonly results: readonly Slot[];
  /** The arguments whose buffers become results. */
  readonly taken: ReadonlySet<number>;
  /** The address of every slot, for one run; valid until the next. */
  readonly at: (places: Places) => ArrayLike<Address>;
}

/** The table of a plan whose constants lie at the given addresses. */
export const addressTable = ({ storage }: Plan, constants: readonly Address[]): AddressTable => {
  const addresses = new Uint32Array(storage.length); // a memory may have 4 GiB
  const ofArguments: { readonly slot: Slot; readonly argument: number }[] = [];
  const results: Slot[] = [];
  const kept: { readonly slot: Slot; readonly value: number }[] = [];
  const taken = new Set<number>();
  const blocks: { readonly slot: Slot; readonly offset: number }[] = [];
  const aliases: { readonly slot: Slot; readonly of: Slot }[] = [];
  storage.forEach((place, slot) => {
    if (place === undefined) return;
    if (place.kind === 'constant') addresses[slot] = constants[place.index]!;
    else if (place.kind === 'argument') ofArguments.push({ slot, argument: place.index });
    else if (place.kind === 'block') blocks.push({ slot, offset: place.offset });
    else if (place.kind === 'result') results.push(slot);
    else if (place.kind === 'kept') kept.push({ slot, value: place.index });
    else if (place.kind === 'alias') aliases.push({ slot, of: place.of });
    else if (place.kind === 'taken') {
      ofArguments.push({ slot, argument: place.argument });
      taken.add(place.argument);
    }
  });
  let placedAt: Address | undefined;
  const at = (places: Places): ArrayLike<Address> => {
    for (const { slot, argument } of ofArguments) addresses[slot] = places.args[argument]!;
    for (let i = 0; i < results.length; i++) addresses[results[i]!] = places.results[i]!;
    for (const { slot, value } of kept) addresses[slot] = places.kept[value]!;
    if (places.workspace !== placedAt)
      for (const { slot, offset } of blocks) addresses[slot] = places.workspace + offset;
    placedAt = places.workspace;
    for (const { slot, of } of aliases) addresses[slot] = addresses[of]!;
    return addresses;
  };
  return { results, taken, at };
};
