// Convolutions as the kernels run them: the panels of their filters become steps of their own.
//
// Panels then are made once for all threads and for all convolutions that share filters, and the plan holds them
// no longer than they are needed.

import type { Epilogue } from '../../graph/epilogues.ts';
import type { Graph, Slot, Step } from '../../graph/graph.ts';
import type { InputGradAttrs, WindowAttrs } from '../../ops/conv.ts';
import { convExtents } from '../../ops/conv.ts';
import type { Attrs, Primitive } from '../../primitive.ts';
import type { Shape, Spec } from '../../tensor.ts';
import type { PanelForm } from './kernels/filterPanels.ts';
import { forwardPanels, inputGradPanels, panelElements } from './kernels/filterPanels.ts';
import type { Conv2dGeometry } from './kernels/geometry.ts';
import type { KernelOptions } from './kernels/kernel.ts';
import type { TileSize } from './kernels/winograd/convolutionTiles.ts';

/** What a convolution step gains: the kind of panels that its second input holds and the shape of the filters; the size of Winograd's tiles; an epilogue. */
type ConvolutionAttrs = {
  readonly panels?: PanelForm['kind'];
  readonly filterShape?: Shape;
  readonly tileSize?: TileSize;
  readonly epilogue?: Epilogue;
};

/** The geometry of the convolution of the given images and weights. */
export const geometryOf = (x: Shape, weight: Shape, attrs: WindowAttrs): Conv2dGeometry => ({
  ...convExtents(x, weight, attrs),
  strideHeight: attrs.stride[0],
  strideWidth: attrs.stride[1],
  padTop: attrs.padding[0],
  padLeft: attrs.padding[1],
  dilationHeight: attrs.dilation[0],
  dilationWidth: attrs.dilation[1],
  groups: attrs.groups,
});

/** The geometry of a convolution step with inputs (images, filters or their panels). */
export const forwardGeometry = ([x, weight]: readonly Spec[], attrs: Attrs): Conv2dGeometry => {
  const { filterShape = weight!.shape, ...window } = attrs as ConvolutionAttrs & WindowAttrs;
  return geometryOf(x!.shape, filterShape, window);
};

/** The geometry of an input gradient step with inputs (output gradient, filters or their panels). */
export const inputGradGeometry = ([ct, weight]: readonly Spec[], attrs: Attrs): Conv2dGeometry => {
  const { filterShape = weight!.shape, ...window } = attrs as ConvolutionAttrs & InputGradAttrs;
  return geometryOf([ct!.shape[0]!, filterShape[1]! * window.groups, ...window.size], filterShape, window);
};

/** Attrs of `filterPanels`. */
export type PanelAttrs = { readonly form: PanelForm };

/** The step that writes panels. Only the pass below makes it, and the kernel is its meaning: panels are read by kernels alone. */
const filterPanelsOp: Primitive<PanelAttrs> = {
  name: 'filterPanels',
  infer: (_inputs, { form }) => ({ shape: [panelElements(form)], dtype: 'f32' }),
  reference: () => {
    throw new TypeError('filterPanels: needs the kernel of the wasm backend, got a reference run.');
  },
};

/** Whether an op convolves with filters, its second input. */
export const isConvolution = ({ name }: Step['op']): boolean =>
  name === 'conv2d' || name === 'conv2dInputGrad';

/** The panels that a step reads. */
const panelsOf = (step: Step, inputs: readonly Spec[]): PanelForm | undefined => {
  if (step.op.name === 'conv2d')
    return forwardPanels(forwardGeometry(inputs, step.attrs), optionsOf(step.attrs).tileSize);
  if (step.op.name === 'conv2dInputGrad') return inputGradPanels(inputGradGeometry(inputs, step.attrs));
  return undefined;
};

/** An equal graph in which panels of filters are made by steps, each once, right before the first convolution that reads them. */
export const packFilters = (graph: Graph): Graph => {
  const specs = [...graph.specs];
  const steps: Step[] = [];
  const known = new Map<string, Slot>();
  const panelSlot = (filters: Slot, form: PanelForm, label: string | undefined): Slot => {
    const key = `${filters} ${JSON.stringify(form)}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    const output = specs.push({ shape: [panelElements(form)], dtype: 'f32' }) - 1;
    const op = filterPanelsOp as unknown as Primitive;
    steps.push({ op, attrs: { form }, inputs: [filters], output, ...(label === undefined ? {} : { label }) });
    known.set(key, output);
    return output;
  };
  for (const step of graph.steps) {
    const inputs = step.inputs.map((slot) => specs[slot]!);
    const form = panelsOf(step, inputs);
    if (form === undefined) {
      steps.push(step);
      continue;
    }
    const [source, filters, ...others] = step.inputs as readonly [Slot, Slot, ...Slot[]];
    const panels = panelSlot(filters, form, step.label);
    const attrs = { ...step.attrs, panels: form.kind, filterShape: specs[filters]!.shape };
    steps.push({ ...step, attrs, inputs: [source, panels, ...others] });
  }
  return { ...graph, specs, steps };
};

/** What the kernel of a convolution must know besides its geometry. */
export const optionsOf = (attrs: Attrs): Pick<KernelOptions, 'panels' | 'tileSize' | 'epilogue'> => {
  const { panels, tileSize, epilogue } = attrs as ConvolutionAttrs;
  return {
    ...(panels === undefined ? {} : { panels }),
    ...(tileSize === undefined ? {} : { tileSize }),
    ...(epilogue === undefined ? {} : { epilogue }),
  };
};
