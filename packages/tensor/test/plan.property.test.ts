// Random graphs: every pass preserves what a graph computes, and the memory plan never gives away storage that is still needed.
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fuse } from '../src/graph/fuse.ts';
import type { Graph, Slot } from '../src/graph/graph.ts';
import { linearize, prune, separateResults } from '../src/graph/graph.ts';
import { runSinksEarly } from '../src/graph/order.ts';
import type { BufferPlan, Plan } from '../src/graph/plan.ts';
import { planBuffers, planMemory } from '../src/graph/plan.ts';
import { simplify } from '../src/graph/simplify.ts';
import type { Data, Spec, Tensor } from '../src/index.ts';
import { compile, matmul, read, release, sizeOf, tensor } from '../src/index.ts';
import { viewOf } from '../src/ops/views.ts';
import type { Recipe } from '../src/testing/recipe.ts';
import { buildRecipe, leavesOfRecipe } from '../src/testing/recipe.ts';
import { graph as recipes } from './arbitraries.ts';
import { backends } from './backends.ts';

const placeholders = (recipe: Recipe): Tensor[] =>
  recipe.arguments.map(({ shape, dtype }, index) => ({
    shape,
    dtype,
    depth: 0,
    source: { kind: 'argument', index, path: `argument ${index}` },
  }));

const graphOf = (recipe: Recipe): Graph => {
  const args = placeholders(recipe);
  return linearize(
    buildRecipe(recipe, args),
    args.map((t, i) => ({ tensor: t, donated: recipe.arguments[i]!.donated })),
  );
};

const storageFor = ({ dtype, shape }: Spec): Data => {
  const size = sizeOf(shape);
  if (dtype === 'i32') return new Int32Array(size);
  return dtype === 'bool' ? new Uint8Array(size) : new Float64Array(size);
};

/** The results of a graph by the reference kernels, every slot with storage of its own. */
const run = (graph: Graph, args: readonly Data[]): number[][] => {
  const values: Data[] = [];
  graph.args.forEach(({ slot }, i) => {
    values[slot] = args[i]!;
  });
  for (const { slot, data } of graph.constants) values[slot] = data;
  const view = (slot: Slot) => viewOf(values[slot]!, graph.specs[slot]!.shape);
  for (const step of graph.steps) {
    values[step.output] = storageFor(graph.specs[step.output]!);
    step.op.reference(step.inputs.map(view), view(step.output), step.attrs);
  }
  return graph.results.map((slot) => Array.from(values[slot]!));
};

/** Some slots that might be kept from run to run. */
const keptOf = ({ steps, results }: Graph): Slot[] =>
  steps
    .filter(({ op, output }) => output % 5 === 0 && op.name !== 'reshape' && !results.includes(output))
    .map(({ output }) => output);

type ScratchOf = (step: Graph['steps'][number]) => number;

const runPlanned = (graph: Graph, args: readonly Data[], scratchOf: ScratchOf): number[][] =>
  runPlaced({ pool: [], ...planMemory(graph, scratchOf, keptOf(graph)) }, args, scratchOf);

const runPooled = (graph: Graph, args: readonly Data[]): number[][] =>
  runPlaced({ bytes: 0, scratch: graph.steps.map(() => 0), ...planBuffers(graph) }, args, () => 0);

/** The results of a planned graph: slots lie where the plan says, every place is NaN until it is written, scratch is overwritten. */
const runPlaced = (
  plan: Plan & BufferPlan & { readonly scratch: readonly number[] },
  args: readonly Data[],
  scratchOf: ScratchOf,
): number[][] => {
  const { graph } = plan;
  const memory = new Float64Array(plan.bytes / 4).fill(Number.NaN);
  const pool = plan.pool.map((bytes) => new Float64Array(bytes / 4).fill(Number.NaN));
  const given = args.map((data) => Float64Array.from(data));
  const constants = graph.constants.map(({ data }) => Float64Array.from(data));
  const fresh = new Map<number, Float64Array>();
  const outside = new Map<Slot, Float64Array>();
  const placeOf = (slot: Slot): Float64Array => {
    const size = sizeOf(graph.specs[slot]!.shape);
    const at = plan.storage[slot];
    switch (at?.kind) {
      case 'argument':
        return given[at.index]!;
      case 'constant':
        return constants[at.index]!;
      case 'block':
        return memory.subarray(at.offset / 4, at.offset / 4 + size);
      case 'pooled':
        return pool[at.index]!.subarray(0, size);
      case 'result':
        if (!fresh.has(at.index)) fresh.set(at.index, new Float64Array(size).fill(Number.NaN));
        return fresh.get(at.index)!;
      case 'taken':
        return given[at.argument]!;
      case 'kept':
        if (!outside.has(slot)) outside.set(slot, new Float64Array(size).fill(Number.NaN));
        return outside.get(slot)!;
      case 'alias':
        return placeOf(at.of);
      case 'piece':
        return placeOf(at.of).subarray(at.offset, at.offset + size);
      case undefined:
        throw new Error(`slot ${slot} has no place`);
    }
  };
  graph.steps.forEach((step, i) => {
    const out = placeOf(step.output);
    const inputs = step.inputs.map(placeOf);
    const scratch = plan.scratch[i]! / 4;
    memory.fill(Number.NaN, scratch, scratch + Math.ceil(scratchOf(step) / 4));
    const sharing = inputs.some(
      (input) => input.buffer === out.buffer && input.byteOffset === out.byteOffset,
    );
    if (!sharing) out.fill(Number.NaN);
    const views = step.inputs.map((slot, k) => viewOf(inputs[k]!, graph.specs[slot]!.shape));
    step.op.reference(views, viewOf(out, graph.specs[step.output]!.shape), step.attrs);
  });
  const storages = graph.results.map((slot) => placeOf(slot));
  const owners = storages.filter(({ length }) => length > 0).map(({ buffer }) => buffer);
  expect(new Set(owners).size, 'results share storage').toBe(owners.length);
  graph.args.forEach(({ donated }, i) => {
    if (!donated) expect(Array.from(given[i]!), 'argument overwritten').toEqual(Array.from(args[i]!));
  });
  return storages.map((data) => Array.from(data));
};

