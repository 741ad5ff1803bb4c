// What happens to a graph before this backend plans it.
import { fuseEpilogues } from '../../graph/epilogues.ts';
import { fuse } from '../../graph/fuse.ts';
import type { Graph } from '../../graph/graph.ts';
import { separateResults } from '../../graph/graph.ts';
import { runSinksEarly } from '../../graph/order.ts';
import { maskByResults } from '../../graph/rectifiers.ts';
import { simplify } from '../../graph/simplify.ts';
import { packFilters } from './convolutionSteps.ts';
import { epilogues } from './epilogues.ts';
import { foldScales } from './foldScales.ts';
import { useLargeTiles } from './largeTiles.ts';

/** The graph as it is planned. */
export const passed = (graph: Graph): Graph => {
  const fused = runSinksEarly(
    fuse(separateResults(useLargeTiles(foldScales(maskByResults(simplify(graph)))))),
  );
  return packFilters(fuseEpilogues(fused, epilogues));
};
