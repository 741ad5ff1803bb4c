// Sums that tell whether two readers found the same in a file, whatever the order they found it in.

/** Sums over everything in a file. */
export interface Sums {
  readonly images: number;
  readonly objects: number;
  /** Sums of the bits of all numbers of an entry, mixed. */
  readonly imageBits: number;
  readonly objectBits: number;
}

/** Sums while entries are being added. */
export interface SummedEntries {
  addImage(id: number, width: number, height: number, name: string): void;
  /** Id, id of the image, id of the category, x, y, width, height, area, crowd. */
  addObject(numbers: readonly number[]): void;
  all(): Sums;
}

/** Sums of nothing yet. */
export const sumsOf = (): SummedEntries => {
  let [images, objects, imageBits, objectBits] = [0, 0, 0, 0];
  const value = new Float64Array(1);
  const bits = new Int32Array(value.buffer);
  const mixed = (hash: number, number: number): number => {
    value[0] = number;
    return Math.imul(Math.imul(hash ^ bits[0]!, 0x85ebca6b) ^ bits[1]! ^ (hash >>> 13), 0xc2b2ae35);
  };
  return {
    addImage: (id, width, height, name) => {
      images += 1;
      let hash = mixed(mixed(mixed(1, id), width), height);
      for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
      imageBits = (imageBits + hash) >>> 0;
    },
    addObject: (numbers) => {
      objects += 1;
      objectBits = (objectBits + numbers.reduce(mixed, 2)) >>> 0;
    },
    all: () => ({ images, objects, imageBits, objectBits }),
  };
};
