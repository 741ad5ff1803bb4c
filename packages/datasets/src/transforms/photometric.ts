// Photometric distortion: brightness, contrast, saturation and hue vary, boxes stay.
import { type RandomStream, randomStream } from '../random.ts';
import type { Pixels, Sample } from '../types.ts';

/** Varies the colours of pictures; every part is done to a share of them. */
export interface PhotometricStep {
  readonly type: 'photometric';
  /** At most this is added to every channel, or taken away, in bytes; 32 unless told otherwise. */
  readonly brightness?: number;
  /** Channels are multiplied by 1 - contrast to 1 + contrast; 0.5 unless told otherwise. */
  readonly contrast?: number;
  /** The saturation (of HSV) is multiplied by 1 - saturation to 1 + saturation; 0.5 unless told otherwise. */
  readonly saturation?: number;
  /** Hues turn by at most this, in degrees, either way; 18 unless told otherwise. */
  readonly hue?: number;
  /** The share of pictures whose channels are exchanged, all six orders equally likely; 0.5 unless told otherwise. */
  readonly swapChannels?: number;
  /** The share of pictures that each of the other parts is done to; 0.5 unless told otherwise. */
  readonly probability?: number;
}

/** What is done to one picture. */
interface Distortion {
  readonly brightness: number;
  readonly contrast: number;
  readonly isContrastLast: boolean;
  readonly saturation: number;
  /** In sixths of a full turn. */
  readonly hue: number;
  readonly order: readonly [red: number, green: number, blue: number];
}

/** Red, green and blue; one of them is used for all pixels, since a new one for each takes as long as the sums. */
type Colour = Float64Array;

/**
 * The sample with other colours, as the key decides: brightness, then contrast (for half of the pictures only after the next two),
 * saturation, hue, and at last the order of the channels.
 *
 * Source   Liu et al., SSD (2016), as in mmdetection's PhotoMetricDistortion; differs in: values are kept within 0 to 255 after every
 *          part, and rounded to bytes at the end
 */
export const photometricStep = (sample: Sample, step: PhotometricStep, key: number): Sample => {
  const distortion = drawDistortion(step, randomStream(key));
  return { ...sample, pixels: distorted(sample.pixels, distortion) };
};

const orders = [
  [0, 1, 2],
  [0, 2, 1],
  [1, 0, 2],
  [1, 2, 0],
  [2, 0, 1],
  [2, 1, 0],
] as const;

/** Draws everything whether it is used or not, so that no part depends on another's probability. */
const drawDistortion = (step: PhotometricStep, random: RandomStream): Distortion => {
  const { brightness = 32, contrast = 0.5, saturation = 0.5, hue = 18 } = step;
  const { swapChannels = 0.5, probability = 0.5 } = step;
  const varied = (middle: number, most: number): number => {
    const value = random.uniform(middle - most, middle + most);
    return random.uniform(0, 1) < probability ? value : middle;
  };
  const isContrastLast = random.integer(2) === 1;
  const parts = {
    brightness: varied(0, brightness),
    contrast: varied(1, contrast),
    saturation: varied(1, saturation),
    hue: varied(0, hue / 60),
  };
  const isSwapped = random.uniform(0, 1) < swapChannels;
  const order = orders[random.integer(orders.length)]!;
  return { ...parts, isContrastLast, order: isSwapped ? order : orders[0] };
};

const distorted = ({ width, height, data: from }: Pixels, distortion: Distortion): Pixels => {
  const { saturation, hue, order } = distortion;
  const [first, last] = tablesOf(distortion);
  const changesHsv = saturation !== 1 || hue !== 0;
  const data = new Uint8Array(from.length);
  const colour: Colour = new Float64Array(3);
  const [red, green, blue] = order;
  for (let at = 0; at < from.length; at += 3) {
    colour[0] = first[from[at]!]!;
    colour[1] = first[from[at + 1]!]!;
    colour[2] = first[from[at + 2]!]!;
    if (changesHsv) changeHsv(colour, saturation, hue);
    data[at] = byteOf(colour[red]! * last);
    data[at + 1] = byteOf(colour[green]! * last);
    data[at + 2] = byteOf(colour[blue]! * last);
  }
  return { width, height, channels: 3, data };
};

/** What comes before saturation and hue, by byte, and the factor that comes after them. */
const tablesOf = ({ brightness, contrast, isContrastLast }: Distortion): [Float64Array, number] => {
  const factor = isContrastLast ? 1 : contrast;
  const table = Float64Array.from({ length: 256 }, (_, byte) => clamped(clamped(byte + brightness) * factor));
  return [table, isContrastLast ? contrast : 1];
};

const clamped = (value: number): number => Math.min(Math.max(value, 0), 255);

const byteOf = (value: number): number => Math.floor(clamped(value) + 0.5);

/** Multiplies the saturation of a colour and turns its hue. */
const changeHsv = (colour: Colour, saturation: number, hue: number): void => {
  const red = colour[0]!;
  const green = colour[1]!;
  const blue = colour[2]!;
  const value = Math.max(red, green, blue);
  const range = value - Math.min(red, green, blue);
  if (range === 0) return;
  // Saturation is range / value and at most 1.
  const newRange = Math.min(range * saturation, value);
  const turned = hueOf(red, green, blue, value, range) + hue;
  colour[0] = channelOf(turned + 5, value, newRange);
  colour[1] = channelOf(turned + 3, value, newRange);
  colour[2] = channelOf(turned + 1, value, newRange);
};

/** In sixths of a turn, from -1 to 5. */
const hueOf = (red: number, green: number, blue: number, value: number, range: number): number => {
  if (value === red) return (green - blue) / range;
  if (value === green) return 2 + (blue - red) / range;
  return 4 + (red - green) / range;
};

/** A channel as a function of how far its own colour is from the hue: a trapezium. */
const channelOf = (position: number, value: number, range: number): number => {
  const distance = position - 6 * Math.floor(position / 6);
  return value - range * Math.max(0, Math.min(distance, 4 - distance, 1));
};
