// The GPU's memory: buffers of tensors, reused once they are free, and the buffers that all plans share.
import { sentence, UnsupportedError } from '../../errors.ts';
import type { Data, Spec } from '../../tensor.ts';
import type { Place } from './places.ts';

// The numbers behind GPUBufferUsage and GPUMapMode, which Node has no globals for.
const usage = { mapRead: 0x1, copySource: 0x4, copyTarget: 0x8, storage: 0x80 } as const;
const mapRead = 0x1;

/** Buffers of one device. */
export interface GpuBuffers {
  /** A buffer of at least so many bytes. Throws UnsupportedError beyond the adapter's limits, saying for what. */
  readonly take: (bytes: number, purpose: () => string) => GPUBuffer;
  readonly giveBack: (buffer: GPUBuffer) => void;
  /** Buffers of at least these bytes, which all plans share: the same ones until a larger plan comes. */
  readonly workspace: (sizes: readonly number[], purpose: (index: number) => string) => readonly GPUBuffer[];
  readonly workspaceBytes: () => number;
  /** Bytes of a buffer at most. */
  readonly mostBytes: number;
  /** So many bytes at a place, when all work submitted so far is done. */
  readonly read: (place: Place, bytes: number) => Promise<ArrayBuffer>;
  readonly write: (buffer: GPUBuffer, data: Float32Array | Int32Array) => void;
}

/** Sizes come in steps, so that a free buffer fits more often. */
const sizeClass = (bytes: number): number => {
  const step = bytes <= 2 ** 16 ? 256 : 2 ** (Math.floor(Math.log2(bytes)) - 3);
  return Math.max(256, Math.ceil(bytes / step) * step);
};

/** Free bytes that are kept for tensors to come, at most. */
const mostFreeBytes = 2 ** 28;

/** The buffers of a device, none yet. */
export const openBuffers = (device: GPUDevice): GpuBuffers => {
  const { limits } = device;
  const most = Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize);
  const free = new Map<number, GPUBuffer[]>();
  let freeBytes = 0;
  const shared: GPUBuffer[] = [];

  const make = (bytes: number, purpose: () => string): GPUBuffer => {
    if (bytes > most) throw new UnsupportedError(tooLarge(bytes, most, purpose()));
    const size = Math.min(sizeClass(bytes), Math.floor(most / 4) * 4);
    return device.createBuffer({ size, usage: usage.storage | usage.copySource | usage.copyTarget });
  };

  const staging: GPUBuffer[] = [];

  return {
    mostBytes: most,
    take: (bytes, purpose) => {
      const waiting = free.get(sizeClass(bytes));
      const found = waiting?.pop();
      if (found === undefined) return make(bytes, purpose);
      freeBytes -= found.size;
      return found;
    },
    giveBack: (buffer) => {
      if (freeBytes + buffer.size > mostFreeBytes) {
        buffer.destroy();
        return;
      }
      freeBytes += buffer.size;
      const waiting = free.get(buffer.size);
      if (waiting === undefined) free.set(buffer.size, [buffer]);
      else waiting.push(buffer);
    },
    workspace: (sizes, purpose) => {
      // the largest first, so that plans of different steps find what fits them
      const order = [...sizes.keys()].sort((a, b) => sizes[b]! - sizes[a]!);
      const chosen: GPUBuffer[] = [];
      order.forEach((index, rank) => {
        const held = shared[rank];
        if (held === undefined || held.size < sizes[index]!) {
          const larger = make(sizes[index]!, () => purpose(index));
          held?.destroy();
          shared[rank] = larger;
        }
        chosen[index] = shared[rank]!;
      });
      return chosen;
    },
    workspaceBytes: () => shared.reduce((sum, { size }) => sum + size, 0),
    read: async ({ buffer, offset }, bytes) => {
      if (bytes === 0) return new ArrayBuffer(0);
      const at = staging.findIndex(({ size }) => size >= bytes);
      const target =
        at < 0
          ? device.createBuffer({ size: sizeClass(bytes), usage: usage.mapRead | usage.copyTarget })
          : staging.splice(at, 1)[0]!;
      const encoder = device.createCommandEncoder();
      encoder.copyBufferToBuffer(buffer, offset, target, 0, bytes);
      device.queue.submit([encoder.finish()]);
      await target.mapAsync(mapRead, 0, bytes);
      const copy = target.getMappedRange(0, bytes).slice(0);
      target.unmap();
      if (staging.length < 4) staging.push(target);
      else target.destroy();
      return copy;
    },
    write: (buffer, data) => {
      if (data.byteLength > 0)
        device.queue.writeBuffer(buffer, 0, data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
    },
  };
};

/** Data as it is stored: 4 bytes per element. */
export const storedForm = (data: Data, { dtype }: Spec): Float32Array | Int32Array => {
  if (dtype === 'f32') return data instanceof Float32Array ? data : Float32Array.from(data);
  return data instanceof Int32Array ? data : Int32Array.from(data);
};

const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

const tooLarge = (bytes: number, most: number, purpose: string): string =>
  sentence({
    where: 'webgpu',
    needs: `a buffer of ${megabytes(bytes)} for ${purpose}`,
    got: `an adapter whose storage buffers end at ${megabytes(most)}`,
    advice: 'Use smaller batches or images, or backend wasm.',
  });
