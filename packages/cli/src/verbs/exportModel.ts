// The verb `export`: a trained detector as an ONNX model, or its weights in a file of another kind.
import type { StoredTensor } from '@autoassign/detector';
import { exportOnnx, writeTorch } from '@autoassign/detector';
import type { OnnxValue } from '@autoassign/tensor';
import { createBackend, leavesWithPaths, read } from '@autoassign/tensor';
import { writeFileAtomic } from '../atomicFile.ts';
import { UsageError } from '../exitCodes.ts';
import { usualSides } from '../namedModel.ts';
import type { ExportOptions } from '../options.ts';
import { ownVersion } from '../ownVersion.ts';
import type { VerbContext } from '../program.ts';
import { formatCount } from '../textTable.ts';
import type { LoadedDetector } from '../weightsFile.ts';
import { findWeights, loadDetector, weightsBytes } from '../weightsFile.ts';

/** The bytes of a file, and what is said of it. */
interface Exported {
  readonly bytes: Uint8Array;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly lines: readonly string[];
}

function valueText({ name, type, shape }: OnnxValue): string {
  return `${name} ${type}[${shape.map((size) => size ?? '?').join(',')}]`;
}

function onnxExport({ detector, params, test }: LoadedDetector, options: ExportOptions): Exported {
  const { config } = detector;
  const { opset, batch } = options;
  const { graph, bytes } = exportOnnx(config, params, {
    imageSize: options.size ?? usualSides({ config, test }),
    ...(batch === undefined ? {} : { batch }),
    suppression: options.nms === true,
    pixels: options.pixels === true,
    opset,
    producer: { name: 'autoassign', version: ownVersion() },
  });
  const { inputs, outputs } = graph;
  return {
    bytes,
    facts: { opset, inputs, outputs, operators: graph.nodes.length },
    lines: [
      `ONNX operators of version ${opset}: ${formatCount(graph.nodes.length)}`,
      `takes ${inputs.map(valueText).join(', ')}`,
      `gives ${outputs.map(valueText).join(', ')}`,
    ],
  };
}

async function torchExport({ detector, params }: LoadedDetector): Promise<Exported> {
  const tensors: Record<string, StoredTensor> = {};
  for (const [name, leaf] of leavesWithPaths(params))
    tensors[name] = { dtype: 'F32', shape: leaf.shape, data: Float32Array.from(await read(leaf)) };
  const bytes = writeTorch(tensors, { meta: { CLASSES: detector.config.classes } });
  return weightsExport(bytes, Object.keys(tensors).length);
}

async function safetensorsExport({ detector, params, test }: LoadedDetector): Promise<Exported> {
  const bytes = await weightsBytes(params, { config: detector.config, images: { test }, step: 0 });
  return weightsExport(bytes, leavesWithPaths(params).length);
}

function weightsExport(bytes: Uint8Array, arrays: number): Exported {
  return { bytes, facts: { arrays }, lines: [`${formatCount(arrays)} arrays`] };
}

/** Options that mean something for ONNX alone. */
function requireFitting({ format, size, batch, nms, pixels }: ExportOptions): void {
  const given = Object.entries({ size, batch, nms, pixels }).find(([, value]) => value !== undefined);
  if (format === 'onnx' || given === undefined) return;
  throw new UsageError(`--${given[0]} needs --format onnx, got '${format}'. Leave out --${given[0]}.`);
}

/** Resolves when the file is written. */
export async function exportVerb(options: ExportOptions, { reporter }: VerbContext): Promise<void> {
  requireFitting(options);
  const { format, out } = options;
  const path = await findWeights(options.weights, '.');
  reporter.message(`Reading ${path}`);
  const backend = await createBackend('wasm');
  try {
    const loaded = await loadDetector(path, backend, options);
    const exports = {
      onnx: () => onnxExport(loaded, options),
      pth: () => torchExport(loaded),
      safetensors: () => safetensorsExport(loaded),
    };
    const { bytes, facts, lines } = await exports[format]();
    await writeFileAtomic(out, bytes);
    reporter.event({ event: 'exported', file: out, format, bytes: bytes.length, ...facts });
    reporter.result([`${out}: ${formatCount(bytes.length)} bytes`, ...lines].join('\n  '));
  } finally {
    await backend.destroy();
  }
}
