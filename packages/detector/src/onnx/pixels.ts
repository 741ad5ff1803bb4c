// Normalisation as ONNX operators: from the bytes of pictures to what the network reads.
import type { OnnxWriter } from '@autoassign/tensor';
import type { InputConfig } from '../config.ts';

/**
 * Adds (byte - mean) / std and the change of layout to a graph; gives the name of the network's input.
 *
 * Shapes   u8[N,H,W,3] in the order R, G, B -> f32[N,3,H,W]
 */
export const normalizationNodes = (
  { add, integers, floats }: OnnxWriter,
  pixels: string,
  { mean, std, order }: InputConfig,
  label: string,
): string => {
  const numbers = add('Cast', [pixels], { attributes: { to: 1 } });
  const ordered =
    order === 'rgb' ? numbers : add('Gather', [numbers, integers([2, 1, 0])], { attributes: { axis: 3 } });
  const normalized = add('Div', [add('Sub', [ordered, floats(mean)]), floats(std)]);
  return add('Transpose', [normalized], { attributes: { perm: [0, 3, 1, 2] }, label });
};