/** Values up to the sign of zero, which adding zero may drop. */
const unsigned = (results: readonly (readonly number[])[]): number[][] =>
  results.map((values) => values.map((x) => x + 0));

const settings = { numRuns: 200, seed: 20240607 };

describe('passes preserve what a graph computes', () => {
  const passes: readonly (readonly [string, (graph: Graph) => Graph])[] = [
    ['prune', prune],
    ['separateResults', separateResults],
    ['simplify', simplify],
    ['fuse', fuse],
    ['runSinksEarly', runSinksEarly],
    [
      'simplify, then separateResults, fuse and runSinksEarly',
      (graph) => runSinksEarly(fuse(separateResults(simplify(graph)))),
    ],
  ];
  test.each(passes)('%s', (_, pass) => {
    fc.assert(
      fc.property(recipes(), (recipe) => {
        const graph = graphOf(recipe);
        const data = leavesOfRecipe(recipe).map((leaf) => leaf.data);
        expect(unsigned(run(pass(graph), data))).toEqual(unsigned(run(graph, data)));
      }),
      settings,
    );
  });

  test('simplify never adds steps, fuse never adds launches', () => {
    fc.assert(
      fc.property(recipes(), (recipe) => {
        const graph = prune(graphOf(recipe));
        const simpler = simplify(graph);
        expect(simpler.steps.length).toBeLessThanOrEqual(graph.steps.length);
        expect(fuse(simpler).steps.length).toBeLessThanOrEqual(simpler.steps.length);
      }),
      settings,
    );
  });
});

describe('the memory plan', () => {
  const planned = (recipe: Recipe): Graph => runSinksEarly(fuse(separateResults(simplify(graphOf(recipe)))));

  test('gives the same results with reused, poisoned storage as without reuse', () => {
    fc.assert(
      fc.property(recipes({ maxSteps: 60 }), fc.nat(200), (recipe, scratch) => {
        const graph = planned(recipe);
        const data = leavesOfRecipe(recipe).map((leaf) => leaf.data);
        const scratchOf = (step: Graph['steps'][number]): number => (step.output % 3) * scratch * 4;
        expect(unsigned(runPlanned(graph, data, scratchOf))).toEqual(unsigned(run(graph, data)));
      }),
      settings,
    );
  });

  test('of whole buffers gives the same results, and no step the same buffer twice', () => {
    fc.assert(
      fc.property(recipes({ maxSteps: 60 }), (recipe) => {
        const graph = planned(recipe);
        const data = leavesOfRecipe(recipe).map((leaf) => leaf.data);
        expect(unsigned(runPooled(graph, data))).toEqual(unsigned(run(graph, data)));
        const { storage } = planBuffers(graph);
        for (const { inputs, output } of graph.steps)
          for (const slot of inputs)
            if (storage[output]?.kind === 'pooled') expect(storage[slot]).not.toEqual(storage[output]);
      }),
      settings,
    );
  });

  test('gives the same results for graphs that are not fused', () => {
    fc.assert(
      fc.property(recipes({ maxSteps: 60 }), (recipe) => {
        const graph = separateResults(graphOf(recipe));
        const data = leavesOfRecipe(recipe).map((leaf) => leaf.data);
        expect(unsigned(runPlanned(graph, data, () => 0))).toEqual(unsigned(run(graph, data)));
      }),
      settings,
    );
  });

  test('reuses storage: a chain of products takes no more memory than two of its values', () => {
    const args = placeholders({
      arguments: [{ shape: [16, 16], dtype: 'f32', donated: false }],
      instructions: [],
      results: [],
      seed: 0,
    });
    const plan = planMemory(
      separateResults(linearize([chainOfProducts(args[0]!, 12)], [{ tensor: args[0]!, donated: false }])),
    );
    const bytesOfOne = 16 * 16 * 4 + 64;
    expect(plan.bytes).toBeLessThanOrEqual(2 * bytesOfOne);
  });
});

const chainOfProducts = (x: Tensor, length: number): Tensor => {
  let product = x;
  for (let i = 0; i < length; i++) product = matmul(product, x);
  return product;
};

describe('every backend gives the exact results of random graphs of whole numbers', () => {
  test.each(backends)('$name', async ({ make }) => {
    const backend = await make();
    const before = backend.stats();
    await fc.assert(
      fc.asyncProperty(recipes(), async (recipe) => {
        const leaves = leavesOfRecipe(recipe);
        const donate = recipe.arguments.flatMap(({ donated }, i) => (donated ? [i] : []));
        const program = compile((...args: readonly Tensor[]) => buildRecipe(recipe, args), {
          backend,
          donate,
        });
        const results = await program(...leaves.map(({ data, spec }) => tensor(data, spec)));
        const actual = await Promise.all(results.map(async (t) => Array.from(await read(t))));
        release(results);
        program.destroy();
        const expected = run(
          graphOf(recipe),
          leaves.map((leaf) => leaf.data),
        );
        expect(unsigned(actual)).toEqual(unsigned(expected));
      }),
      { numRuns: 100, seed: 20240607 },
    );
    const after = backend.stats();
    expect([after.buffers, after.bytes]).toEqual([before.buffers, before.bytes]);
    await backend.destroy();
  });
});
