// A detector as an ONNX model: the network, and on request what stands before and behind it.
import {
  mapTree,
  named,
  type OnnxGraph,
  type OnnxOpset,
  onnxGraph,
  onnxModel,
  onnxWriter,
  ShapeError,
  sentence,
} from '@autoassign/tensor';
import { configHash, type DetectorConfig, featureLevels } from '../config.ts';
import { usesObjectness } from '../lossConfig.ts';
import { forward, type Params } from '../model/network.ts';
import { normalizationNodes } from './pixels.ts';
import { detectionLimit, type SuppressionSetting, suppressionNodes } from './suppression.ts';

/** What an exported model computes. */
export interface OnnxExportOptions {
  /** The size of the images, in pixels: multiples of the configuration's `padMultiple`. */
  readonly imageSize: { readonly height: number; readonly width: number };
  /** Images per run; any number, under the name `batch`, when left out. */
  readonly batch?: number;
  /** Whether decoding and suppression belong to the model, by the configuration's test settings. Off by default. */
  readonly suppression?: boolean;
  /** Whether the model takes bytes u8[N,H,W,3] in the order R, G, B instead of normalised images f32[N,3,H,W]. Off by default. */
  readonly pixels?: boolean;
  /** The version of the operators: 17 by default; 21 has an operator for group norm. */
  readonly opset?: OnnxOpset;
  /** The program's name and version, for the file. */
  readonly producer?: { readonly name: string; readonly version: string };
}

/** An exported model: its graph, and its bytes. */
export interface ExportedOnnx {
  readonly graph: OnnxGraph;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * The detector as an ONNX model. The outputs are `logits` f32[N,R,K], `objectness` f32[N,R] and `distances` f32[N,R,4] as
 * `forward` gives them; or, with suppression, `boxes` f32[N,D,4], `scores` f32[N,D] and `labels` i64[N,D] of D detections per image,
 * the empty ones of score 0. Its notes hold the class names, the configuration with its hash, and how images are normalised.
 *
 * Units    distances and boxes in pixels of the input; boxes are cut to the whole input, padding included
 * Throws   ShapeError when the image size is not a multiple of what the configuration pads to; UnsupportedError for parts of the
 *          network that ONNX has no operator for; LifetimeError for parameters that are not constants (`readTree` makes them so)
 * Example  await writeFile('detector.onnx', exportOnnx(config, params, { imageSize: { height: 800, width: 1088 } }).bytes)
 */
export const exportOnnx = (
  config: DetectorConfig,
  params: Params,
  options: OnnxExportOptions,
): ExportedOnnx => {
  const { opset = 17, pixels = false, suppression = false } = options;
  requireMultiples(config, options);
  const network = networkGraph(config, params, { ...options, opset });
  const withInput = pixels ? withPixels(network, config) : network;
  const graph = suppression ? withSuppression(withInput, config, { ...options, opset }) : withInput;
  const bytes = onnxModel(graph, {
    opset,
    name: 'AutoAssign',
    producer: options.producer ?? { name: 'autoassign', version: '' },
    metadata: {
      classes: JSON.stringify(config.classes),
      input: JSON.stringify({ ...config.input, pixels }),
      config: JSON.stringify(config),
      configHash: configHash(config),
    },
  });
  return { graph, bytes };
};

const requireMultiples = ({ input }: DetectorConfig, { imageSize }: OnnxExportOptions): void => {
  const { height, width } = imageSize;
  const fits = (side: number): boolean => side > 0 && side % input.padMultiple === 0;
  if (fits(height) && fits(width)) return;
  throw new ShapeError(
    sentence({
      where: 'exportOnnx',
      needs: `an image height and width that are multiples of ${input.padMultiple}`,
      got: `${height}x${width}`,
      advice: 'Choose the size that pictures are padded to.',
    }),
  );
};

/** The name of the input, and of what the network reads where bytes come before it. */
const names = { images: 'images', normalized: 'normalized' } as const;

const networkGraph = (
  config: DetectorConfig,
  params: Params,
  { imageSize, batch, opset, pixels = false }: OnnxExportOptions & { readonly opset: OnnxOpset },
): OnnxGraph => {
  const parameters = mapTree(named, params);
  const input = pixels ? names.normalized : names.images;
  const shape = [batch ?? 'batch', 3, imageSize.height, imageSize.width];
  return onnxGraph(
    (inputs) => {
      const { logits, objectness, distances } = forward(config, parameters, inputs[input]!);
      return { logits, objectness, distances };
    },
    { [input]: { shape } },
    { opset },
  );
};

/** All names of a graph. */
const namesIn = ({ nodes, inputs, initializers }: OnnxGraph): string[] => [
  ...nodes.flatMap(({ name, outputs }) => [name, ...outputs]),
  ...[...inputs, ...initializers].map(({ name }) => name),
];

const withPixels = (network: OnnxGraph, { input }: DetectorConfig): OnnxGraph => {
  const [images] = network.inputs;
  const [count, channels, height, width] = images!.shape;
  const taken = namesIn(network).filter((name) => name !== names.normalized);
  const writer = onnxWriter([names.images, ...taken]);
  normalizationNodes(writer, names.images, input, names.normalized);
  return {
    ...network,
    inputs: [{ name: names.images, type: 'u8', shape: [count, height, width, channels] }],
    nodes: [...writer.nodes, ...network.nodes],
    initializers: [...network.initializers, ...writer.initializers],
  };
};

const withSuppression = (
  network: OnnxGraph,
  config: DetectorConfig,
  { imageSize, opset }: OnnxExportOptions & { readonly opset: OnnxOpset },
): OnnxGraph => {
  const setting: SuppressionSetting = {
    levels: featureLevels(config, imageSize.height, imageSize.width),
    classes: config.classes.length,
    imageSize,
    test: config.test,
    usesObjectness: usesObjectness(config.loss),
    opset,
  };
  const [logits, objectness, distances] = network.outputs.map(({ name }) => name) as [string, string, string];
  const writer = onnxWriter(namesIn(network));
  const { boxes, scores, labels } = suppressionNodes(writer, { logits, objectness, distances }, setting);
  const place = [network.outputs[0]!.shape[0], detectionLimit(setting)];
  return {
    ...network,
    nodes: [...network.nodes, ...writer.nodes],
    initializers: [...network.initializers, ...writer.initializers],
    outputs: [
      { name: boxes, type: 'f32', shape: [...place, 4] },
      { name: scores, type: 'f32', shape: place },
      { name: labels, type: 'i64', shape: place },
    ],
  };
};
