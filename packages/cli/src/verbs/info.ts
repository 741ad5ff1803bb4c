// The verb `info`: what a network costs, part by part, told from its plans before anything runs.
import { availableParallelism } from 'node:os';
import type { InputSize, MemoryNeeds, StageCosts, TrainingMemory } from '@autoassign/detector';
import { configHash, networkCosts, predictionMemory, trainingMemory } from '@autoassign/detector';
import { UsageError } from '../exitCodes.ts';
import type { NamedModel } from '../namedModel.ts';
import { namedModel, usualSides } from '../namedModel.ts';
import type { ModelInfoOptions } from '../options.ts';
import type { VerbContext } from '../program.ts';
import { optimizerOf } from '../recipe.ts';
import { formatCount, textTable } from '../textTable.ts';

/** Everything that is told of a network. */
interface ModelInfo {
  readonly size: InputSize;
  readonly stages: readonly StageCosts[];
  readonly prediction: MemoryNeeds;
  readonly training: TrainingMemory;
  readonly trainingWithRecompute: TrainingMemory;
}

function infoOf({ config, recipe, objects }: NamedModel, size: InputSize, threads: number): ModelInfo {
  const shared = { size, optimizer: optimizerOf(recipe, config), ema: recipe.ema, objects, threads };
  return {
    size,
    stages: networkCosts(config, size),
    prediction: predictionMemory(config, size, threads),
    training: trainingMemory(config, { ...shared, recompute: 'none' }),
    trainingWithRecompute: trainingMemory(config, { ...shared, recompute: 'blocks' }),
  };
}

function requirePadded({ config }: NamedModel, { height, width }: InputSize): void {
  const { padMultiple } = config.input;
  if (height % padMultiple === 0 && width % padMultiple === 0) return;
  throw new UsageError(
    `--size needs multiples of ${padMultiple}, to which this network pads its images, got '${height}x${width}'. Round up.`,
  );
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const mebibytes = (bytes: number): string => `${formatCount(Math.round(bytes / 2 ** 19) / 2)} MiB`;
const billions = (count: number): string => (count / 1e9).toFixed(2);

/** Shapes without the batch, such as `256x100x136`; of many only the first and last. */
function shapesText(shapes: readonly (readonly number[])[]): string {
  const texts = shapes.map((shape) => shape.slice(1).join('x'));
  if (texts.length < 4) return texts.join(', ');
  return `${texts[0]} to ${texts.at(-1)} (${texts.length})`;
}

function tableOf({ stages, training }: ModelInfo): readonly string[] {
  const rows = stages.map(({ name, trained, frozen, multiplyAdds, outputs }) => [
    name,
    trained,
    frozen,
    billions(multiplyAdds),
    mebibytes(training.activations[name] ?? 0),
    shapesText(outputs),
  ]);
  const total = [
    'total',
    sum(stages.map(({ trained }) => trained)),
    sum(stages.map(({ frozen }) => frozen)),
    billions(sum(stages.map(({ multiplyAdds }) => multiplyAdds))),
    mebibytes(sum(Object.values(training.activations))),
  ];
  return textTable(
    ['part', 'trained', 'frozen', '10^9 multiply-adds', 'activations', 'gives'],
    [...rows, total],
  );
}

/** The most that a WebAssembly memory has. */
const mostBytes = 2 ** 32;

function memoryLine(what: string, needs: MemoryNeeds): string {
  const held = needs.arguments + needs.constants + needs.results;
  const kept = needs.kept === 0 ? '' : `, filters for the kernels ${mebibytes(needs.kept)}`;
  const excess = needs.total > mostBytes ? '; more than the 4 GiB that wasm has' : '';
  return `${what}: ${mebibytes(needs.total)} at most (parameters, state and batch ${mebibytes(held)}, intermediate values ${mebibytes(needs.plan)}${kept})${excess}`;
}

function infoText(info: ModelInfo, threads: number): string {
  const { height, width, batch } = info.size;
  return [
    `${batch === 1 ? 'one image' : `${batch} images`} of ${height}x${width}, ${threads} ${threads === 1 ? 'thread' : 'threads'} on wasm`,
    '',
    ...tableOf(info),
    '',
    memoryLine('prediction', info.prediction),
    memoryLine('training step', info.training),
    memoryLine('training step, recompute blocks', info.trainingWithRecompute),
  ].join('\n');
}

/** Prints what a network costs. */
export async function infoVerb(options: ModelInfoOptions, { reporter }: VerbContext): Promise<void> {
  const { threads = availableParallelism() } = options;
  const model = await namedModel(options.model, options);
  const size = { ...(options.size ?? usualSides(model)), batch: options.batch };
  requirePadded(model, size);
  const info = infoOf(model, size, threads);
  reporter.event({
    event: 'info',
    model: options.model,
    configHash: configHash(model.config),
    threads,
    ...info,
  });
  reporter.result(infoText(info, threads));
}
