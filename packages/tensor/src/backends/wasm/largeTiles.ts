// Convolutions by Winograd's larger tiles: 1.8 times fewer products than by the smaller ones, for three times their rounding error.
//
// Done in inference alone: the filters stay from run to run, so their larger panels are made once, and nothing is
// differentiated. Gradients hang on which of a rectifier's inputs are positive, which the last bits decide near zero.
import type { Graph, Step } from '../../graph/graph.ts';
import { forwardGeometry } from './convolutionSteps.ts';
import { stayingSlots } from './kept.ts';
import { areLargeTilesFaster } from './kernels/winograd/choice.ts';

const isGradient = ({ op }: Step): boolean => op.name === 'conv2dInputGrad' || op.name === 'conv2dFilterGrad';

/** An equal graph whose convolutions with filters that stay are computed by large tiles where that is faster. */
export const useLargeTiles = (graph: Graph): Graph => {
  if (graph.steps.some(isGradient)) return graph;
  const staying = stayingSlots(graph);
  const isFaster = ({ op, inputs, output, attrs }: Step): boolean =>
    op.name === 'conv2d' &&
    staying.has(inputs[1]!) &&
    !staying.has(output) &&
    areLargeTilesFaster(
      forwardGeometry(
        inputs.map((slot) => graph.specs[slot]!),
        attrs,
      ),
    );
  const steps = graph.steps.map((step) =>
    isFaster(step) ? { ...step, attrs: { ...step.attrs, tileSize: 4 } } : step,
  );
  return { ...graph, steps };
};
