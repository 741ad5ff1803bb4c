// Which stage of compiling the samples of a CPU profile fall into, by the files on their stacks.
import type { Profiler } from 'node:inspector';

/** Stages by a pattern of the file that does the work; the innermost file that one of them knows decides. */
const stages: readonly (readonly [file: RegExp, stage: string])[] = [
  [/autograd\/src\/optim\//, 'trace'],
  [/autograd\/src\//, 'differentiate'],
  [/detector\/src\//, 'trace'],
  [/tensor\/src\/graph\/(compile|graph|arguments)\.ts/, 'trace'],
  [/tensor\/src\/graph\/simplify\.ts/, 'simplify'],
  [/tensor\/src\/graph\/(fuse|loop)\.ts/, 'fuse'],
  [/tensor\/src\/graph\/(order|plan)\.ts/, 'order and plan'],
  [/tensor\/src\/backends\/wasm\//, 'emit'],
];

/** The name of the function around the engine's own compiling, whose time is taken by the clock: most of it passes in other threads. */
const inEngine = 'compileInEngine';

const stageOf = (
  id: number,
  nodes: ReadonlyMap<number, Profiler.ProfileNode>,
  parents: ReadonlyMap<number, number>,
): string | undefined => {
  for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) {
    const { functionName, url } = nodes.get(at)!.callFrame;
    if (functionName === '(garbage collector)') return 'collect garbage';
    if (functionName === inEngine) return undefined;
    const stage = stages.find(([file]) => file.test(url));
    if (stage !== undefined) return stage[1];
  }
  return undefined;
};

/** Milliseconds of every stage, in the order they run in; what waits for the engine is in none. */
export const timeByStage = (profile: Profiler.Profile): Map<string, number> => {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const parents = new Map(
    profile.nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)),
  );
  const times = new Map(stages.map(([, stage]) => [stage, 0]));
  const { samples = [], timeDeltas = [] } = profile;
  samples.forEach((id, i) => {
    const stage = stageOf(id, nodes, parents);
    // the time until the next sample belongs to this one
    const milliseconds = (timeDeltas[i + 1] ?? 0) / 1e3;
    if (stage !== undefined) times.set(stage, (times.get(stage) ?? 0) + milliseconds);
  });
  return times;
};
