// Filters as panels: the layout that Winograd convolutions and input gradients read, written by a kernel of its own.

import type { ModuleBuilder } from '../assembler/module.ts';
import type { Conv2dGeometry } from './geometry.ts';
import { simplified } from './geometry.ts';
import type { Kernel, KernelOptions } from './kernel.ts';
import { partName } from './kernel.ts';
import { isInputGradThin } from './thinGroups.ts';
import type { TurnedFilters } from './turnedFilters.ts';
import { packTurnedFilters, turnedFilters, turnedPlaces } from './turnedFilters.ts';
import { isWinogradFaster } from './winograd/choice.ts';
import type { TileSize } from './winograd/convolutionTiles.ts';
import type { WinogradFilters } from './winograd/filters.ts';
import { packWinogradFilters, winogradFilterBytes } from './winograd/filters.ts';

/** Which panels of some filters: plain data, equal for all convolutions that can share them. */
export type PanelForm =
  | ({ readonly kind: 'winograd' } & WinogradFilters)
  | ({ readonly kind: 'turned' } & TurnedFilters);

/** The panels that the forward convolution reads; none where it reads the filters as they lie in memory. */
export function forwardPanels(geometry: Conv2dGeometry, tileSize: TileSize = 2): PanelForm | undefined {
  if (!isWinogradFaster(geometry, 'output')) return undefined;
  const { channels, outChannels } = geometry;
  return {
    kind: 'winograd',
    resultChannels: outChannels,
    sourceChannels: channels,
    tileSize,
    isTurned: false,
  };
}

/** The panels that the input gradient reads; none where there is nothing to compute, or where it reads the filters as they lie in memory. */
export function inputGradPanels(geometry: Conv2dGeometry): PanelForm | undefined {
  const { batch, channels, outChannels, outHeight, outWidth } = geometry;
  if (isWinogradFaster(geometry, 'images'))
    return {
      kind: 'winograd',
      resultChannels: channels,
      sourceChannels: outChannels,
      tileSize: 2,
      isTurned: true,
    };
  if (batch * channels * outChannels * outHeight * outWidth === 0 || isInputGradThin(geometry))
    return undefined;
  const form = turnedFilters(simplified(geometry));
  return form.passes.length === 0 ? undefined : { kind: 'turned', ...form };
}

/** Result channels of every group: what panels can be divided by. */
export function panelChannels(form: PanelForm): number {
  return form.kind === 'winograd' ? form.resultChannels : form.channels;
}

/** Elements of all panels of a form. */
export function panelElements(form: PanelForm): number {
  return (form.kind === 'winograd' ? winogradFilterBytes(form) : turnedPlaces(form).bytes) / 4;
}

/** The kernel (filters, panels, scratch). A part is a range of result channels (of every group), from a multiple of four on. */
export function emitFilterPanels(
  module: ModuleBuilder,
  form: PanelForm,
  options: KernelOptions = {},
): Kernel {
  const { fma = false, part } = options;
  const exportName = `filterPanels ${JSON.stringify(form)} ${fma}${partName(options)}`;
  return module.once(exportName, () => {
    const params = ['i32', 'i32', 'i32'] as const;
    const func = module.define({ exportName, params, result: 'void' }, ([filters, panels], local) =>
      form.kind === 'winograd'
        ? packWinogradFilters({ module, fma, local }, form, filters, panels, part)
        : packTurnedFilters({ module, local }, form, filters, panels, part),
    );
    return { func, scratchBytes: 0 };
  });
}
